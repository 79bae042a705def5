/** Line charts as SVG, without anything that could differ between two runs. */

export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Chart {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly lines: readonly Line[];
  /** Powers of ten at equal distances, on both axes. */
  readonly logarithmic?: boolean;
}

const width = 720;
const height = 420;
const inner = { left: 70, right: 20, top: 46, bottom: 86 };
/** Told apart by people who see few colours (Okabe and Ito). */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];

export function svgOf(chart: Chart): string {
  const xs = axisOf(
    chart.lines.flatMap(({ points }) => points.map(([x]) => x)),
    chart.logarithmic,
  );
  const ys = axisOf(
    chart.lines.flatMap(({ points }) => points.map(([, y]) => y)),
    chart.logarithmic,
  );
  const across = (x: number) => inner.left + xs.at(x) * (width - inner.left - inner.right);
  const up = (y: number) => height - inner.bottom - ys.at(y) * (height - inner.top - inner.bottom);
  const text = (x: number, y: number, anchor: string, words: string) =>
    `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escaped(words)}</text>`;
  const body = [
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<g font-family="sans-serif" font-size="12" fill="#222">`,
    `<text x="${inner.left}" y="24" font-size="15" font-weight="bold">${escaped(chart.title)}</text>`,
    ...xs.ticks.flatMap((tick) => [
      `<path d="M${across(tick).toFixed(1)} ${inner.top}V${height - inner.bottom}" stroke="#ddd"/>`,
      text(across(tick), height - inner.bottom + 16, 'middle', short(tick)),
    ]),
    ...ys.ticks.flatMap((tick) => [
      `<path d="M${inner.left} ${up(tick).toFixed(1)}H${width - inner.right}" stroke="#ddd"/>`,
      text(inner.left - 6, up(tick) + 4, 'end', short(tick)),
    ]),
    text((inner.left + width - inner.right) / 2, height - inner.bottom + 34, 'middle', chart.x),
    text(inner.left, inner.top - 6, 'start', chart.y),
    ...chart.lines.flatMap(({ name, points }, index) => {
      const colour = colours[index % colours.length];
      const path = points.map(([x, y]) => `${across(x).toFixed(1)} ${up(y).toFixed(1)}`).join('L');
      const x = inner.left + (index % 3) * 210;
      const y = height - 32 + 18 * Math.floor(index / 3);
      return [
        `<path d="M${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        `<path d="M${x} ${y - 4}h18" stroke="${colour}" stroke-width="3"/>`,
        text(x + 24, y, 'start', name),
      ];
    }),
    '</g>',
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(chart.title)}">\n${body.join('\n')}\n</svg>\n`;
}

/** Where a value stands, from 0 to 1, and the values at which lines are drawn. */
function axisOf(values: readonly number[], logarithmic = false) {
  if (logarithmic) {
    const low = Math.floor(Math.log10(values.reduce((least, value) => Math.min(least, value))));
    const high = Math.ceil(Math.log10(values.reduce((most, value) => Math.max(most, value))));
    const ticks = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));
    return { ticks, at: (value: number) => (Math.log10(value) - low) / Math.max(1, high - low) };
  }
  const most = values.reduce((greatest, value) => Math.max(greatest, value), 0);
  const step = stepOf(most / 5);
  const end = Math.max(step, Math.ceil(most / step) * step);
  const ticks = Array.from({ length: Math.round(end / step) + 1 }, (_, index) => index * step);
  return { ticks, at: (value: number) => value / end };
}

/** 1, 2 or 5 times a power of ten. */
function stepOf(atLeast: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(atLeast, 1e-9)));
  return power * ([1, 2, 5].find((factor) => factor * power >= atLeast) ?? 10);
}

function short(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 2 });
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
