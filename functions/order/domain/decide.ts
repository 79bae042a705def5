import type * as z from 'zod/mini';
import { isoInstant } from '../../kernel/clock.ts';
import type { EventContract, Money } from '../../kernel/contract.ts';
import { DomainError } from '../../kernel/errors.ts';
import { derivedId } from '../../kernel/ids.ts';
import type { ProviderCommand, ProviderOutcome } from '../../payment/contract.ts';
import {
  cancelRequested,
  captureRequested,
  expiryRequested,
  orderCancelled,
  orderDelivered,
  orderExpired,
  orderFulfilled,
  paymentActionRequired,
  paymentCaptured,
  paymentDeclined,
  paymentRequested,
  paymentUnknown,
  paymentVoided,
  refundCompleted,
  refundFailed,
  refundRequested,
  voidRequested,
} from '../contract.ts';
import { type Confidential, type Order, type Refund, refundable, refundedTotal } from './order.ts';
import { amountOfLines, splitRefund, type Units } from './refund.ts';
import { moneyIn, summaryOf } from './view.ts';

/** An event to append, before it has a number and a time. */
export interface Decided<E extends EventContract = EventContract> {
  readonly contract: E;
  readonly body: z.input<E['body']>;
  readonly confidential?: Confidential;
}

/** What to append in one go; `release` gives the order's reservations back in the same transaction. */
export interface Decision {
  readonly events: readonly Decided[];
  readonly release: boolean;
}

/** Attempts that one order may open. */
const maxAttempts = 10;

/** Times that a void, or the refund of a cancelled order, is begun anew after it has failed for good. */
const maxTries = 3;

/** In the place of a request's hash: the refund that a cancellation promises by itself. */
const cancellation = 'cancel';

const nothing: Decision = { events: [], release: false };

function decided<E extends EventContract>(
  contract: E,
  body: z.input<E['body']>,
  confidential?: Confidential,
): Decided {
  return { contract, body, ...(confidential && { confidential }) };
}

const only = (...events: readonly Decided[]): Decision => ({ events, release: false });

/** A token that we charge, or a payment that the shopper has authorised in the browser, which we confirm. */
export type PaymentMeans =
  | { readonly method: 'card'; readonly token: string }
  | { readonly provider: string; readonly paymentKey: string; readonly amount: Money };

/**
 * Opens a payment attempt.
 * @throws DomainError `order-state`, `amount-mismatch`, `idempotency-key-reused`
 */
export function decidePayment(
  order: Order,
  request: PaymentMeans & { readonly keyHash: string; readonly requestHash: string; readonly now: number },
): Decision {
  const earlier = order.paymentKeys.find(({ keyHash }) => keyHash === request.keyHash);
  if (earlier) {
    if (earlier.requestHash === request.requestHash) return nothing;
    throw new DomainError(
      'idempotency-key-reused',
      'This Idempotency-Key was used for another payment of the order.',
    );
  }
  if (order.status !== 'placed') throw refusal(order, `The order is ${order.status}; it cannot be paid.`);
  if (order.open) throw refusal(order, 'A payment of the order is under way; wait until it has settled.');
  if (order.wish) throw refusal(order, 'The order is about to end; it cannot be paid.');
  if (request.now >= Date.parse(order.placed.reservedUntil)) {
    throw refusal(order, 'The reservation is over. Place a new order.');
  }
  if (order.attempts >= maxAttempts) throw refusal(order, 'The order has had too many payment attempts.');
  const { keyHash, requestHash } = request;
  const opened = { attempt: order.attempts + 1, method: 'card' as const, keyHash, requestHash };
  if ('token' in request) return only(decided(paymentRequested, opened, { token: request.token }));
  checkAmount(order, request.amount);
  const { provider, paymentKey } = request;
  return only(decided(paymentRequested, { ...opened, provider }, { paymentKey }));
}

