import { describe, expect, it } from 'vitest';
import { metricNamespace, metricService } from '../../functions/kernel/metrics.ts';
import { configOf } from '../../lib/config.ts';
import {
  calculate,
  childrenOf,
  compositeState,
  type Leaf,
  leavesOf,
  type Point,
  type Series,
  type State,
  seriesKey,
  spanOf,
  stateOf,
} from './support/alarms.ts';
import { appOf, type Resource, resourcesOf } from './support/synthesis.ts';

const resources = resourcesOf(appOf(configOf('dev')));
const alarms = resources.filter(({ type }) => type === 'AWS::CloudWatch::Alarm');
const composites = resources.filter(({ type }) => type === 'AWS::CloudWatch::CompositeAlarm');
const now = 10_000_000;
const filters = resources.filter(({ type }) => type === 'AWS::Logs::MetricFilter');
const nameOf = ({ stack, id }: Resource) => `${stack}/${id}`;

/** Measurements of one period, spread within it. */
type Sample = readonly number[];

/** The same sample of each series in every period that the alarm looks at, or in the newest `periods` of them. */
function seriesOf(
  alarm: Resource,
  samples: ReadonlyMap<string, Sample>,
  periods = Number.POSITIVE_INFINITY,
): Series {
  const leaves = leavesOf(alarm);
  const length = Math.max(...leaves.map(({ period }) => period));
  const count = Math.min(periods, alarm.properties.EvaluationPeriods);
  return new Map(
    [...samples].map(([key, sample]) => {
      const points: Point[] = Array.from({ length: count }, (_, back) =>
        sample.map((value, index) => ({
          at: now - back * length - (index / (sample.length + 1)) * length,
          value,
        })),
      ).flat();
      return [key, points];
    }),
  );
}

/** Every combination of some plausible samples of the series that an alarm reads. */
function* combinations(alarm: Resource): Generator<ReadonlyMap<string, Sample>> {
  const threshold: number = alarm.properties.Threshold;
  const candidates: Sample[] = [
    [],
    [0],
    [threshold],
    [threshold + 1],
    [100],
    Array(100).fill(0),
    Array(100).fill(1),
  ];
  const keys = [...new Set(leavesOf(alarm).map(({ series }) => series))];
  const total = candidates.length ** keys.length;
  for (let number = 0; number < total; number++) {
    yield new Map(
      keys.map((key, index) => [
        key,
        candidates[Math.floor(number / candidates.length ** index) % candidates.length]!,
      ]),
    );
  }
}

/** Samples that make the alarm go to `wanted`, with at least one measurement. */
function samplesFor(alarm: Resource, wanted: State): ReadonlyMap<string, Sample> {
  for (const samples of combinations(alarm)) {
    const measured = [...samples.values()].some((sample) => sample.length > 0);
    if (measured && stateOf(alarm, seriesOf(alarm, samples), now) === wanted) return samples;
  }
  throw new Error(`no series makes ${nameOf(alarm)} ${wanted}`);
}

describe.each(alarms.map((alarm) => [nameOf(alarm), alarm] as const))('%s', (_name, alarm) => {
  it('fires, stays quiet, and does not fire before its time', () => {
    const bad = samplesFor(alarm, 'ALARM');
    const good = samplesFor(alarm, 'OK');
    expect(stateOf(alarm, seriesOf(alarm, bad), now)).toBe('ALARM');
    expect(stateOf(alarm, seriesOf(alarm, good), now, 'ALARM')).toBe('OK');
    const needed = alarm.properties.DatapointsToAlarm ?? alarm.properties.EvaluationPeriods;
    if (needed > 1) expect(stateOf(alarm, seriesOf(alarm, bad, needed - 1), now)).toBe('OK');
  });

  it('is quiet when nothing is measured, unless it waits for a check to say that all is well', () => {
    expect(stateOf(alarm, new Map(), now, 'OK')).toBe('OK');
    const waits = alarm.properties.TreatMissingData === 'ignore';
    expect(stateOf(alarm, new Map(), now, 'ALARM')).toBe(waits ? 'ALARM' : 'OK');
  });

  it('looks back no further than CloudWatch lets an alarm', () => {
    const shortest = Math.min(...leavesOf(alarm).map(({ period }) => period));
    // API reference, PutMetricAlarm: seven days at most, one day for periods below an hour.
    expect(spanOf(alarm)).toBeLessThanOrEqual(shortest < 3600 ? 86_400 : 604_800);
  });
});

describe.each(composites.map((composite) => [nameOf(composite), composite] as const))(
  '%s',
  (_name, composite) => {
    const children = childrenOf(composite);
    const given = (state: (id: string) => State) =>
      compositeState(composite, new Map(children.map((id) => [id, state(id)])));

    it('is of alarms of its own stack', () => {
      const own = alarms.filter(({ stack }) => stack === composite.stack).map(({ id }) => id);
      expect(children.length).toBeGreaterThan(0);
      expect(own).toEqual(expect.arrayContaining(children));
    });

    it('fires when all of its alarms do, and not when one of them does not', () => {
      expect(given(() => 'ALARM')).toBe('ALARM');
      for (const quiet of children) expect(given((id) => (id === quiet ? 'OK' : 'ALARM'))).toBe('OK');
      expect(given(() => 'INSUFFICIENT_DATA')).toBe('OK');
    });
  },
);

