import { mostShards } from '../contract.ts';

/** How much the buyers of a SKU are in each other's way, and what the last look at it found. */
export interface Heat {
  readonly sku: string;
  /** Lost races that were reported, since the SKU first had any. */
  readonly conflicts: number;
  /** Of those, how many the last look knew. */
  readonly judged: number;
  /** When that was; milliseconds since the epoch, 0 before the first look. */
  readonly judgedAt: number;
  /** Looks in succession that found it hot. */
  readonly streak: number;
}

/** Shorter than this between two looks and a burst would count as two. Milliseconds. */
const shortestLookMs = 1_000;
/** Lost races between two looks that make a SKU hot. Each costs about as much as an order. */
const hotFrom = 3;
/** Looks in succession that make it worth growing. */
const sustained = 2;
const growth = 4;

/** The next look at a SKU: whether it is hot, and for long enough to grow. Undefined when it is too early for one. */
export function judge(
  heat: Heat,
  now: number,
): { readonly next: Heat; readonly hot: boolean; readonly grow: boolean } | undefined {
  if (now - heat.judgedAt < shortestLookMs) return undefined;
  const hot = heat.conflicts - heat.judged >= hotFrom;
  const streak = hot ? heat.streak + 1 : 0;
  const grow = streak >= sustained;
  return { hot, grow, next: { ...heat, judged: heat.conflicts, judgedAt: now, streak: grow ? 0 : streak } };
}

/** How many shards a hot SKU is to have: four times as many, but no more than it has units, and never fewer. */
export function grownTo(shards: number, units: number): number {
  return Math.max(shards, Math.min(shards * growth, mostShards, units));
}

/**
 * Shards for so many orders a second: an order's transaction holds its shard for about 12 ms, and one in ten may meet
 * another there.
 */
export function shardsFor(ordersPerSecond: number): number {
  return Math.min(mostShards, Math.max(1, Math.ceil((ordersPerSecond * 0.012) / 0.1)));
}