/** What the shopper authorised in the browser was the browser's word; the order's total is ours. */
function checkAmount(order: Order, amount: Money): void {
  const total = moneyIn(order)(order.placed.total);
  if (amount.amount === total.amount && amount.currency === total.currency) return;
  throw new DomainError(
    'amount-mismatch',
    `The order comes to ${total.amount} ${total.currency} in minor units. Nothing was charged.`,
    { total },
  );
}

/**
 * The shopper cancels. While an attempt is open the wish is recorded; what was captured is refunded.
 * @throws DomainError `order-state` once it has expired or the goods are on their way
 */
export function decideCancellation(order: Order, refundId: string): Decision {
  if (order.status === 'cancelled' || order.wish === 'cancel') return nothing;
  if (order.status === 'expired') throw refusal(order, 'The order has expired; there is nothing to cancel.');
  if (order.status === 'fulfilled' || order.status === 'delivered') {
    throw refusal(order, `The order is ${order.status}; it can only be returned.`);
  }
  if (order.open) return only(decided(cancelRequested, {}));
  return cancel(order, refundId);
}

/** The goods go to the carrier. @throws DomainError `order-state` unless it is paid, or fulfilled already */
export function decideFulfilment(order: Order): Decision {
  if (order.status === 'fulfilled' || order.status === 'delivered') return nothing;
  if (order.status !== 'paid')
    throw refusal(order, `The order is ${order.status}; only a paid one is fulfilled.`);
  return only(decided(orderFulfilled, { summary: summaryOf(order) }));
}

/** The goods have arrived. @throws DomainError `order-state` unless it is fulfilled, or delivered already */
export function decideDelivery(order: Order): Decision {
  if (order.status === 'delivered') return nothing;
  if (order.status !== 'fulfilled') {
    throw refusal(order, `The order is ${order.status}; only a fulfilled one is delivered.`);
  }
  return only(decided(orderDelivered, { summary: summaryOf(order) }));
}

/** The reservation is over: the order ends, or its wish to end is recorded while an attempt is open. */
export function decideExpiry(order: Order, now: number): Decision {
  if (order.status !== 'placed' || now < Date.parse(order.placed.reservedUntil)) return nothing;
  if (order.open) return order.wish ? nothing : only(decided(expiryRequested, {}));
  return expire(order);
}

/** A run has ended without learning what became of the step; said once a step. */
export function decideUnknown(order: Order): Decision {
  const { open } = order;
  if (!open || open.unknown) return nothing;
  return only(decided(paymentUnknown, { attempt: open.number, step: open.step }));
}

/** What is to be asked of the provider next; undefined when nothing is outstanding. */
export function nextCommand(order: Order, ask: boolean): ProviderCommand | undefined {
  const money = moneyIn(order);
  const { open } = order;
  if (open) {
    const common = {
      orderId: order.id,
      reference: `${order.id}-${open.number}`,
      amount: money(order.placed.total),
      method: open.method,
      requestedAt: open.requestedAt,
      ask,
      traceparent: order.traceparent,
    };
    if (open.step === 'authorise') {
      const { token, paymentKey } = open;
      return { ...common, step: 'authorise', ...(token === undefined ? { paymentKey } : { token }) };
    }
    const { authorizationId, attempted } = open;
    return { ...common, step: open.step, authorizationId, ...(attempted !== undefined && { attempted }) };
  }
  const refund = order.refunds.find(({ status }) => status === 'pending');
  if (!refund || !order.captured) return undefined;
  return {
    orderId: order.id,
    reference: `${order.id}-${order.attempts}`,
    amount: money(refund.amount),
    method: 'card',
    requestedAt: refund.requestedAt,
    ask,
    traceparent: order.traceparent,
    step: 'refund',
    captureId: order.captured.captureId,
    refundId: refund.id,
  };
}

/**
 * What the provider's answer to `command` means for the order. An answer to a step that the order has passed
 * changes nothing, so that duplicate and resumed runs are harmless.
 */
