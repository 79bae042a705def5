import type { Clock } from './types.ts';

/** Bytes: which of two readings counts; then base and pace of each. */
const size = 8 + 2 * 2 * 8;

/** The embedded cloud's clock in memory that its functions' threads share: a move reaches all of them at once. */
export class SharedClock {
  readonly memory: SharedArrayBuffer;
  readonly #current: Int32Array;
  readonly #readings: Float64Array;

  /** @param memory of another thread's, or new */
  constructor(memory = new SharedArrayBuffer(size)) {
    this.memory = memory;
    this.#current = new Int32Array(memory, 0, 1);
    this.#readings = new Float64Array(memory, 8);
  }

  /** The reading that does not count is written, and counts then: nobody sees half of it. */
  set({ base, pace }: Pick<Clock, 'base' | 'pace'>): void {
    const next = 1 - Atomics.load(this.#current, 0);
    this.#readings.set([base, pace], 2 * next);
    Atomics.store(this.#current, 0, next);
  }

  /** @param real milliseconds since the epoch */
  at(real: number): number {
    const current = 2 * Atomics.load(this.#current, 0);
    return Math.floor(this.#readings[current]! + real * this.#readings[current + 1]!);
  }

  get pace(): number {
    return this.#readings[2 * Atomics.load(this.#current, 0) + 1]!;
  }
}
