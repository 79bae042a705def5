import type * as z from 'zod/mini';
import type { Address, Currency, EventContract } from '../../kernel/contract.ts';
import type { StoredEvent } from '../../kernel/events.ts';
import {
  cancelRequested,
  captureRequested,
  expiryRequested,
  orderCancelled,
  orderDelivered,
  orderExpired,
  orderFulfilled,
  orderPlaced,
  paymentActionRequired,
  paymentCaptured,
  paymentDeclined,
  paymentHinted,
  paymentRequested,
  paymentUnknown,
  paymentVoided,
  refundCompleted,
  refundFailed,
  refundRequested,
  voidRequested,
} from '../contract.ts';

/** What a stored event keeps off the bus: personal data, and what the shopper pays with. */
export interface Confidential {
  readonly shippingAddress?: Address;
  readonly token?: string;
  readonly paymentKey?: string;
}

export interface OrderEvent extends StoredEvent {
  readonly confidential?: Confidential;
}

type Body<E extends EventContract> = z.output<E['body']>;

/** A payment attempt that has not settled. */
interface Attempt {
  readonly number: number;
  readonly method: 'card';
  /** What we charge; or `paymentKey`, what the shopper has authorised in the browser and we confirm. */
  readonly token?: string;
  readonly paymentKey?: string;
  readonly openedAt: string;
  /** When the step's intent was recorded. */
  readonly requestedAt: string;
  /** What is to be done next at the provider. */
  readonly step: 'authorise' | 'capture' | 'void';
  /** What the shopper has to do first (3-D Secure). */
  readonly nextAction?: Body<typeof paymentActionRequired>['nextAction'];
  /** A run has ended without learning what became of the step. */
  readonly unknown?: true;
  /** The number of the try, from the second on. */
  readonly attempted?: number | undefined;
  readonly authorizationId?: string;
  readonly provider?: string;
  readonly because?: Body<typeof voidRequested>['because'];
}

export interface Refund {
  readonly id: string;
  readonly amount: number;
  readonly breakdown: { readonly net: number; readonly tax: number; readonly shipping: number };
  /** The units that it gives back; none where it is of an amount. */
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly reason: string;
  readonly requestedAt: string;
  readonly requestHash: string;
  readonly status: 'pending' | 'completed' | 'failed';
}

/** An order as its events tell it. Amounts in minor units of its currency. */
export interface Order {
  readonly id: string;
  readonly placed: Body<typeof orderPlaced>;
  readonly shippingAddress: Address;
  readonly status: 'placed' | 'paid' | 'fulfilled' | 'delivered' | 'cancelled' | 'expired';
  /** The number of events; the next one takes `version + 1`. */
  readonly version: number;
  readonly placedAt: string;
  readonly updatedAt: string;
  readonly traceparent: string;
  /** The open attempt; at most one. */
  readonly open: Attempt | undefined;
  /** Attempts opened so far. */
  readonly attempts: number;
  /** Key and body of each `POST …/payments` that opened an attempt. */
  readonly paymentKeys: readonly { readonly keyHash: string; readonly requestHash: string }[];
  /** How the last settled attempt ended. */
  readonly settled: 'captured' | 'declined' | 'voided' | undefined;
  readonly lastError: string | undefined;
  readonly captured:
    | { readonly captureId: string; readonly amount: number; readonly provider: string }
    | undefined;
  readonly refunds: readonly Refund[];
  /** The provider's notifications that have led to a question. */
  readonly hints: readonly string[];
  /** Carried out when the open attempt settles. */
  readonly wish: 'cancel' | 'expiry' | undefined;
}

/**
 * The order that its events, in sequence from 1, tell.
 * @throws Error when the first is not `order.placed`, a number is missing, or a type is unknown: a broken store.
 */
export function fold(events: readonly OrderEvent[]): Order {
  const [first, ...rest] = events;
  if (!first || first.type !== orderPlaced.type || first.seq !== 1)
    throw new Error('an order begins with order.placed');
  return rest.reduce((order, event) => {
    if (event.seq !== order.version + 1)
      throw new Error(`event ${order.version + 1} of ${order.id} is missing`);
    return { ...apply(order, event), version: event.seq, updatedAt: event.at };
  }, begin(first));
}

function begin(event: OrderEvent): Order {
  const placed = JSON.parse(event.body) as Body<typeof orderPlaced>;
  if (!event.confidential?.shippingAddress) throw new Error(`order ${event.orderId} has no address`);
  return {
    id: event.orderId,
    placed,
    shippingAddress: event.confidential.shippingAddress,
    status: 'placed',
    version: 1,
    placedAt: event.at,
    updatedAt: event.at,
    traceparent: event.traceparent,
    open: placed.payment && attemptOf(1, placed.payment.method, event),
    attempts: placed.payment ? 1 : 0,
    paymentKeys: [],
    settled: undefined,
    lastError: undefined,
    captured: undefined,
    refunds: [],
    hints: [],
    wish: undefined,
  };
}

function attemptOf(number: number, method: 'card', event: OrderEvent): Attempt {
  const { token, paymentKey } = event.confidential ?? {};
  const begun = { number, method, openedAt: event.at, requestedAt: event.at, step: 'authorise' as const };
  if (token) return { ...begun, token };
  if (paymentKey) return { ...begun, paymentKey };
  throw new Error(`attempt ${number} of ${event.orderId} has nothing to pay with`);
}

