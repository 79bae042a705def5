import { describe, expect, it } from 'vitest';
import { lookLater } from '../../../functions/order/adapters/event-items.ts';
import {
  orderCancelled,
  orderDelivered,
  orderFulfilled,
  orderPlaced,
  paymentActionRequired,
  paymentCaptured,
  refundRequested,
} from '../../../functions/order/contract.ts';
import { lookKeys } from '../../../functions/order/keys.ts';
import { noon, placedEvent } from './given.ts';

const at = (minutes: number) => new Date(noon + minutes * 60_000).toISOString();
const eventOf = (type: string) => ({ ...placedEvent({ orderId: 'ord_A1', at: noon }), type });

describe('an order is looked at again', () => {
  it.each([
    [paymentActionRequired.type, 2],
    [refundRequested.type, 10],
    [orderCancelled.type, 10],
    [orderFulfilled.type, 10],
    [orderDelivered.type, 10],
  ])('after %s, %d minutes later', (type, minutes) => {
    expect(lookLater(eventOf(type))).toEqual(lookKeys('ord_A1', at(minutes)));
  });

  it.each([orderPlaced.type, paymentCaptured.type])('after %s, no further time', (type) => {
    expect(lookLater(eventOf(type))).toEqual({});
  });
});
