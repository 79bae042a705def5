/**
 * The order table.
 *
 * | access pattern | key |
 * |---|---|
 * | all events of an order, in order | pk = ORDER#<orderId>, sk begins with EVENT# |
 * | event 1 (idempotency) | pk = ORDER#<orderId>, sk = EVENT#000001 |
 * | a customer's orders, newest first | index by-customer: customerKey = CUSTOMER#<sub>, placedKey descending |
 * | orders to be looked at by a time: the reservation ends, a refund or the shopper may be late, the audit looks at its end | index by-due: dueKey = DUE#<0..63>, dueAt up to the time |
 * | how far the sweep has come, an attribute a bucket | pk = SWEEP, sk = WATERMARK |
 * | orders that wait for the payment provider | pk = OUTSTANDING#<bucket>, sk = <orderId> |
 * | how far the audit has come, an attribute a bucket | pk = AUDIT, sk = WATERMARK |
 * | orders that the audit must look at again | pk = AUDIT#<bucket>, sk begins with ORDER# |
 * | up to where the addresses of a bucket's orders are forgotten | pk = FORGOTTEN#<bucket>, sk = WATERMARK |
 * | shards that the last comparison of stock and orders found wrong | pk = STOCK-DRIFT, sk = LAST |
 *
 * Of an order, event 1 is in both indexes, and what needs a look later in by-due. The events are an order's only stored state,
 * and only the address in event 1 ever changes: it is forgotten when its time is over.
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
    ...lookKeys(placed.orderId, placed.reservedUntil),
  };
}

/** The index attributes of an event after which the order is to be looked at, at the given time. */
export function lookKeys(orderId: string, at: string) {
  return { dueKey: duePartition(bucketOf(orderId, dueBuckets)), dueAt: `${at}#${orderId}` };
}

/** An order that was outstanding when it was looked at. */
export function waitingKey(bucket: number, orderId: string): { pk: string; sk: string } {
  return { pk: `OUTSTANDING#${bucket}`, sk: orderId };
}

export const sweepMarksKey = { pk: 'SWEEP', sk: 'WATERMARK' };

export function forgottenKey(bucket: number): { pk: string; sk: string } {
  return { pk: `FORGOTTEN#${bucket}`, sk: 'WATERMARK' };
}

export function auditPartition(bucket: number): string {
  return `AUDIT#${bucket}`;
}

export const auditMarksKey = { pk: 'AUDIT', sk: 'WATERMARK' };

export const auditedOrderPrefix = 'ORDER#';

export function auditedOrderKey(bucket: number, orderId: string): { pk: string; sk: string } {
  return { pk: auditPartition(bucket), sk: `${auditedOrderPrefix}${orderId}` };
}

export const stockDriftKey = { pk: 'STOCK-DRIFT', sk: 'LAST' };