/** The attempt with the next step's intent: what was unknown or awaited is over. */
function intend(
  { unknown: _, nextAction, attempted: __, ...open }: Attempt,
  intent: Pick<Attempt, 'step' | 'requestedAt' | 'authorizationId' | 'provider' | 'because' | 'attempted'>,
): Attempt {
  // What the shopper took for it is not time that the attempt has been waiting for us.
  return { ...open, ...intent, ...(nextAction && { openedAt: intent.requestedAt }) };
}

function apply(order: Order, event: OrderEvent): Order {
  const body = JSON.parse(event.body) as never;
  switch (event.type) {
    case paymentRequested.type: {
      const { attempt, method, keyHash, requestHash } = body as Body<typeof paymentRequested>;
      return {
        ...order,
        open: attemptOf(attempt, method, event),
        attempts: attempt,
        paymentKeys: [...order.paymentKeys, { keyHash, requestHash }],
      };
    }
    case captureRequested.type: {
      const { authorizationId, provider } = body as Body<typeof captureRequested>;
      const intent = { step: 'capture', requestedAt: event.at, authorizationId, provider } as const;
      return { ...order, open: order.open && intend(order.open, intent) };
    }
    case voidRequested.type: {
      const { attempt: _, ...asked } = body as Body<typeof voidRequested>;
      const intent = { step: 'void', requestedAt: event.at, ...asked } as const;
      return { ...order, open: order.open && intend(order.open, intent) };
    }
    case paymentActionRequired.type: {
      const { authorizationId, provider, nextAction } = body as Body<typeof paymentActionRequired>;
      if (!order.open) return order;
      const { unknown: _, ...open } = order.open;
      return { ...order, open: { ...open, authorizationId, provider, nextAction } };
    }
    case paymentUnknown.type:
      return { ...order, open: order.open && { ...order.open, unknown: true } };
    case paymentHinted.type: {
      const { notification } = body as Body<typeof paymentHinted>;
      return notification === undefined ? order : { ...order, hints: [...order.hints, notification] };
    }
    case paymentCaptured.type: {
      const { captureId, amount, provider } = body as Body<typeof paymentCaptured>;
      return {
        ...order,
        status: 'paid',
        open: undefined,
        settled: 'captured',
        lastError: undefined,
        captured: { captureId, amount: amount.amount, provider },
        // A capture overtakes the end of the reservation.
        wish: order.wish === 'expiry' ? undefined : order.wish,
      };
    }
    case paymentDeclined.type: {
      const { reason } = body as Body<typeof paymentDeclined>;
      return { ...order, open: undefined, settled: 'declined', lastError: reason };
    }
    case paymentVoided.type:
      return { ...order, open: undefined, settled: 'voided' };
    case cancelRequested.type:
      return { ...order, wish: 'cancel' };
    case expiryRequested.type:
      return { ...order, wish: order.wish ?? 'expiry' };
    case orderCancelled.type:
      return { ...order, status: 'cancelled', wish: undefined };
    case orderExpired.type:
      return { ...order, status: 'expired', wish: undefined };
    case orderFulfilled.type:
      return { ...order, status: 'fulfilled' };
    case orderDelivered.type:
      return { ...order, status: 'delivered' };
    case refundRequested.type: {
      const {
        refundId,
        amount,
        breakdown,
        lines = [],
        reason,
        requestHash,
      } = body as Body<typeof refundRequested>;
      const refund: Refund = {
        id: refundId,
        amount: amount.amount,
        breakdown: {
          net: breakdown.net.amount,
          tax: breakdown.tax.amount,
          shipping: breakdown.shipping.amount,
        },
        lines,
        reason,
        requestedAt: event.at,
        requestHash,
        status: 'pending',
      };
      return { ...order, refunds: [...order.refunds, refund] };
    }
    case refundCompleted.type:
      return {
        ...order,
        refunds: settle(order.refunds, (body as Body<typeof refundCompleted>).refundId, 'completed'),
      };
    case refundFailed.type:
      return {
        ...order,
        refunds: settle(order.refunds, (body as Body<typeof refundFailed>).refundId, 'failed'),
      };
    default:
      throw new Error(`unknown event type ${event.type}`);
  }
}

function settle(refunds: readonly Refund[], id: string, status: Refund['status']): readonly Refund[] {
  return refunds.map((refund) => (refund.id === id ? { ...refund, status } : refund));
}

/** Whether the next move is the shopper's, not ours. */
export function awaitsShopper({ open, wish }: Pick<Order, 'open' | 'wish'>): boolean {
  return open?.step === 'authorise' && open.nextAction !== undefined && wish === undefined;
}

/** What is outstanding at the provider, and since when; undefined when all is settled. */
export function outstanding(
  order: Order,
): { readonly since: string; readonly attempt?: number; readonly refundId?: string } | undefined {
  if (order.open) return { since: order.open.openedAt, attempt: order.open.number };
  const refund = order.refunds.find(({ status }) => status === 'pending');
  return refund && { since: refund.requestedAt, refundId: refund.id };
}

/** Completed refunds, in minor units. */
export function refundedTotal(order: Order): number {
  return order.refunds.filter((r) => r.status === 'completed').reduce((sum, r) => sum + r.amount, 0);
}

/** What has been captured and is neither given back nor about to be, in minor units. */
export function refundable(order: Order): number {
  const promised = order.refunds.filter((r) => r.status !== 'failed').reduce((sum, r) => sum + r.amount, 0);
  return (order.captured?.amount ?? 0) - promised;
}

export function currencyOf(order: Order): Currency {
  return order.placed.currency;
}
