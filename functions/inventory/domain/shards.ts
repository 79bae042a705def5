export interface Shard {
  /** Counts from 0. */
  readonly shard: number;
  readonly available: number;
  /** Grows with every write to the shard: two equal revisions, and nothing has happened between. */
  readonly rev: number;
  /** Where the units came from and went to; absent on a shard that was not opened but came to be by a release. */
  readonly counts?: Counts;
}

/** Units since the shard was opened: `available = entered + moved - drawn + released`, at every moment. */
export interface Counts {
  /** By operators: opened, set or adjusted, less what they took away. */
  readonly entered: number;
  /** From other shards of the SKU, less what went to them: over all shards it is zero. */
  readonly moved: number;
  /** By orders, and given back by them. Both only grow. */
  readonly drawn: number;
  readonly released: number;
}

/** The stock of a SKU: K shards, in the order of their numbers. */
export interface Stock {
  readonly sku: string;
  /** At or below this sum the SKU counts as low. */
  readonly lowAt: number;
  readonly shards: readonly Shard[];
  /** The latch: closed only while there is no unit in any shard. */
  readonly soldOut: boolean;
  /** Grows with everything that adds units. */
  readonly opened: number;
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

/** Units that a shard has more (negative: fewer) than its counts say; 0 when they agree or it keeps none. */
export function unexplained({ available, counts }: Pick<Shard, 'available' | 'counts'>): number {
  if (!counts) return 0;
  const { entered, moved, drawn, released } = counts;
  return available - (entered + moved - drawn + released);
}
