import * as z from 'zod/mini';
import { isoInstant } from '../../kernel/clock.ts';
import { storedEvent } from '../../kernel/events.ts';
import {
  orderCancelled,
  orderDelivered,
  orderFulfilled,
  paymentActionRequired,
  refundRequested,
} from '../contract.ts';
import type { Confidential, OrderEvent } from '../domain/order.ts';
import { eventKey, lookKeys } from '../keys.ts';

/** An event as an item of the order table; `extra` are index attributes. */
export function itemOf(event: OrderEvent, extra: Readonly<Record<string, string>> = {}) {
  return { ...eventKey(event.orderId, event.seq), ...event, ...extra };
}

/** The event in an item. The flat attributes are checked; `confidential` is what we wrote. */
export function eventOf(item: Record<string, unknown>): OrderEvent {
  const event = z.parse(storedEvent, item);
  return item.confidential ? { ...event, confidential: item.confidential as Confidential } : event;
}

/** A Put that fails, with what is there, when the number is taken: optimistic concurrency, and idempotency. */
export function appendItem(table: string, event: OrderEvent, extra?: Readonly<Record<string, string>>) {
  return {
    Put: {
      TableName: table,
      Item: itemOf(event, extra),
      ConditionExpression: 'attribute_not_exists(pk)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
    },
  };
}

/** Milliseconds after an event at which somebody looks whether its order has moved on. */
const looks: Readonly<Record<string, number>> = {
  [paymentActionRequired.type]: 2 * 60_000,
  [refundRequested.type]: 10 * 60_000,
  // For the audit alone: when these come to an order, it has long left the audit's list.
  [orderCancelled.type]: 10 * 60_000,
  [orderFulfilled.type]: 10 * 60_000,
  [orderDelivered.type]: 10 * 60_000,
};

/** The index attributes by which the sweep finds an order again after the event. */
export function lookLater({ type, orderId, at }: OrderEvent): Readonly<Record<string, string>> {
  const after = looks[type];
  return after === undefined ? {} : lookKeys(orderId, isoInstant(Date.parse(at) + after));
}
