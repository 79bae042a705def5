/**
 * The order table.
 *
 * | access pattern | key |
 * |---|---|
 * | all events of an order, in order | pk = ORDER#<orderId>, sk begins with EVENT# |
 * | event 1 (idempotency) | pk = ORDER#<orderId>, sk = EVENT#000001 |
 * | a customer's orders, newest first | index by-customer: customerKey = CUSTOMER#<sub>, placedKey descending |
 * | orders whose reservation ends by a time | index by-due: dueKey = DUE#<0..63>, dueAt up to the time |
 * | how far the sweep of a bucket has come | pk = SWEEP#<bucket>, sk = WATERMARK |
 *
 * Only event 1 is in the indexes. The events are an order's only stored state.
 */
import { bucketOf } from '../kernel/ids.ts';

export const dueBuckets = 64;

export const byCustomer = 'by-customer';
export const byDue = 'by-due';

export function eventKey(orderId: string, seq: number): { pk: string; sk: string } {
  return { pk: orderPartition(orderId), sk: `${eventPrefix}${String(seq).padStart(6, '0')}` };
}

export const eventPrefix = 'EVENT#';

export function orderPartition(orderId: string): string {
  return `ORDER#${orderId}`;
}

export function orderIdOf(partition: string): string {
  return partition.slice('ORDER#'.length);
}

export function customerPartition(customerId: string): string {
  return `CUSTOMER#${customerId}`;
}

export function duePartition(bucket: number): string {
  return `DUE#${bucket}`;
}

/** The index attributes of event 1. Instants sort as text. */
export function indexKeys(placed: {
  orderId: string;
  customerId: string;
  at: string;
  reservedUntil: string;
}) {
  return {
    customerKey: customerPartition(placed.customerId),
    placedKey: `${placed.at}#${placed.orderId}`,
    dueKey: duePartition(bucketOf(placed.orderId, dueBuckets)),
    dueAt: `${placed.reservedUntil}#${placed.orderId}`,
  };
}

export function watermarkKey(bucket: number): { pk: string; sk: string } {
  return { pk: `SWEEP#${bucket}`, sk: 'WATERMARK' };
}
