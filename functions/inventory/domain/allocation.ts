/** Units taken from one shard of a SKU. */
export interface Draw {
  readonly sku: string;
  /** Counts from 0. */
  readonly shard: number;
  readonly quantity: number;
}

/** What is known of a shard; without `available` it may hold anything. */
export interface ShardHint {
  readonly shard: number;
  readonly available?: number;
}

/**
 * Units of a shard from which on it does not matter how many there are. To prefer the fullest of a hint that is a moment old
 * would lead everybody to the same few.
 */
export const plenty = 20;

/**
 * Draws for `quantity` units (at least 1): the fuller of two random shards that can serve all of them, or else the
 * fullest ones together. Two choices keep the shards level (Mitzenmacher, "The power of two choices in randomized load
 * balancing"): they run dry together, so that the last units lie in many places, and a hint that is a moment old seldom
 * leads to an empty one. Where there is plenty either of the two will do. A shard of unknown content counts as one that can. Undefined when the shards are known to hold too few.
 * @param random a number from 0 up to, not including, 1
 */
export function allocate(
  demand: { readonly sku: string; readonly quantity: number },
  shards: readonly ShardHint[],
  random: () => number,
): Draw[] | undefined {
  const { sku, quantity } = demand;
  const able = shards.filter(({ available }) => available === undefined || available >= quantity);
  const [one, other] = [random(), random()].map((part) => able[Math.floor(part * able.length)]);
  if (one && other) {
    const full = ({ available = quantity }: ShardHint) => Math.min(available, plenty * quantity);
    const chosen = full(other) > full(one) ? other : one;
    return [{ sku, shard: chosen.shard, quantity }];
  }

  // Every shard is known here. The fullest first: the fewest actions in the transaction.
  const fullest = shards
    .map(({ shard, available = 0 }) => ({ shard, available }))
    .sort((a, b) => b.available - a.available);
  const draws: Draw[] = [];
  let missing = quantity;
  for (const { shard, available } of fullest) {
    const taken = Math.min(available, missing);
    if (taken <= 0) break;
    draws.push({ sku, shard, quantity: taken });
    missing -= taken;
  }
  return missing === 0 ? draws : undefined;
}
