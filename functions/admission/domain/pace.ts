/** How fast to admit so that the payment provider keeps up. Rates a second, times in milliseconds since the epoch. */
export interface Pace {
  readonly perSecond: number;
  /** Until the first sign of a jam the pace grows by factors, as TCP does in slow start (RFC 5681 §3.1). */
  readonly starting: boolean;
  /** When it was last halved. */
  readonly halvedAt: number;
  /** Payments that the provider was measured to take a second, smoothed. */
  readonly taken: number;
  /** Payments that waited or were under way when it was last measured. */
  readonly backlog: number;
  readonly measuredAt: number;
}

export interface Measured {
  /** Payments that wait for the provider. */
  readonly waiting: number;
  /** Payments under way. */
  readonly inFlight: number;
  /** Orders of the drop since the last measurement. */
  readonly orders: number;
  /** Whether nothing but the pace held admissions back: without that it says nothing, and must not grow. */
  readonly paced: boolean;
}

/** Even a provider that takes nothing is tried now and then. */
const slowest = 0.2;
const fastest = 10_000;

/** A queue longer than the provider takes in so many seconds is a jam. */
const jamSeconds = 10;

/** Halving shows in the queue only when those who were admitted before have paid. */
const settleMs = 5_000;

/** @param perSecond what the operator holds safe: the fallback rate */
export function firstPace(perSecond: number, now: number): Pace {
  return { perSecond, starting: true, halvedAt: 0, taken: perSecond, backlog: 0, measuredAt: now };
}

/**
 * Additive increase, multiplicative decrease (Chiu and Jain, 1989), by the length of the queue before the provider:
 * up while it is short, down by half when it holds more than the provider takes in ten seconds, else as it is.
 * @param safe the fallback rate; steps are a tenth of it
 */
export function nextPace(before: Pace, measured: Measured, safe: number, now: number): Pace {
  const seconds = (now - before.measuredAt) / 1_000;
  if (seconds <= 0) return before;
  const backlog = measured.waiting + measured.inFlight;
  const taken = takenBy(before, backlog, measured.orders, seconds);
  const jam = jamSeconds * Math.max(slowest, taken);
  const known = { ...before, taken, backlog, measuredAt: now };
  if (measured.waiting > jam) {
    if (now - before.halvedAt < settleMs) return { ...known, starting: false };
    return {
      ...known,
      perSecond: Math.max(slowest, before.perSecond / 2),
      starting: false,
      halvedAt: now,
    };
  }
  if (!measured.paced || measured.waiting > jam / 2) return known;
  const step = Math.min(2, seconds);
  const perSecond = before.starting
    ? before.perSecond * 1.5 ** step
    : before.perSecond + Math.max(0.5, safe / 10) * step;
  return { ...known, perSecond: Math.min(fastest, perSecond) };
}

/** A queue that is empty says only that the provider takes at least what comes. */
function takenBy(before: Pace, backlog: number, orders: number, seconds: number): number {
  const now = Math.max(0, orders + before.backlog - backlog) / seconds;
  if (backlog === 0) return Math.max(before.taken, now);
  const weight = 1 - 0.8 ** seconds;
  return before.taken + (now - before.taken) * weight;
}
