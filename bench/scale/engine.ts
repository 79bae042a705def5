/** The seconds and events of a discrete-event simulation. Nothing here knows what is simulated. */
import { randomOf } from '../../local/random.ts';

/** Random numbers that are the same for the same seed (mulberry32). */
export class Random {
  /** From 0 to below 1. */
  readonly next: () => number;

  constructor(seed: number) {
    this.next = randomOf(seed);
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  /** Exponentially distributed. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }
}

/**
 * What is to happen, earliest first; what is due at the same moment comes in the order in which it was put in. A heap of
 * four children a node on typed arrays: a million entries cost no garbage.
 */
export class EventHeap {
  #due: Float64Array;
  #order: Float64Array;
  #kinds: Uint8Array;
  #subjects: Int32Array;
  #size = 0;
  #put = 0;
  /** Of the entry that `take` took last. */
  time = 0;
  kind = 0;
  subject = 0;

  constructor(capacity = 1024) {
    this.#due = new Float64Array(capacity);
    this.#order = new Float64Array(capacity);
    this.#kinds = new Uint8Array(capacity);
    this.#subjects = new Int32Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** @param time seconds @param kind 0–255 @param subject whom it concerns */
  put(time: number, kind: number, subject: number): void {
    if (this.#size === this.#due.length) this.#grow();
    let at = this.#size++;
    const order = this.#put++;
    while (at > 0) {
      const parent = (at - 1) >> 2;
      // The newest of equals stays behind, so only an earlier time moves up.
      if (this.#due[parent]! <= time) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#set(at, time, order, kind, subject);
  }

  /** Takes the earliest into `time`, `kind` and `subject`; false when there is none. */
  take(): boolean {
    if (this.#size === 0) return false;
    this.time = this.#due[0]!;
    this.kind = this.#kinds[0]!;
    this.subject = this.#subjects[0]!;
    const last = --this.#size;
    const time = this.#due[last]!;
    const order = this.#order[last]!;
    const kind = this.#kinds[last]!;
    const subject = this.#subjects[last]!;
    let at = 0;
    for (;;) {
      let best = -1;
      const end = Math.min(4 * at + 4, last - 1);
      for (let child = 4 * at + 1; child <= end; child++) {
        if (best < 0 || this.#before(child, this.#due[best]!, this.#order[best]!)) best = child;
      }
      if (best < 0 || !this.#before(best, time, order)) break;
      this.#move(best, at);
      at = best;
    }
    this.#set(at, time, order, kind, subject);
    return true;
  }

  #before(at: number, time: number, order: number): boolean {
    const due = this.#due[at]!;
    return due < time || (due === time && this.#order[at]! < order);
  }

  #move(from: number, to: number): void {
    this.#set(to, this.#due[from]!, this.#order[from]!, this.#kinds[from]!, this.#subjects[from]!);
  }

  #set(at: number, time: number, order: number, kind: number, subject: number): void {
    this.#due[at] = time;
    this.#order[at] = order;
    this.#kinds[at] = kind;
    this.#subjects[at] = subject;
  }

  #grow(): void {
    const length = 2 * this.#due.length;
    const due = new Float64Array(length);
    const order = new Float64Array(length);
    const kinds = new Uint8Array(length);
    const subjects = new Int32Array(length);
    due.set(this.#due);
    order.set(this.#order);
    kinds.set(this.#kinds);
    subjects.set(this.#subjects);
    this.#due = due;
    this.#order = order;
    this.#kinds = kinds;
    this.#subjects = subjects;
  }
}
