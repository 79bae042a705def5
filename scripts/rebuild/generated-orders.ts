import type * as z from 'zod/mini';
import { isoInstant } from '../../functions/kernel/clock.ts';
import type { Currency, EventContract } from '../../functions/kernel/contract.ts';
import { type StoredEvent, storedEventOf } from '../../functions/kernel/events.ts';
import { derivedId } from '../../functions/kernel/ids.ts';
import * as contract from '../../functions/order/contract.ts';

/** How an order ends, as the steps after its placing; `paid` opens the first attempt with it. */
interface Ending {
  readonly paid: boolean;
  readonly steps: readonly Step[];
}

type Step =
  | 'pay'
  | 'authorised'
  | 'captured'
  | 'declined'
  | 'wish'
  | 'give up'
  | 'voided'
  | 'fulfilled'
  | 'delivered'
  | 'cancelled'
  | 'expired'
  | 'refund half'
  | 'refund all'
  | 'refunded'
  | 'refund refused';

const bought = ['authorised', 'captured'] as const;

/** Most orders are paid; the others end in every way there is, and some have not ended. */
const endings: readonly Ending[] = [
  { paid: true, steps: [...bought, 'fulfilled'] },
  { paid: true, steps: [...bought, 'fulfilled', 'delivered'] },
  { paid: true, steps: bought },
  { paid: true, steps: bought },
  { paid: true, steps: ['declined', 'expired'] },
  { paid: true, steps: ['declined', 'pay', ...bought] },
  { paid: false, steps: ['cancelled'] },
  { paid: false, steps: ['pay', ...bought] },
  { paid: true, steps: [...bought, 'refund half', 'refunded', 'refund half', 'refunded'] },
  { paid: true, steps: [...bought, 'refund half', 'refunded'] },
  { paid: true, steps: [...bought, 'cancelled', 'refund all', 'refunded'] },
  { paid: true, steps: [...bought, 'refund all', 'refund refused'] },
  { paid: true, steps: ['wish', 'give up', 'voided', 'cancelled'] },
  { paid: false, steps: ['expired'] },
  { paid: true, steps: [] },
  { paid: true, steps: ['authorised'] },
];

const currencies: readonly Currency[] = ['KRW', 'USD', 'EUR', 'JPY', 'KWD', 'GBP'];
const firstPlaced = Date.parse('2026-03-28T00:00:00.000Z');
const betweenOrders = 863;
const traceparent = '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01';

/** The events of the order with this number, always the same ones. */
export function generatedOrder(number: number): readonly StoredEvent[] {
  const orderId = derivedId('ord', 'generated', String(number));
  const currency = currencies[number % currencies.length]!;
  const money = (amount: number) => ({ amount, currency });
  // Even amounts, so that halves are whole.
  const unit = 2 * (500 + ((number * 7_919) % 40_000));
  const quantity = 1 + (number % 3);
  const tax = 2 * Math.floor((unit * quantity) / 22);
  const goods = unit * quantity;
  const shipping = (number % 4) * 1_000;
  const total = goods + shipping;
  const sku = `sku_${number % 500}`;
  const name = `Celadon cup no. ${number % 500}`;
  const head = { customerId: `customer-${number % 9_000}`, number: `FG-${number}`, locale: 'ko' as const };
  const summary: z.input<typeof contract.orderSummary> = {
    ...head,
    lines: [{ sku, name, quantity, total: money(goods) }],
    subtotal: money(goods),
    discount: money(0),
    shipping: money(shipping),
    tax: money(tax),
    taxIncluded: true,
    total: money(total),
  };

  const events: StoredEvent[] = [];
  const placedAt = firstPlaced + number * betweenOrders;
  const add = <E extends EventContract>(event: E, body: z.input<E['body']>) => {
    const seq = events.length + 1;
    events.push(storedEventOf(event, { orderId, seq, at: placedAt + seq * 1_371, traceparent, body }));
  };
  const reservedUntil = isoInstant(placedAt + 900_000);
  const { paid, steps } = endings[number % endings.length]!;
  add(contract.orderPlaced, {
    ...head,
    requestHash: 'generated',
    currency,
    lines: [{ sku, productId: 'prd_1', name, quantity, unitPrice: unit, discount: 0, tax, total: goods }],
    draws: [{ sku, shard: 0, quantity }],
    subtotal: goods,
    discount: 0,
    shipping,
    tax,
    taxIncluded: true,
    total,
    shippingMethod: 'standard',
    reservedUntil,
    ...(paid && { payment: { method: 'card' } }),
  });

  let attempt = paid ? 1 : 0;
  let refunds = 0;
  let refund = { refundId: '', whole: false };
  const authorised = () => ({ attempt, authorizationId: `auth-${number}-${attempt}`, provider: 'sandbox' });
  const amounts = () => {
    const parts = refund.whole ? 1 : 2;
    return {
      refundId: refund.refundId,
      amount: money(total / parts),
      breakdown: {
        net: money((goods - tax) / parts),
        tax: money(tax / parts),
        shipping: money(shipping / parts),
      },
    };
  };
  const take: Readonly<Record<Step, () => void>> = {
    pay: () => {
      attempt += 1;
      add(contract.paymentRequested, {
        attempt,
        method: 'card',
        keyHash: `key-${attempt}`,
        requestHash: 'a',
      });
    },
    authorised: () => add(contract.captureRequested, authorised()),
    captured: () =>
      add(contract.paymentCaptured, {
        attempt,
        captureId: `capture-${number}`,
        provider: 'sandbox',
        amount: money(total),
        summary,
      }),
    declined: () =>
      add(contract.paymentDeclined, {
        attempt,
        reason: 'insufficient-funds',
        retryUntil: reservedUntil,
        summary,
      }),
    wish: () => add(contract.cancelRequested, {}),
    'give up': () => add(contract.voidRequested, { ...authorised(), because: 'cancel' }),
    voided: () => add(contract.paymentVoided, { attempt, amount: money(total) }),
    fulfilled: () => add(contract.orderFulfilled, { summary }),
    delivered: () => add(contract.orderDelivered, { summary }),
    cancelled: () => add(contract.orderCancelled, { reason: 'shopper', released: [], summary }),
    expired: () => add(contract.orderExpired, { reason: 'unpaid', released: [], summary }),
    'refund half': () => requestRefund(false),
    'refund all': () => requestRefund(true),
    refunded: () =>
      add(contract.refundCompleted, {
        ...amounts(),
        providerRefundId: `re-${number}-${refunds}`,
        refundedTotal: money(refund.whole ? total : (total / 2) * refunds),
        summary,
      }),
    'refund refused': () =>
      add(contract.refundFailed, { refundId: refund.refundId, reason: 'account-closed' }),
  };
  const requestRefund = (whole: boolean) => {
    refunds += 1;
    refund = { refundId: derivedId('rfd', orderId, String(refunds)), whole };
    add(contract.refundRequested, { ...amounts(), reason: 'damaged', requestHash: 'a' });
  };
  for (const step of steps) take[step]();
  return events;
}
