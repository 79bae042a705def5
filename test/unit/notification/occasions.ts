import type { MailEvent } from '../../../functions/notification/app/send-mail.ts';
import type { OrderSummary } from '../../../functions/order/contract.ts';

export const krw = (amount: number) => ({ amount, currency: 'KRW' as const });

export const summary: OrderSummary = {
  customerId: 'customer-1',
  number: 'FG-1001',
  locale: 'ko',
  lines: [
    { sku: 'sku_MUG', name: '머그컵', quantity: 2, total: krw(24_000) },
    { sku: 'sku_TEE', name: 'Tee', quantity: 1, total: krw(19_000) },
  ],
  subtotal: krw(45_000),
  discount: krw(2_000),
  shipping: krw(3_000),
  tax: krw(3_909),
  taxIncluded: true,
  total: krw(46_000),
};

const common = {
  version: 1,
  orderId: 'ord_A1',
  at: '2026-11-22T15:30:00.000Z',
  traceparent: '00-00000000000000000000000000000001-0000000000000001-01',
  replayed: false,
  receives: 1,
};

/** One of each event that the shopper is written to about. */
export function eventsOf(order: OrderSummary): MailEvent[] {
  const { currency } = order.total;
  const part = { amount: 1_234, currency };
  return [
    {
      ...common,
      id: 'evt_A1-4',
      seq: 4,
      type: 'payment.captured',
      body: { attempt: 1, captureId: 'cap_1', provider: 'sandbox', amount: order.total, summary: order },
    },
    {
      ...common,
      id: 'evt_A1-5',
      seq: 5,
      type: 'payment.declined',
      body: {
        attempt: 1,
        reason: 'insufficient_funds',
        retryUntil: '2026-11-22T16:00:00.000Z',
        summary: order,
      },
    },
    {
      ...common,
      id: 'evt_A1-6',
      seq: 6,
      type: 'order.expired',
      body: { reason: 'unpaid', released: [], summary: order },
    },
    {
      ...common,
      id: 'evt_A1-7',
      seq: 7,
      type: 'order.cancelled',
      body: { reason: 'shopper', released: [], summary: order },
    },
    {
      ...common,
      id: 'evt_A1-8',
      seq: 8,
      type: 'refund.completed',
      body: {
        refundId: 'rfd_1',
        providerRefundId: 're_1',
        amount: part,
        refundedTotal: { amount: 4_321, currency },
        breakdown: { net: part, tax: { amount: 0, currency }, shipping: { amount: 0, currency } },
        summary: order,
      },
    },
  ];
}
