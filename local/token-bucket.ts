/** Holds up to `burst` tokens and gains `rate` of them a second. */
export class TokenBucket {
  readonly #rate: number;
  readonly #burst: number;
  readonly #now: () => number;
  #tokens: number;
  #filled: number;

  /** @param now milliseconds that only ever grow */
  constructor(rate: number, burst: number, now: () => number = () => performance.now()) {
    this.#rate = rate;
    this.#burst = burst;
    this.#now = now;
    this.#tokens = burst;
    this.#filled = now();
  }

  /** Takes that many tokens; false, and none taken, when there are not enough. */
  take(count = 1): boolean {
    if (!this.has(count)) return false;
    this.spend(count);
    return true;
  }

  /** Whether so many may be taken. What is more than the bucket ever holds may be taken when it is full. */
  has(count: number): boolean {
    const now = this.#now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filled) / 1000) * this.#rate);
    this.#filled = now;
    return this.#tokens >= Math.min(count, this.#burst);
  }

  /** Takes them in any case: the bucket may owe some afterwards. Fewer than 0 are given back. */
  spend(count: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens - count);
  }
}
