import type { Currency } from '../../kernel/contract.ts';
import { moneyOf } from '../../kernel/money.ts';
import type { OrderRow } from '../contract.ts';

/** What the list needs to know of one event. Amounts in minor units of the order's currency. */
export interface Fact {
  readonly type: string;
  readonly at: string;
  /** Of a capture or a completed refund. */
  readonly amount?: number;
  /** Of the first event. */
  readonly placed?: Placed;
}

interface Placed {
  readonly number: string;
  readonly customerId: string;
  readonly currency: Currency;
  readonly total: number;
  /** Whether the order came with its first payment attempt. */
  readonly pays: boolean;
}

/**
 * The facts of an order by the number of their events. An event only ever adds its own fact, and always the same one:
 * a union of facts is the same set however often and in whatever order they came (a grow-only set).
 */
export type Facts = ReadonlyMap<number, Fact>;

interface Event {
  readonly type: string;
  readonly seq: number;
  readonly at: string;
  readonly body: unknown;
}

/** The facts that events are, each by itself. */
export function factsOf(events: readonly Event[]): Facts {
  return new Map(events.map((event) => [event.seq, factOf(event)]));
}

function factOf({ type, at, body }: Event): Fact {
  switch (type) {
    case 'order.placed': {
      const { number, customerId, currency, total, payment } = body as Omit<Placed, 'pays'> & {
        payment?: object;
      };
      return { type, at, placed: { number, customerId, currency, total, pays: payment !== undefined } };
    }
    case 'payment.captured':
    case 'refund.completed':
      return { type, at, amount: (body as { amount: { amount: number } }).amount.amount };
    default:
      return { type, at };
  }
}

/**
 * The row that the facts tell, taken in the order of their numbers; those that have not come yet are passed over.
 * Undefined before the order's first event has come.
 */
export function rowOf(orderId: string, facts: Facts): OrderRow | undefined {
  const placed = facts.get(1)?.placed;
  if (!placed) return undefined;
  let status: OrderRow['status'] = 'placed';
  let payment: OrderRow['paymentStatus'] = placed.pays ? 'pending' : 'none';
  /** Whether the open attempt waits for the shopper; for an answer; and whether the order is wished to end. */
  let [acting, unknown, ending] = [false, false, false];
  let [captured, refunded] = [0, 0];
  const inSequence = [...facts].sort(([a], [b]) => a - b);
  for (const [, { type, amount = 0 }] of inSequence) {
    if (type === 'payment.captured') captured = amount;
    if (type === 'refund.completed') {
      refunded += amount;
      payment = refunded < captured ? 'partially_refunded' : 'refunded';
    }
    status = statusAfter[type] ?? status;
    if (paymentAfter[type]) {
      payment = paymentAfter[type];
      [acting, unknown] = [false, false];
    }
    if (type === 'payment.action_required') [acting, unknown] = [true, false];
    if (type === 'payment.unknown') unknown = true;
    if (type === 'cancel.requested' || type === 'expiry.requested') ending = true;
  }
  if (unknown) payment = 'unknown';
  if (acting && !ending) payment = 'requires_action';
  const [seq, { at: updatedAt }] = inSequence.at(-1)!;
  return {
    id: orderId,
    number: placed.number,
    customerId: placed.customerId,
    status,
    paymentStatus: payment,
    total: moneyOf(placed.total, placed.currency),
    refunded: moneyOf(refunded, placed.currency),
    placedAt: facts.get(1)!.at,
    updatedAt,
    seq,
  };
}

/** An event that nobody here names changes no more than when the order was last touched. */
const statusAfter: Readonly<Record<string, OrderRow['status']>> = {
  'payment.captured': 'paid',
  'order.cancelled': 'cancelled',
  'order.expired': 'expired',
  'order.fulfilled': 'fulfilled',
  'order.delivered': 'delivered',
};

const paymentAfter: Readonly<Record<string, OrderRow['paymentStatus']>> = {
  'payment.requested': 'pending',
  'capture.requested': 'authorized',
  'void.requested': 'authorized',
  'payment.captured': 'captured',
  'payment.declined': 'declined',
  'payment.voided': 'voided',
};
