import assumed from './assumptions.json' with { type: 'json' };
import type { Chart } from './charts.ts';
import { defaultQuotas, raises, stageQuotas } from './quotas.ts';
import { type Best, type Drop, names, type Study, usdPerMillionOrders } from './study.ts';
import type { Comparison } from './validate.ts';

type Cell = string | number;

/** What `npm run simulate:scale` prints, in Markdown. */
export function scaleReport(study: Study): string {
  const naive = study.best.find(({ name }) => name === names.naive)!;
  return [
    '### The best rate on one SKU',
    'Shoppers come at a rate that goes on and the units never run out. A rate counts as carried while at least 97% of those who come are sold to. The limit is what says no most often a tenth above it. The costs are those of an order at that rate, failed tries included, without e-mail and without waiting for the provider.',
    table(
      ['', 'orders/s', 'tries an order', 'first limit', '$ per million orders', 'of the naive one’s'],
      study.best.map((best) => bestRow(best, naive)),
    ),
    '### Quotas and settings raised',
    table(
      ['', 'from', 'to', 'how'],
      raises.map(({ quota, what, to, how }) => {
        const from = quota in stageQuotas ? stageQuotas[quota] : defaultQuotas[quota];
        return [what, count(from), count(to), how];
      }),
    ),
    '### A drop',
    table(
      ['', ...study.drops.map(({ name }) => name)],
      dropRows(study.drops).map(([what, of]) => [what, ...study.drops.map(of)]),
    ),
    '### The best rate by shards',
    table(
      ['shards', 'default quotas', 'raised'],
      study.byShards.map(({ shards, atDefault, atRaised }) => [shards, count(atDefault), count(atRaised)]),
    ),
    '### The best rate by how long a transaction holds its items (raised, 90 shards)',
    table(
      ['ms', 'orders/s', 'tries an order'],
      study.byHold.map(({ heldMs, best, tries }) => [heldMs, count(best), tries.toFixed(2)]),
    ),
    '### Assumed',
    table(
      ['', 'value', 'unit', 'source'],
      Object.entries(assumed.assumptions).map(([name, { value, unit, source }]) => [
        name,
        value,
        unit,
        source,
      ]),
    ),
  ].join('\n\n');
}

function bestRow({ name, point, limit }: Best, naive: Best): Cell[] {
  const usd = usdPerMillionOrders(point);
  return [
    name,
    count(point.sold),
    point.tries.toFixed(2),
    limit,
    usd.toFixed(2),
    `${((100 * usd) / usdPerMillionOrders(naive.point)).toFixed(1)}%`,
  ];
}

function dropRows(drops: readonly Drop[]): [string, (drop: Drop) => Cell][] {
  const limits = [...new Set(drops.flatMap(({ tally }) => [...tally.limits.keys()]))].sort();
  const refusals = [...new Set(drops.flatMap(({ tally }) => [...tally.refusals.keys()]))].sort();
  return [
    ['shoppers', ({ scenario }) => count(scenario.shoppers)],
    ['units', ({ scenario }) => count(scenario.units)],
    ['admitted a second at most', ({ pace }) => (pace === undefined ? 'no admission' : count(pace))],
    ['sold', ({ tally }) => count(tally.sold)],
    [
      'orders/s while the first 90% were sold',
      ({ tally, scenario }) => count(tally.rateUntil(0.9 * scenario.units)),
    ],
    ['orders in the best second', ({ tally }) => count(tally.peak)],
    ['seconds until 90% were sold', ({ tally, scenario }) => count(tally.secondsUntil(0.9 * scenario.units))],
    ['seconds until the last unit', ({ tally }) => count(tally.lastSale)],
    [
      'seconds to a first answer (a ticket, “received”, sold out): p50',
      ({ tally }) => brief(tally.firstAnswers.quantile(0.5)),
    ],
    ['p99', ({ tally }) => brief(tally.firstAnswers.quantile(0.99))],
    [
      'seconds to the last answer (sold, sold out): p50',
      ({ tally }) => brief(tally.finalAnswers.quantile(0.5)),
    ],
    ['p99', ({ tally }) => brief(tally.finalAnswers.quantile(0.99))],
    ['went away unanswered', ({ tally }) => count(tally.gaveUp)],
    ['seconds from order to captured payment: p99', ({ tally }) => brief(tally.paid.quantile(0.99))],
    ['conflicts of transactions', ({ tally }) => count(tally.conflicts)],
    ...refusals.map((reason): [string, (drop: Drop) => Cell] => [
      `answers: ${reason}`,
      ({ tally }) => count(tally.refusals.get(reason) ?? 0),
    ]),
    ['first limit met', ({ tally }) => tally.firstLimit ?? 'none'],
    ...limits.map((limit): [string, (drop: Drop) => Cell] => [
      `met: ${limit}`,
      ({ tally }) => {
        const met = tally.limits.get(limit);
        return met ? `${count(met.times)} times from ${met.first.toFixed(1)} s` : '';
      },
    ]),
    ['$ of the whole drop', ({ tally }) => tally.usd.toFixed(2)],
    ['$ of that at the edge', ({ tally }) => tally.edgeUsd.toFixed(2)],
    [
      'cents for each unit sold, the crowd included',
      ({ tally }) => ((100 * tally.usd) / tally.sold).toFixed(2),
    ],
  ];
}

export function validationReport(comparisons: readonly Comparison[]): string {
  return table(
    ['shards', 'orders/s measured', 'model', 'tries an order measured', 'model'],
    comparisons.map(({ shards, measured, model }) => [
      shards,
      measured.perSecond.toFixed(1),
      model.perSecond.toFixed(1),
      measured.tries.toFixed(2),
      model.tries.toFixed(2),
    ]),
  );
}

/** By file name. */
export function chartsOf(study: Study): ReadonlyMap<string, Chart> {
  return new Map([
    [
      'rates',
      {
        title: 'Orders sold a second, by what is offered',
        x: 'shoppers a second, each for one unit',
        y: 'orders/s',
        logarithmic: true,
        lines: study.curves.map(({ name, points }) => ({
          name,
          points: points.filter(({ sold }) => sold > 0).map(({ offered, sold }) => [offered, sold] as const),
        })),
      },
    ],
    [
      'drop',
      {
        title: 'Part of the units sold, by time',
        x: 'seconds from the opening',
        y: '%',
        lines: study.drops.map(({ name, tally, scenario }) => ({
          name,
          points: soldBy(tally.soldIn, scenario.units),
        })),
      },
    ],
    [
      'shards',
      {
        title: 'Best rate by shards of the SKU',
        x: 'shards',
        y: 'orders/s',
        logarithmic: true,
        lines: [
          {
            name: names.design,
            points: study.byShards.map(({ shards, atDefault }) => [shards, atDefault] as const),
          },
          {
            name: names.raised,
            points: study.byShards.map(({ shards, atRaised }) => [shards, atRaised] as const),
          },
        ],
      },
    ],
  ]);
}

function soldBy(soldIn: readonly number[], units: number): [number, number][] {
  let sold = 0;
  const points: [number, number][] = [[0, 0]];
  for (let second = 0; second < soldIn.length; second++) {
    sold += soldIn[second] ?? 0;
    if (soldIn[second]) points.push([second + 1, (100 * sold) / units]);
  }
  return points;
}

function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

function count(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en') : 'none';
}

function brief(seconds: number): string {
  return Number.isNaN(seconds) ? 'none' : seconds.toPrecision(3);
}
