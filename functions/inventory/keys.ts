/*
 * Access patterns of the inventory's table
 *
 * | what                                     | by                                            |
 * |------------------------------------------|-----------------------------------------------|
 * | how many shards a SKU has, its latch: the header | pk = STOCK#<sku>, sk = HEADER                 |
 * | the units of one shard                   | pk = STOCK#<sku>#<n>, sk = SHARD              |
 * | SKUs whose buyers are in each other's way | pk = HEAT, sk = <sku>                          |
 * | an adjustment, with the answer it got    | pk = ADJUSTMENT#<sku>, sk = <key's SHA-256>   |
 *
 * Every shard is a partition of its own, so that K shards take K times the writes of one. Selling writes shards only;
 * the header changes when shards are added, and when the SKU is sold out or units come. Shards are never deleted: a release finds the one that was drawn from.
 */

export function headerKey(sku: string) {
  return { pk: `STOCK#${sku}`, sk: 'HEADER' };
}

/** `shard` counts from 0. */
export function shardKey(sku: string, shard: number) {
  return { pk: `STOCK#${sku}#${shard}`, sk: 'SHARD' };
}

export function adjustmentKey(sku: string, keyDigest: string) {
  return { pk: `ADJUSTMENT#${sku}`, sk: keyDigest };
}

export const heatPartition = 'HEAT';

export function heatKey(sku: string) {
  return { pk: heatPartition, sk: sku };
}
