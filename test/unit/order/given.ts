import { storedEventOf } from '../../../functions/kernel/events.ts';
import { orderPlaced } from '../../../functions/order/contract.ts';
import type { Decision } from '../../../functions/order/domain/decide.ts';
import { fold, type Order, type OrderEvent } from '../../../functions/order/domain/order.ts';

export const traceparent = '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01';
export const noon = Date.parse('2026-11-22T03:00:00.000Z');

export const shippingAddress = {
  name: 'Kim Yuna',
  line1: '1 Sejong-daero',
  city: 'Seoul',
  postalCode: '04524',
  country: 'KR',
};

/** Event 1 of an order of two units for 20,000 KRW with 1,818 tax inside and 3,000 shipping. */
export function placedEvent(options: { payment?: boolean; orderId?: string; at?: number } = {}): OrderEvent {
  const { payment = true, orderId = 'ord_TEST1', at = noon } = options;
  const event = storedEventOf(orderPlaced, {
    orderId,
    seq: 1,
    at,
    traceparent,
    body: {
      customerId: 'customer-1',
      number: 'AAAA-BBBB-CCCC',
      locale: 'ko',
      requestHash: 'hash',
      currency: 'KRW',
      lines: [
        {
          sku: 'sku_a',
          productId: 'prd_a',
          name: 'Celadon cup',
          quantity: 2,
          unitPrice: 10_000,
          discount: 0,
          tax: 1_818,
          total: 20_000,
        },
      ],
      draws: [{ sku: 'sku_a', shard: 0, quantity: 2 }],
      subtotal: 20_000,
      discount: 0,
      shipping: 3_000,
      tax: 1_818,
      taxIncluded: true,
      total: 23_000,
      shippingMethod: 'standard',
      reservedUntil: new Date(at + 15 * 60_000).toISOString(),
      ...(payment && { payment: { method: 'card' } }),
    },
  });
  return { ...event, confidential: { shippingAddress, ...(payment && { token: 'tok_approve' }) } };
}

/** The events of a decision, numbered after those of `order`. */
export function eventsOf(order: Order, decision: Decision, at = noon): OrderEvent[] {
  return decision.events.map(({ contract, body, confidential }, index) => ({
    ...storedEventOf(contract, { orderId: order.id, seq: order.version + 1 + index, at, traceparent, body }),
    ...(confidential && { confidential }),
  }));
}

/** A history that grows by decisions. */
export class History {
  readonly events: OrderEvent[];
  readonly released: boolean[] = [];

  constructor(first: OrderEvent) {
    this.events = [first];
  }

  get order(): Order {
    return fold(this.events);
  }

  get types(): string[] {
    return this.events.map(({ type }) => type);
  }

  and(decide: (order: Order) => Decision): this {
    const decision = decide(this.order);
    this.events.push(...eventsOf(this.order, decision));
    this.released.push(decision.release);
    return this;
  }
}
