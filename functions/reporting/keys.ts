/**
 * The reporting table: the operators' list of orders. All of it can be rebuilt from the order's events.
 *
 * | access pattern | key |
 * |---|---|
 * | the row of an order | pk = ORDER#<orderId>, sk = ROW |
 * | orders by the time they were placed, newest first | index by-placed: the 16 partitions placedKey = PLACED#<0..15>, placing descending |
 *
 * The index attributes come with the order's first event and never change: later events do not write to the index.
 * No day is part of its key, since a range with quiet days would then cost 16 queries for each of them.
 */
import { bucketOf } from '../kernel/ids.ts';

const buckets = 16;

export const byPlaced = 'by-placed';

export function rowKey(orderId: string): { pk: string; sk: string } {
  return { pk: `${rowPrefix}${orderId}`, sk: 'ROW' };
}

const rowPrefix = 'ORDER#';

/** The attribute of a row that holds the fact of the order's event of this number. */
export function factName(seq: number): string {
  return `fact${seq}`;
}

export function orderIdOf(partition: string): string {
  return partition.slice(rowPrefix.length);
}

/** The index attributes of a row. Instants sort as text. */
export function indexKeys(placed: { orderId: string; at: string }) {
  return {
    placedKey: partition(bucketOf(placed.orderId, buckets)),
    placing: `${placed.at}#${placed.orderId}`,
  };
}

/** The order of a place in the list. */
export function orderIdAt(placing: string): string {
  return placing.slice(placing.indexOf('#') + 1);
}

/** Every partition of the index. */
export function placedPartitions(): string[] {
  return Array.from({ length: buckets }, (_, bucket) => partition(bucket));
}

function partition(bucket: number): string {
  return `PLACED#${bucket}`;
}