export function decideOutcome(
  order: Order,
  command: ProviderCommand,
  outcome: ProviderOutcome,
  refundId: string,
): Decision {
  if (command.step === 'refund') return refundOutcome(order, command.refundId, outcome);
  const { open } = order;
  if (!open || open.step !== command.step || `${order.id}-${open.number}` !== command.reference)
    return nothing;
  switch (outcome.outcome) {
    case 'authorized': {
      const { authorizationId, provider } = outcome;
      const intent = { attempt: open.number, authorizationId, provider };
      if (order.wish) return only(decided(voidRequested, { ...intent, because: order.wish }));
      return only(decided(captureRequested, intent));
    }
    case 'requires_action': {
      const { authorizationId, provider, nextAction } = outcome;
      const known = { attempt: open.number, authorizationId, provider };
      if (order.wish) return only(decided(voidRequested, { ...known, because: order.wish }));
      return open.nextAction ? nothing : only(decided(paymentActionRequired, { ...known, nextAction }));
    }
    case 'declined':
      return declined(order, open.number, outcome.reason);
    case 'captured':
      return captured(order, open.number, outcome.captureId, open.provider ?? '', refundId);
    case 'voided':
      return voided(order, open, {}, refundId);
    case 'failed': {
      // Of an earlier try, told by a second run or after a lost answer: that one has been begun anew.
      if (command.attempted !== open.attempted) return nothing;
      const { authorizationId = '', provider = '', because = 'capture-failed', attempted = 1 } = open;
      const intent = { attempt: open.number, authorizationId, provider };
      if (open.step === 'capture') {
        return only(decided(voidRequested, { ...intent, because: 'capture-failed' }));
      }
      if (attempted < maxTries) {
        return only(decided(voidRequested, { ...intent, because, attempted: attempted + 1 }));
      }
      // Nothing was taken, and what is held lapses by itself: the order must not wait for that.
      return voided(order, open, { lapses: true }, refundId);
    }
    case 'refunded':
      throw new Error(`a refund is no answer to ${command.step}`);
  }
}

function captured(
  order: Order,
  attempt: number,
  captureId: string,
  provider: string,
  refundId: string,
): Decision {
  const money = moneyIn(order);
  const amount = money(order.placed.total);
  const paid = decided(paymentCaptured, { attempt, captureId, provider, amount, summary: summaryOf(order) });
  if (order.wish !== 'cancel') return only(paid);
  const after = {
    ...order,
    status: 'paid' as const,
    captured: { captureId, provider, amount: amount.amount },
  };
  const ended = cancel(after, refundId);
  return { ...ended, events: [paid, ...ended.events] };
}

/** The attempt is closed without money after it was authorised. */
function voided(
  order: Order,
  open: NonNullable<Order['open']>,
  how: { readonly lapses?: true },
  refundId: string,
): Decision {
  const amount = moneyIn(order)(order.placed.total);
  const closed = decided(paymentVoided, { attempt: open.number, amount, ...how });
  if (open.because === 'capture-failed' && !order.wish) {
    // The shopper hears of it, and may pay in another way.
    return only(closed, declinedEvent(order, open.number, 'capture-failed'));
  }
  return after(closed, order, refundId);
}

function declined(order: Order, attempt: number, reason: string): Decision {
  return after(declinedEvent(order, attempt, reason), order, '');
}

function declinedEvent(order: Order, attempt: number, reason: string): Decided {
  return decided(paymentDeclined, {
    attempt,
    reason,
    ...(!order.wish && { retryUntil: order.placed.reservedUntil }),
    summary: summaryOf(order),
  });
}

/** The attempt has settled without money: a wish that waited for it is carried out with it. */
function after(settled: Decided, order: Order, refundId: string): Decision {
  if (!order.wish) return only(settled);
  const ended = order.wish === 'cancel' ? cancel(order, refundId) : expire(order);
  return { ...ended, events: [settled, ...ended.events] };
}

function cancel(order: Order, refundId: string): Decision {
  const left = refundable(order);
  const events = [decided(orderCancelled, ended(order, 'shopper'))];
  if (left > 0) events.push(cancellationRefund(order, refundId, left));
  return { events, release: true };
}

