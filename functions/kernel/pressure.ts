import type { Priority } from './contract.ts';

/*
 * How much is refused when there is not enough for all. A level of 0 refuses nothing; up to 1 a growing share of
 * browsing; up to 2 all of it and a growing share of carts; up to 3 all of both and a growing share of orders.
 */

/** Everything but paying and operating. */
export const highestLevel = 3;

/** The level above which a class begins to be refused; it is refused altogether one level later. */
const refusedAbove: Readonly<Partial<Record<Priority, number>>> = { browse: 0, cart: 1, order: 2 };

/** Whether requests of this class are ever refused for want of capacity. */
export function canBeShed(priority: Priority): boolean {
  return refusedAbove[priority] !== undefined;
}

/** The share of a class's requests, from 0 to 1, that a level refuses. */
export function shareRefused(priority: Priority, level: number): number {
  const above = refusedAbove[priority];
  return above === undefined ? 0 : Math.min(1, Math.max(0, level - above));
}

/** What the table `limits` says of the store as a whole. Times are milliseconds since the epoch. */
export interface Pressure {
  readonly measured?: { readonly level: number; readonly at: number };
  /** By an operator; it counts in place of what was measured until it ends. */
  readonly ordered?: { readonly level: number; readonly until: number };
  /** By an operator: every quota times this. */
  readonly quotas?: { readonly factor: number; readonly until: number };
  /** How many endings of sessions there have been, and the time of the last: who knows of it need not ask. */
  readonly endings?: { readonly count: number; readonly at: number };
}

/** Milliseconds after which nobody knows whether what was measured is still so: the measuring itself may be down. */
const measuredHolds = 180_000;

export function levelAt({ measured, ordered }: Pressure, now: number): number {
  if (ordered && now < ordered.until) return ordered.level;
  return measured && now - measured.at < measuredHolds ? measured.level : 0;
}

export function quotaFactorAt({ quotas }: Pressure, now: number): number {
  return quotas && now < quotas.until ? quotas.factor : 1;
}

/** What became of a request: AWS had the capacity, it had not, or it was not even tried. */
export type Outcome = 'served' | 'lacking' | 'shed';

/** How much more than what is served a class may ask for before it holds back; the less it matters, the less. */
const patience: Readonly<Partial<Record<Priority, number>>> = { browse: 1.25, cart: 1.5, order: 2 };

/** Milliseconds that an environment remembers, in two halves. */
const remembered = 60_000;

/**
 * What an environment sees by itself, long before a metric does: requests that ended because AWS had no capacity
 * (throttles, time-outs). The rule is the adaptive throttling of "Site Reliability Engineering", chapter 21: of n
 * requests of which s were served, the next is refused with the probability (n − K × s) / (n + 1), where K is smaller
 * for what matters less. Those refused count among the n, so that a trickle keeps trying.
 */
export class OwnPressure {
  #half = 0;
  #now = { asked: 0, served: 0 };
  #before = { asked: 0, served: 0 };

  record(outcome: Outcome, now: number): void {
    this.#turn(now);
    this.#now.asked++;
    if (outcome === 'served') this.#now.served++;
  }

  /** The share of a class's requests, from 0 to 1, that is refused. */
  shareRefused(priority: Priority, now: number): number {
    this.#turn(now);
    const factor = patience[priority];
    if (factor === undefined) return 0;
    const asked = this.#now.asked + this.#before.asked;
    const served = this.#now.served + this.#before.served;
    return Math.max(0, (asked - factor * served) / (asked + 1));
  }

  #turn(now: number): void {
    const half = Math.floor(now / (remembered / 2));
    if (half === this.#half) return;
    this.#before = half === this.#half + 1 ? this.#now : { asked: 0, served: 0 };
    this.#now = { asked: 0, served: 0 };
    this.#half = half;
  }
}
