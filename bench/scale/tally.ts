import { priceOf } from '../../local/pricing.ts';

/** What came of a simulation. Times are seconds. */
export class Tally {
  /** Priced counts, by their names in bench/prices.json. */
  readonly counts = new Map<string, number>();
  /** How often each limit said no, and when it did first. */
  readonly limits = new Map<string, { first: number; times: number }>();
  readonly refusals = new Map<string, number>();
  readonly firstAnswers = new Histogram();
  readonly finalAnswers = new Histogram();
  readonly paid = new Histogram();
  /** Shoppers who came, sales and last answers, by second. */
  readonly arrivedIn: number[] = [];
  readonly soldIn: number[] = [];
  readonly answeredIn: number[] = [];
  sold = 0;
  gaveUp = 0;
  lastSale = 0;
  transactions = 0;
  conflicts = 0;

  count(price: string, by: number): void {
    this.counts.set(price, (this.counts.get(price) ?? 0) + by);
  }

  countAll(bill: Readonly<Record<string, number>>): void {
    for (const price in bill) this.count(price, bill[price]!);
  }

  meets(limit: string, now: number): void {
    const known = this.limits.get(limit);
    if (known) known.times++;
    else this.limits.set(limit, { first: now, times: 1 });
  }

  refuse(reason: string): void {
    this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1);
  }

  arrive(now: number): void {
    const second = Math.floor(now);
    this.arrivedIn[second] = (this.arrivedIn[second] ?? 0) + 1;
  }

  sell(now: number): void {
    this.sold++;
    this.lastSale = Math.max(this.lastSale, now);
    const second = Math.floor(now);
    this.soldIn[second] = (this.soldIn[second] ?? 0) + 1;
  }

  /** @param seconds since the shopper came */
  answer(now: number, seconds: number): void {
    this.finalAnswers.add(seconds);
    const second = Math.floor(now);
    this.answeredIn[second] = (this.answeredIn[second] ?? 0) + 1;
  }

  /** The second in which most was sold. */
  get peak(): number {
    return this.soldIn.reduce((most, sold = 0) => Math.max(most, sold), 0);
  }

  /** Seconds until as many were sold; NaN when they never were. */
  secondsUntil(units: number): number {
    let sold = 0;
    for (let second = 0; second < this.soldIn.length; second++) {
      sold += this.soldIn[second] ?? 0;
      if (sold >= units) return second + 1;
    }
    return Number.NaN;
  }

  /** Sold a second, from the first sale until as many were sold. */
  rateUntil(units: number): number {
    const first = this.soldIn.findIndex((sold) => sold > 0);
    return units / Math.max(1, this.secondsUntil(units) - first);
  }

  /** US dollars of CloudFront and WAF. */
  get edgeUsd(): number {
    const edge = ['cloudfront.requests', 'cloudfront.bytes', 'waf.requests'];
    return edge.reduce((sum, price) => sum + priceOf(price, this.counts.get(price) ?? 0), 0);
  }

  /** US dollars, without e-mail and waiting for the provider. */
  get usd(): number {
    return [...this.counts].reduce((sum, [price, count]) => sum + priceOf(price, count), 0);
  }

  /** The limit that was met first, and the one that said no most often. */
  get firstLimit(): string | undefined {
    return [...this.limits].sort(([, a], [, b]) => a.first - b.first)[0]?.[0];
  }

  get mainLimit(): string | undefined {
    return [...this.limits].sort(([, a], [, b]) => b.times - a.times)[0]?.[0];
  }
}

const perDecade = 200;
const least = 1e-3;

/** Counts of durations in steps of about one percent; a millisecond and less is one step. */
export class Histogram {
  readonly #steps = new Float64Array(8 * perDecade);
  #count = 0;

  add(seconds: number): void {
    const step = Math.max(0, Math.floor(Math.log10(Math.max(seconds, least) / least) * perDecade));
    this.#steps[Math.min(step, this.#steps.length - 1)]!++;
    this.#count++;
  }

  get count(): number {
    return this.#count;
  }

  /** @param part from 0 to 1 @returns seconds; NaN when there is nothing */
  quantile(part: number): number {
    let left = part * this.#count;
    if (this.#count === 0) return Number.NaN;
    for (let step = 0; step < this.#steps.length; step++) {
      left -= this.#steps[step]!;
      if (left <= 0) return least * 10 ** ((step + 0.5) / perDecade);
    }
    return Number.POSITIVE_INFINITY;
  }
}
