/** Buckets grow by this factor: a percentile is at most so much above the value it stands for. */
const growth = 1.01;
const logGrowth = Math.log(growth);
/** Milliseconds: what is faster counts as this. */
const least = 0.01;

/** Durations in milliseconds, counted in buckets that are 1 % wide. */
export class Histogram {
  readonly #buckets = new Map<number, number>();
  #count = 0;
  #sum = 0;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  /** NaN when there are none. */
  get mean(): number {
    return this.#sum / this.#count;
  }

  get max(): number {
    return this.#max;
  }

  add(milliseconds: number): void {
    const bucket = Math.ceil(Math.log(Math.max(milliseconds, least) / least) / logGrowth);
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
    this.#count++;
    this.#sum += milliseconds;
    this.#max = Math.max(this.#max, milliseconds);
  }

  /** The duration that `percent` of all do not exceed (nearest rank); NaN when there are none. */
  percentile(percent: number): number {
    return this.percentiles([percent])[0]!;
  }

  /** @param percents ascending */
  percentiles(percents: readonly number[]): number[] {
    if (this.#count === 0) return percents.map(() => Number.NaN);
    const sorted = [...this.#buckets].sort(([a], [b]) => a - b);
    let [seen, index] = [0, -1];
    return percents.map((percent) => {
      const wanted = Math.max(1, Math.ceil((percent / 100) * this.#count));
      while (seen < wanted) seen += sorted[++index]![1];
      return Math.min(least * growth ** sorted[index]![0], this.#max);
    });
  }

  /** Counts those of another as well. */
  merge(other: Histogram): this {
    for (const [bucket, count] of other.#buckets) {
      this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + count);
    }
    this.#count += other.#count;
    this.#sum += other.#sum;
    this.#max = Math.max(this.#max, other.#max);
    return this;
  }
}
