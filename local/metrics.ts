import type { Clock, Metrics } from './types.ts';

/** What was reported of a metric in one minute. */
interface Minute {
  sum: number;
  count: number;
  maximum: number;
}

export type Statistic = 'Sum' | 'Maximum' | 'Average' | 'SampleCount';

/** Minutes that are kept; pressure is a matter of the last few. */
const kept = 15;

/**
 * Metrics as CloudWatch keeps them, minute by minute, in memory: those of the services that report here, and those
 * that functions print in CloudWatch's embedded metric format.
 */
export class MinuteMetrics implements Metrics {
  readonly #clock: Clock;
  readonly #series = new Map<string, Map<number, Minute>>();
  #movedAt: number;
  readonly #movedUnderWay: () => void;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#movedAt = Number.NEGATIVE_INFINITY;
    this.#movedUnderWay = clock.onAdvance(() => {
      this.#movedAt = clock.now();
    });
  }

  add(namespace: string, name: string, dimensions: Readonly<Record<string, string>>, value = 1): void {
    const key = keyOf(namespace, name, dimensions);
    const series = this.#series.get(key) ?? new Map<number, Minute>();
    this.#series.set(key, series);
    const now = minuteOf(this.#clock.now());
    const minute = series.get(now) ?? { sum: 0, count: 0, maximum: Number.NEGATIVE_INFINITY };
    series.set(now, {
      sum: minute.sum + value,
      count: minute.count + 1,
      maximum: Math.max(minute.maximum, value),
    });
    for (const old of series.keys()) if (old < now - kept) series.delete(old);
  }

  addPrinted(text: string): void {
    for (const line of text.split('\n')) {
      if (!line.includes('"_aws"')) continue;
      const printed = parsed(line);
      for (const { Namespace, Dimensions, Metrics } of printed?._aws?.CloudWatchMetrics ?? []) {
        const names: string[] = Dimensions?.[0] ?? [];
        const dimensions = Object.fromEntries(names.map((name) => [name, String(printed[name])]));
        for (const { Name } of Metrics) {
          for (const value of [printed[Name]].flat()) {
            const ages = /(Seconds|Age)$/.test(Name);
            this.add(Namespace, Name, dimensions, ages ? this.age(Number(value)) : Number(value));
          }
        }
      }
    }
  }

  age(seconds: number): number {
    return Math.min(seconds, (this.#clock.now() - this.#movedAt) / 1_000);
  }

  /** Values from `from` to before `to` (milliseconds), the newest first, each with the start of its minute. */
  read(
    metric: { namespace: string; name: string; dimensions: Readonly<Record<string, string>> },
    statistic: Statistic,
    from: number,
    to: number,
  ): readonly { readonly at: number; readonly value: number }[] {
    const series = this.#series.get(keyOf(metric.namespace, metric.name, metric.dimensions));
    return [...(series ?? [])]
      .map(([minute, counted]) => ({ at: minute * 60_000, value: statisticOf(counted, statistic) }))
      .filter(({ at }) => at >= from && at < to)
      .sort((a, b) => b.at - a.at);
  }

  stop(): void {
    this.#movedUnderWay();
  }
}

function statisticOf({ sum, count, maximum }: Minute, statistic: Statistic): number {
  if (statistic === 'Sum') return sum;
  if (statistic === 'SampleCount') return count;
  return statistic === 'Maximum' ? maximum : sum / count;
}

function keyOf(namespace: string, name: string, dimensions: Readonly<Record<string, string>>): string {
  return JSON.stringify([namespace, name, Object.entries(dimensions).sort()]);
}

function minuteOf(milliseconds: number): number {
  return Math.floor(milliseconds / 60_000);
}

function parsed(line: string): any {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
