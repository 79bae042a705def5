import type * as z from 'zod/mini';
import { isoInstant } from '../../kernel/clock.ts';
import type { EventContract } from '../../kernel/contract.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { ProviderCommand, ProviderOutcome } from '../../payment/contract.ts';
import {
  cancelRequested,
  captureRequested,
  expiryRequested,
  orderCancelled,
  orderExpired,
  paymentCaptured,
  paymentDeclined,
  paymentRequested,
  paymentVoided,
  refundCompleted,
  refundFailed,
  refundRequested,
  voidRequested,
} from '../contract.ts';
import { type Confidential, type Order, refundable, refundedTotal } from './order.ts';
import { splitRefund } from './refund.ts';
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

const nothing: Decision = { events: [], release: false };

function decided<E extends EventContract>(
  contract: E,
  body: z.input<E['body']>,
  confidential?: Confidential,
): Decided {
  return { contract, body, ...(confidential && { confidential }) };
}

const only = (...events: readonly Decided[]): Decision => ({ events, release: false });

/**
 * Opens a payment attempt.
 * @throws DomainError `order-state`, `idempotency-key-reused`
 */
export function decidePayment(
  order: Order,
  request: { method: 'card'; token: string; keyHash: string; requestHash: string; now: number },
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
  const { method, keyHash, requestHash, token } = request;
  return only(
    decided(paymentRequested, { attempt: order.attempts + 1, method, keyHash, requestHash }, { token }),
  );
}

/**
 * The shopper cancels. While an attempt is open the wish is recorded; what was captured is refunded.
 * @throws DomainError `order-state` once it has expired
 */
export function decideCancellation(order: Order, refundId: string): Decision {
  if (order.status === 'cancelled' || order.wish === 'cancel') return nothing;
  if (order.status === 'expired') throw refusal(order, 'The order has expired; there is nothing to cancel.');
  if (order.open) return only(decided(cancelRequested, {}));
  return cancel(order, refundId);
}

/** The reservation is over: the order ends, or its wish to end is recorded while an attempt is open. */
export function decideExpiry(order: Order, now: number): Decision {
  if (order.status !== 'placed' || now < Date.parse(order.placed.reservedUntil)) return nothing;
  if (order.open) return order.wish ? nothing : only(decided(expiryRequested, {}));
  return expire(order);
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
    };
    if (open.step === 'authorise') return { ...common, step: 'authorise', token: open.token };
    return { ...common, step: open.step, authorizationId: open.authorizationId };
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
    case 'requires_action':
      return declined(order, open.number, 'action-required');
    case 'declined':
      return declined(order, open.number, outcome.reason);
    case 'captured':
      return captured(order, open.number, outcome.captureId, open.provider ?? '', refundId);
    case 'voided': {
      const voided = decided(paymentVoided, { attempt: open.number });
      if (open.because === 'capture-failed' && !order.wish) {
        // The shopper hears of it, and may pay in another way.
        return only(voided, declinedEvent(order, open.number, 'capture-failed'));
      }
      return after(voided, order, refundId);
    }
    case 'failed':
      if (open.step === 'capture') {
        const { authorizationId = '', provider = '' } = open;
        const intent = { attempt: open.number, authorizationId, provider };
        return only(decided(voidRequested, { ...intent, because: 'capture-failed' }));
      }
      throw new Error(`the provider will not void ${command.reference}: ${outcome.reason}`);
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
  if (left > 0)
    events.push(refundEvent(order, { refundId, amount: left, reason: 'cancelled', requestHash: 'cancel' }));
  return { events, release: true };
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
  request: { refundId: string; amount: number | undefined; reason: string; requestHash: string },
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
  const amount = request.amount ?? left;
  if (amount > left) throw refusal(order, `At most ${left} minor units can still be refunded.`);
  return only(refundEvent(order, { ...request, amount }));
}

function refundEvent(
  order: Order,
  refund: { refundId: string; amount: number; reason: string; requestHash: string },
): Decided {
  const money = moneyIn(order);
  const { net, tax, shipping } = splitRefund(order, refund.amount);
  return decided(refundRequested, {
    refundId: refund.refundId,
    amount: money(refund.amount),
    breakdown: { net: money(net), tax: money(tax), shipping: money(shipping) },
    reason: refund.reason,
    requestHash: refund.requestHash,
  });
}

function refundOutcome(order: Order, refundId: string, outcome: ProviderOutcome): Decision {
  const refund = order.refunds.find(({ id }) => id === refundId);
  if (refund?.status !== 'pending') return nothing;
  if (outcome.outcome === 'failed') return only(decided(refundFailed, { refundId, reason: outcome.reason }));
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

function refusal(order: Order, detail: string): DomainError {
  return new DomainError('order-state', detail, { orderStatus: order.status });
}

/** When a reservation made at `now` (milliseconds) ends: a card is decided in minutes. */
export function reservedUntil(now: number): string {
  return isoInstant(now + 15 * 60_000);
}