const objectives = [
  ['Acceptance', 0.001],
  ['Settlement', 0.005],
  ['Delivery', 0.001],
  ['Export', 0.005],
] as const;

describe.each(objectives)('the objective %s', (id, budget) => {
  const own = alarms.filter(
    (one) => one.stack.endsWith('-Observability') && new RegExp(`^${id}(Fast|Slow|Trend)`).test(one.id),
  );
  const minute = 60;
  const hour = 3600;
  const day = 86_400;

  /** Occasions of which `share(secondsAgo)` are bad, as the functions and the access log report them. */
  function traffic(share: (secondsAgo: number) => number): Series {
    const [first] = own;
    const leaves = leavesOf(first!);
    const total = leaves.find((leaf) => leaf.id === 'total') as Leaf;
    const bad = leaves.find((leaf) => leaf.id === 'bad') as Leaf;
    const occasions = 50_000;
    const totals: Point[] = [];
    const bads: Point[] = [];
    for (let ago = 0; ago < 3 * day; ago += 5 * minute) {
      const at = now - ago;
      const late = occasions * share(ago);
      if (bad.series === total.series) {
        // Each occasion is a measurement of 0 or 1.
        totals.push({ at, value: 1, times: late }, { at, value: 0, times: occasions - late });
      } else {
        totals.push({ at, value: occasions });
        bads.push({ at, value: late });
      }
    }
    return new Map([
      [bad.series, bads],
      [total.series, totals],
    ]);
  }

  /** Which of the objective's alarms fire: the two pages by their composite, the trend by itself. */
  function firing(series: Series): string[] {
    const states = new Map(own.map((one) => [one.id, stateOf(one, series, now)]));
    const pages = composites
      .filter((one) => new RegExp(`^${id}(Fast|Slow)`).test(one.id))
      .filter((one) => compositeState(one, states) === 'ALARM')
      .map((one) => one.id.slice(id.length, id.length + 4));
    const trend = own.some((one) => one.id.startsWith(`${id}Trend`) && states.get(one.id) === 'ALARM');
    return trend ? [...pages, 'Trend'] : pages;
  }

  const rate = (burn: number) => traffic(() => burn * budget);

  it('has five alarms and two pages', () => {
    expect(own).toHaveLength(5);
  });

  it('is quiet while the budget lasts its 30 days, and without any occasion', () => {
    expect(firing(rate(0))).toEqual([]);
    expect(firing(rate(0.9))).toEqual([]);
    expect(firing(new Map())).toEqual([]);
  });

  it('fires the trend, the slow page and the fast page, each from its own rate on', () => {
    expect(firing(rate(1.1))).toEqual(['Trend']);
    expect(firing(rate(5.8))).toEqual(['Trend']);
    expect(firing(rate(6.2))).toEqual(['Slow', 'Trend']);
    expect(firing(rate(14.2))).toEqual(['Slow', 'Trend']);
    expect(firing(rate(14.6))).toEqual(['Fast', 'Slow', 'Trend']);
  });

  it('is quiet again soon after the cause has gone', () => {
    const over = traffic((ago) => (ago < 5 * minute ? 0 : ago < hour ? 20 * budget : 0));
    expect(firing(over)).toEqual([]);
    const longOver = traffic((ago) => (ago < 30 * minute ? 0 : ago < 6 * hour ? 10 * budget : 0));
    expect(firing(longOver)).toEqual([]);
  });

  it('takes no notice of a spike that is short', () => {
    expect(firing(traffic((ago) => (ago < 5 * minute ? 20 * budget : 0)))).toEqual([]);
  });
});

describe('a metric of our own', () => {
  const counted = new Set(
    filters.flatMap(({ properties }) =>
      properties.MetricTransformations.map((transformation: any) =>
        seriesKey({ Namespace: transformation.MetricNamespace, MetricName: transformation.MetricName }),
      ),
    ),
  );
  const namespace = metricNamespace('dev');
  const own = alarms.flatMap(leavesOf).filter(({ series }) => series.includes(`"${namespace}"`));

  it('is watched where it is reported: under the dimension of functions, or as the access log is counted', () => {
    expect(own.length).toBeGreaterThan(20);
    const reported = (name: string) =>
      seriesKey({
        Namespace: namespace,
        MetricName: name,
        Dimensions: [{ Name: 'service', Value: metricService }],
      });
    const elsewhere = own.filter(({ name, series }) => series !== reported(name) && !counted.has(series));
    expect(elsewhere).toEqual([]);
  });
});

describe('the evaluator', () => {
  const given = (entries: Record<string, number | undefined>) => new Map(Object.entries(entries));
  it.each([
    ['a + b * 2', { a: 1, b: 3 }, 7],
    ['(a + b) * 2', { a: 1, b: 3 }, 8],
    ['a / b', { a: 1, b: 0 }, undefined],
    ['a - b', { a: 1, b: undefined }, undefined],
    ['FILL(a, 0) + b', { a: undefined, b: 3 }, 3],
    ['IF(a >= 2, a, 0)', { a: 2 }, 2],
    ['IF(a > 2, a, 0)', { a: 2 }, 0],
  ])('%s with %o is %s', (expression, values, result) => {
    expect(calculate(expression, given(values))).toBe(result);
  });

  it.each(['RATE(a)', 'a b', 'c', 'a +', 'FILL(a)', 'a ^ 2'])('refuses %s', (expression) => {
    expect(() => calculate(expression, given({ a: 1 }))).toThrow();
  });
});