function cancellationRefund(order: Order, refundId: string, amount: number): Decided {
  return refundEvent(order, { refundId, amount, reason: 'cancelled', requestHash: cancellation });
}

function expire(order: Order): Decision {
  return { events: [decided(orderExpired, ended(order, 'unpaid'))], release: true };
}

function ended(order: Order, reason: 'shopper' | 'unpaid') {
  return { reason, released: order.placed.draws, summary: summaryOf(order) };
}

/**
 * An operator's refund: `amount` minor units, or all that is left.
 * @throws DomainError `order-state` when nothing was captured or more is asked than is left,
 * `idempotency-key-reused`
 */
export function decideRefund(
  order: Order,
  request: {
    refundId: string;
    amount?: number | undefined;
    lines?: readonly Units[] | undefined;
    reason: string;
    requestHash: string;
  },
): Decision {
  const earlier = order.refunds.find(({ id }) => id === request.refundId);
  if (earlier) {
    if (earlier.requestHash === request.requestHash) return nothing;
    throw new DomainError(
      'idempotency-key-reused',
      'This Idempotency-Key was used for another refund of the order.',
    );
  }
  const left = refundable(order);
  if (left <= 0) throw refusal(order, 'There is nothing captured that is not refunded already.');
  const { lines } = request;
  const amount = lines ? amountOfLines(order, lines) : (request.amount ?? left);
  if (amount > left) throw refusal(order, `At most ${left} minor units can still be refunded.`);
  return only(refundEvent(order, { ...request, amount }));
}

function refundEvent(
  order: Order,
  refund: {
    refundId: string;
    amount: number;
    lines?: readonly Units[] | undefined;
    reason: string;
    requestHash: string;
  },
): Decided {
  const money = moneyIn(order);
  const { net, tax, shipping } = splitRefund(order, refund.amount);
  return decided(refundRequested, {
    refundId: refund.refundId,
    amount: money(refund.amount),
    breakdown: { net: money(net), tax: money(tax), shipping: money(shipping) },
    ...(refund.lines && { lines: [...refund.lines] }),
    reason: refund.reason,
    requestHash: refund.requestHash,
  });
}

function refundOutcome(order: Order, refundId: string, outcome: ProviderOutcome): Decision {
  const refund = order.refunds.find(({ id }) => id === refundId);
  if (refund?.status !== 'pending') return nothing;
  if (outcome.outcome === 'failed') return failedRefund(order, refund, outcome.reason);
  if (outcome.outcome !== 'refunded') throw new Error(`${outcome.outcome} is no answer to a refund`);
  const money = moneyIn(order);
  const { net, tax, shipping } = refund.breakdown;
  return only(
    decided(refundCompleted, {
      refundId,
      providerRefundId: outcome.providerRefundId,
      amount: money(refund.amount),
      refundedTotal: money(refundedTotal(order) + refund.amount),
      breakdown: { net: money(net), tax: money(tax), shipping: money(shipping) },
      summary: summaryOf(order),
    }),
  );
}

/**
 * An operator's refund is the operator's to ask for again. What a cancelled order is owed is tried again by itself,
 * as a refund of its own with an id of its own.
 */
function failedRefund(order: Order, refund: Refund, reason: string): Decision {
  const failed = decided(refundFailed, { refundId: refund.id, reason });
  const owed = order.refunds.filter(({ requestHash }) => requestHash === cancellation);
  if (refund.requestHash !== cancellation || owed.length >= maxTries) return only(failed);
  const settled = order.refunds.map((one) => (one === refund ? { ...one, status: 'failed' as const } : one));
  const again = derivedId('rfd', refund.id, 'again');
  return only(failed, cancellationRefund({ ...order, refunds: settled }, again, refund.amount));
}

function refusal(order: Order, detail: string): DomainError {
  return new DomainError('order-state', detail, { orderStatus: order.status });
}

/** When a reservation made at `now` (milliseconds) ends: a card is decided in minutes. */
export function reservedUntil(now: number): string {
  return isoInstant(now + 15 * 60_000);
}
