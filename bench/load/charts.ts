/** A line or an area over the seconds of a run. */
export interface Series {
  readonly name: string;
  readonly colour: string;
  readonly values: readonly (readonly [x: number, y: number])[];
}

export interface ChartOptions {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  /** One on the other, filled; otherwise lines. */
  readonly stacked?: boolean;
  /** The y axis grows by powers of ten. */
  readonly logarithmic?: boolean;
}

const width = 720;
const height = 260;
const margin = { left: 64, right: 16, top: 12, bottom: 40 };
const plot = { width: width - margin.left - margin.right, height: height - margin.top - margin.bottom };

/** A chart as SVG that needs nothing but itself. */
export function chart(series: readonly Series[], options: ChartOptions): string {
  const { stacked = false, logarithmic = false } = options;
  const points = series.map(({ values }) => values.filter(([, y]) => Number.isFinite(y)));
  const layers = stacked ? stack(points) : points.map((values) => values.map(([x, y]) => [x, 0, y] as const));
  const all = layers.flat();
  const xMost = Math.max(1, ...all.map(([x]) => x));
  const yMost = ceiling(Math.max(...all.map(([, , y]) => y), 1e-9), logarithmic);
  const yLeast = logarithmic ? floorOfTen(Math.min(...all.map(([, , y]) => y).filter((y) => y > 0), 1)) : 0;
  const x = (value: number) => margin.left + (value / xMost) * plot.width;
  const y = (value: number) => {
    const part = logarithmic
      ? Math.log10(Math.max(value, yLeast) / yLeast) / Math.log10(yMost / yLeast)
      : value / yMost;
    return margin.top + (1 - part) * plot.height;
  };
  const shapes = layers.map((layer, index) => {
    const { colour } = series[index]!;
    const top = layer.map(([at, , value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`);
    if (!stacked)
      return `<polyline points="${top.join(' ')}" fill="none" stroke="${colour}" stroke-width="1.8"/>`;
    const base = layer.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).reverse();
    return `<polygon points="${[...top, ...base].join(' ')}" fill="${colour}" fill-opacity="0.85"/>`;
  });
  const yTicks = logarithmic ? powersOfTen(yLeast, yMost) : quarters(yMost);
  const grid = yTicks.map(
    (value) =>
      `<line x1="${margin.left}" x2="${width - margin.right}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}" class="grid"/>` +
      `<text x="${margin.left - 8}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${shown(value)}</text>`,
  );
  const xTicks = quarters(xMost).map(
    (value) =>
      `<text x="${x(value).toFixed(1)}" y="${height - margin.bottom + 18}" text-anchor="middle">${shown(value)}</text>`,
  );
  const legend = series
    .map(({ name, colour }) => `<span><i style="background:${colour}"></i>${escaped(name)}</span>`)
    .join('');
  return `<figure><figcaption>${escaped(options.title)}</figcaption><div class="legend">${legend}</div>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(options.title)}">${grid.join('')}${shapes.join('')}${xTicks.join('')}
<text x="${margin.left + plot.width / 2}" y="${height - 4}" text-anchor="middle">${escaped(options.x)}</text>
<text transform="translate(14 ${margin.top + plot.height / 2}) rotate(-90)" text-anchor="middle">${escaped(options.y)}</text></svg></figure>`;
}

function stack(all: readonly (readonly (readonly [number, number])[])[]) {
  const base = new Map<number, number>();
  return all.map((values) =>
    values.map(([x, y]) => {
      const below = base.get(x) ?? 0;
      base.set(x, below + y);
      return [x, below, below + y] as const;
    }),
  );
}

/** The next round number: 1, 2, 2.5 or 5 times a power of ten. */
function ceiling(value: number, logarithmic: boolean): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const steps = logarithmic ? [1, 10] : [1, 2, 2.5, 5, 10];
  return power * steps.find((step) => power * step >= value - 1e-12)!;
}

function floorOfTen(value: number): number {
  return 10 ** Math.floor(Math.log10(value));
}

function powersOfTen(least: number, most: number): number[] {
  const ticks: number[] = [];
  for (let value = least; value <= most * 1.0001; value *= 10) ticks.push(value);
  return ticks;
}

function quarters(most: number): number[] {
  return [0, 0.25, 0.5, 0.75, 1].map((part) => part * most);
}

function shown(value: number): string {
  return value >= 1_000 ? `${Number((value / 1_000).toPrecision(3))}k` : String(Number(value.toPrecision(3)));
}

export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
