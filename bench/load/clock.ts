/**
 * The clock of the load: its milliseconds are as long as those of the store's clock, which a machine that cannot keep up
 * with a crowd may let run slower than its own.
 */
export class LoadClock {
  readonly #pace: number;

  /** @param pace milliseconds of this clock in one of real time */
  constructor(pace = 1) {
    this.#pace = pace;
  }

  /** Milliseconds since some moment. */
  readonly now = (): number => performance.now() * this.#pace;

  /** Waits until a moment of this clock. */
  until(moment: number): Promise<void> {
    const left = moment - this.now();
    return left <= 0 ? Promise.resolve() : new Promise((done) => setTimeout(done, left / this.#pace));
  }
}
