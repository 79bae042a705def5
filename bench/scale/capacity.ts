import { type DesignOptions, simulateDesign } from './design.ts';
import { simulateNaive } from './naive.ts';
import type { Quotas } from './quotas.ts';
import type { Tally } from './tally.ts';
import type { Assumption, Scenario } from './world.ts';

/** What one SKU sells when as many as ever want it and it never runs out. */
export interface Point {
  /** Shoppers a second, each of whom wants one unit. */
  readonly offered: number;
  /** Who came and what was sold, a second, once the buckets that were full at the beginning are empty. */
  readonly came: number;
  readonly sold: number;
  /** Tries of the transaction for one sale. */
  readonly tries: number;
  readonly tally: Tally;
}

/** Seconds that are simulated; the first half is left out. */
const seconds = 20;
const naiveSeconds = 60;

type What = Omit<DesignOptions, 'pace'> & { readonly assume?: Partial<Record<Assumption, number>> };

/** At a rate that goes on, with the way through the waiting room but no wait in it. */
export function designAt(offered: number, quotas: Quotas, { assume, ...options }: What): Point {
  return pointOf(offered, seconds, simulateDesign(endless(offered, seconds, assume), quotas, options));
}

export function naiveAt(offered: number, quotas: Quotas): Point {
  return pointOf(offered, naiveSeconds, simulateNaive(endless(offered, naiveSeconds), quotas));
}

/** At least this part of those who come must be sold to, for a rate to count as carried. */
const carried = 0.97;

/** The highest rate that is carried, to two percent. */
export function bestRate(at: (offered: number) => Point, from = 50): Point {
  let low: Point | undefined;
  let high = from;
  for (;;) {
    const point = at(high);
    if (point.sold < carried * point.came) break;
    low = point;
    high *= 1.6;
  }
  if (!low) return at(from);
  while (high / low.offered > 1.02) {
    const point = at(Math.sqrt(high * low.offered));
    if (point.sold >= carried * point.came) low = point;
    else high = point.offered;
  }
  return low;
}

/** Which limit stops more than `best`: the one that says no most often a tenth above it. */
export function limitAbove(best: Point, at: (offered: number) => Point): string {
  return at(best.offered * 1.1).tally.mainLimit ?? 'none';
}

function endless(offered: number, span: number, assume?: What['assume']): Scenario {
  return {
    shoppers: Math.ceil(offered * span),
    units: Number.POSITIVE_INFINITY,
    arrivalSeconds: span,
    seed: 1,
    endsAt: span,
    ...(assume && { assume }),
  };
}

function pointOf(offered: number, span: number, tally: Tally): Point {
  const inHalf = (bySecond: readonly number[]) => {
    let sum = 0;
    for (let second = span / 2; second < span; second++) sum += bySecond[second] ?? 0;
    return sum / (span / 2);
  };
  return {
    offered,
    came: inHalf(tally.arrivedIn),
    sold: inHalf(tally.soldIn),
    tries: tally.sold > 0 ? tally.transactions / tally.sold : Number.NaN,
    tally,
  };
}
