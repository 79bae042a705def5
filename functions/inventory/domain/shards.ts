export interface Shard {
  /** Counts from 0. */
  readonly shard: number;
  readonly available: number;
  /** Grows with every write to the shard: two equal revisions, and nothing has happened between. */
  readonly rev: number;
}

/** The stock of a SKU: K shards, in the order of their numbers. */
export interface Stock {
  readonly sku: string;
  /** At or below this sum the SKU counts as low. */
  readonly lowAt: number;
  readonly shards: readonly Shard[];
}

/** When a header says nothing else. */
export const defaultLowAt = 5;

/** The units of all shards together. */
export function unitsIn(shards: readonly Pick<Shard, 'available'>[]): number {
  return shards.reduce((sum, { available }) => sum + available, 0);
}

/** What a shopper is told. */
export function availabilityOf(
  shards: readonly Pick<Shard, 'available'>[] | undefined,
  lowAt = defaultLowAt,
): 'in_stock' | 'low' | 'sold_out' {
  const units = unitsIn(shards ?? []);
  if (units === 0) return 'sold_out';
  return units <= lowAt ? 'low' : 'in_stock';
}
