import { chart, escaped, type Series } from './charts.ts';
import type { Check, Findings } from './ground.ts';
import type { Histogram } from './histogram.ts';
import type { Recorder, Second } from './recorder.ts';

export interface Result {
  readonly title: string;
  readonly when: string;
  /** How the run was asked for. */
  readonly command: string;
  readonly recorder: Recorder;
  readonly findings: Findings;
  readonly cache: ReadonlyMap<string, number>;
}

export const percents = [50, 90, 99, 99.9] as const;

/** Latencies by step: of all answers, and of those that were accepted. */
export function latencyRows({ steps }: Recorder): readonly (readonly (string | number)[])[] {
  return [...steps]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([step, { latency, accepted, counts }]) => {
      const row = (name: string, histogram: Histogram) => [
        name,
        histogram.count,
        ...histogram.percentiles(percents).map(inMs),
        inMs(histogram.max),
      ];
      const refused = counts.refused + counts.shed + counts.failed;
      return refused > 0 && accepted.count > 0
        ? [row(step, latency), row('— accepted', accepted)]
        : [row(step, latency)];
    });
}

export function inMs(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return '–';
  return `${milliseconds >= 100 ? Math.round(milliseconds) : milliseconds.toFixed(1)} ms`;
}

const colours = { accepted: '#2f7d5b', refused: '#d9a441', shed: '#7b8fa8', failed: '#c0392b' } as const;

/** One page that needs nothing but itself. */
export function report(result: Result): string {
  const { recorder, findings, title, when, command, cache } = result;
  const seconds = recorder.seconds;
  const failed = findings.checks.filter(({ holds }) => holds === false).length;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title><style>${style}</style><main>
<h1>${escaped(title)}</h1><p class="sub">${escaped(when)} · <code>${escaped(command)}</code></p>
<p class="verdict ${failed ? 'bad' : 'good'}">${failed ? `${failed} of ${findings.checks.length} checks do not hold` : `all ${findings.checks.length} checks hold`}</p>
<h2>Checks</h2>${table(
    ['', 'check', 'seen'],
    findings.checks.map(({ name, holds, detail }) => [mark(holds), name, detail]),
  )}
<h2>Figures</h2>${table(['figure', 'value'], Object.entries(findings.figures))}
<h2>Over time</h2>${overTime(seconds)}
<h2>Latency</h2><p class="sub">From when a request was due, not from when it was sent.</p>
${table(['request', 'answers', ...percents.map((percent) => `p${percent}`), 'max'], latencyRows(recorder))}
${percentileChart(recorder)}
<h2>Refusals</h2>${table(
    ['request · reason', 'times'],
    [...recorder.reasons].sort(([, a], [, b]) => b - a),
  )}
${cache.size > 0 ? `<h2>Edge cache</h2>${table(['x-cache', 'answers'], [...cache])}` : ''}
</main></html>`;
}

function mark(holds: Check['holds']): string {
  return holds === undefined ? '–' : holds ? '✓' : '✗';
}

function overTime(seconds: readonly Second[]): string {
  const at = (value: (second: Second) => number) =>
    seconds.map((second, index) => [index, value(second)] as const);
  const outcomes = (['accepted', 'refused', 'shed', 'failed'] as const).map(
    (name): Series => ({ name, colour: colours[name], values: at(({ counts }) => counts[name]) }),
  );
  return [
    chart(outcomes, { title: 'Answers', x: 'second', y: 'a second', stacked: true }),
    chart(
      [
        { name: 'due', colour: '#7b8fa8', values: at(({ started }) => started) },
        {
          name: 'answered',
          colour: '#2f7d5b',
          values: at(({ counts }) => Object.values(counts).reduce((sum, count) => sum + count, 0)),
        },
      ],
      { title: 'Requests due and answered', x: 'second', y: 'a second' },
    ),
    chart([{ name: 'orders accepted', colour: '#2f7d5b', values: at(({ goodput }) => goodput) }], {
      title: 'Goodput',
      x: 'second',
      y: 'orders a second',
    }),
    chart(
      [
        { name: 'p50', colour: '#2f7d5b', values: at(({ latency }) => latency.percentile(50)) },
        { name: 'p99', colour: '#c0392b', values: at(({ latency }) => latency.percentile(99)) },
      ],
      { title: 'Latency', x: 'second', y: 'milliseconds', logarithmic: true },
    ),
  ].join('\n');
}

/** How many nines down each step's latency goes. */
function percentileChart({ steps }: Recorder): string {
  const palette = ['#2f7d5b', '#c0392b', '#3c6fb0', '#d9a441', '#7d4f9e', '#5f6b73'];
  const series = [...steps]
    .filter(([, { latency }]) => latency.count > 0)
    .map(([name, { latency }], index): Series => {
      const most = Math.min(99.99, 100 - 100 / latency.count);
      const nines = Array.from(
        { length: 41 },
        (_, point) => (point / 40) * -Math.log10(1 - most / 100 || 1e-9),
      );
      const all = nines.map((value) => 100 * (1 - 10 ** -value));
      const values = latency.percentiles(all);
      return {
        name,
        colour: palette[index % palette.length]!,
        values: nines.map((nine, point) => [nine, values[point]!] as const),
      };
    });
  return chart(series, {
    title: 'Latency by percentile: 1 is p90, 2 is p99, 3 is p99.9',
    x: 'nines',
    y: 'milliseconds',
    logarithmic: true,
  });
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  if (rows.length === 0) return '<p class="sub">none</p>';
  const cells = (tag: string, row: readonly (string | number)[]) =>
    row.map((cell) => `<${tag}>${escaped(String(cell))}</${tag}>`).join('');
  return `<div class="scroll"><table><thead><tr>${cells('th', head)}</tr></thead><tbody>${rows
    .map((row) => `<tr>${cells('td', row)}</tr>`)
    .join('')}</tbody></table></div>`;
}

const style = `:root{color-scheme:light dark;--ink:#1d2b28;--soft:#64706d;--line:#d9dfdc;--paper:#fbfcfb}
@media(prefers-color-scheme:dark){:root{--ink:#e6ecea;--soft:#9aa6a3;--line:#33403c;--paper:#141a18}}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:960px;margin:0 auto;padding:32px 20px 64px}h1{font-size:26px;margin:0}h2{font-size:18px;margin:36px 0 8px}
.sub{color:var(--soft);margin:4px 0}.verdict{font-weight:600;padding:10px 14px;border-radius:8px;display:inline-block}
.good{background:#2f7d5b22;color:#2f7d5b}.bad{background:#c0392b22;color:#c0392b}.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:13.5px}th,td{text-align:left;padding:6px 10px;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:500}td:not(:first-child){font-variant-numeric:tabular-nums}
figure{margin:16px 0;border:1px solid var(--line);border-radius:8px;padding:12px}figcaption{font-weight:600}
.legend{color:var(--soft);font-size:12.5px;display:flex;flex-wrap:wrap;gap:4px 14px}.legend i{display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:5px}
svg{width:100%;height:auto}svg text{font-size:11px;fill:var(--soft)}.grid{stroke:var(--line);stroke-width:1}code{font-size:12.5px}`;
