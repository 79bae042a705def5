import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decideCancellation,
  decideExpiry,
  decideOutcome,
  decidePayment,
  decideRefund,
  nextCommand,
} from '../../../functions/order/domain/decide.ts';
import { fold, type Order, refundable, refundedTotal } from '../../../functions/order/domain/order.ts';
import { amountOfLines, splitRefund } from '../../../functions/order/domain/refund.ts';
import { viewOf } from '../../../functions/order/domain/view.ts';
import type { ProviderOutcome } from '../../../functions/payment/contract.ts';
import { eventsOf, History, noon, placedEvent } from './given.ts';

const refundId = 'rfd_1';
const later = noon + 16 * 60_000;
const authorized: ProviderOutcome = {
  step: 'authorise',
  outcome: 'authorized',
  authorizationId: 'auth_1',
  provider: 'sandbox',
};
const captured: ProviderOutcome = { step: 'capture', outcome: 'captured', captureId: 'cap_1' };
const declined: ProviderOutcome = { step: 'authorise', outcome: 'declined', reason: 'card-declined' };
const voided: ProviderOutcome = { step: 'void', outcome: 'voided' };
const captureFailed: ProviderOutcome = { step: 'capture', outcome: 'failed', reason: 'expired' };
const refunded: ProviderOutcome = { step: 'refund', outcome: 'refunded', providerRefundId: 're_1' };

/** The provider answers what is outstanding. */
const answer = (outcome: ProviderOutcome) => (order: Order) =>
  decideOutcome(order, nextCommand(order, false)!, outcome, refundId);
const cancel = (order: Order) => decideCancellation(order, refundId);
const expire = (order: Order) => decideExpiry(order, later);
const pay =
  (token = 'tok_approve', keyHash = 'key', now = noon) =>
  (order: Order) =>
    decidePayment(order, { method: 'card', token, keyHash, requestHash: token, now });
const placed = (payment = true) => new History(placedEvent({ payment }));
const paid = () => placed().and(answer(authorized)).and(answer(captured));

describe('paying', () => {
  it('authorises, then captures, then is paid', () => {
    const history = placed();
    expect(nextCommand(history.order, false)).toMatchObject({
      step: 'authorise',
      token: 'tok_approve',
      reference: 'ord_TEST1-1',
    });
    history.and(answer(authorized));
    expect(nextCommand(history.order, true)).toMatchObject({
      step: 'capture',
      authorizationId: 'auth_1',
      ask: true,
    });
    history.and(answer(captured));
    expect(nextCommand(history.order, false)).toBeUndefined();
    expect(history.types).toEqual(['order.placed', 'capture.requested', 'payment.captured']);
    expect(viewOf(history.order)).toMatchObject({
      status: 'paid',
      payment: {
        status: 'captured',
        provider: 'sandbox',
        amountCaptured: { amount: 23_000, currency: 'KRW' },
      },
    });
  });

  it('stays placed after a decline, and can be paid with another card', () => {
    const history = placed().and(answer(declined));
    expect(viewOf(history.order)).toMatchObject({
      status: 'placed',
      payment: { status: 'declined', lastError: 'card-declined' },
    });
    history.and(pay('tok_other'));
    expect(nextCommand(history.order, false)).toMatchObject({ token: 'tok_other', reference: 'ord_TEST1-2' });
    history.and(answer(authorized)).and(answer(captured));
    expect(history.order.status).toBe('paid');
  });

  it('refuses a second attempt while one is open, and after the reservation is over', () => {
    expect(() => pay()(placed().order)).toThrow(/under way/);
    const unpaid = placed(false);
    expect(() => pay('tok_approve', 'key', later)(unpaid.order)).toThrow(/reservation is over/);
  });

  it('answers a repeated payment request with what it did, and refuses its key for another token', () => {
    const history = placed(false).and(pay('tok_a', 'key-1'));
    expect(pay('tok_a', 'key-1')(history.order).events).toEqual([]);
    expect(() => pay('tok_b', 'key-1')(history.order)).toThrow(/another payment/);
  });

  it('gives up the hold when the capture fails for good, and lets the shopper pay again', () => {
    const history = placed().and(answer(authorized)).and(answer(captureFailed));
    expect(nextCommand(history.order, false)).toMatchObject({ step: 'void', authorizationId: 'auth_1' });
    history.and(answer(voided));
    expect(history.types.slice(-2)).toEqual(['payment.voided', 'payment.declined']);
    expect(pay('tok_b', 'key-2')(history.order).events).toHaveLength(1);
  });

  it('dates a capture and a void by their own intents, not by that of the attempt', () => {
    const nextDay = noon + 21 * 3_600_000;
    const at = (history: History, outcome: ProviderOutcome) => {
      const { order } = history;
      history.events.push(...eventsOf(order, answer(outcome)(order), nextDay));
      return nextCommand(history.order, true);
    };
    const requestedAt = new Date(nextDay).toISOString();
    expect(at(placed(), authorized)).toMatchObject({ step: 'capture', requestedAt });
    expect(at(placed().and(cancel), authorized)).toMatchObject({ step: 'void', requestedAt });
  });

  it.each([
    ['authorise', authorized],
    ['decline', declined],
  ])('ignores a duplicate answer to %s', (_name, outcome) => {
    const history = placed();
    const command = nextCommand(history.order, false)!;
    history.and(answer(outcome));
    expect(decideOutcome(history.order, command, outcome, refundId).events).toEqual([]);
  });
});

describe('ending', () => {
  it('cancels an order without an open attempt at once and releases its stock', () => {
    const history = placed(false).and(cancel);
    expect(history.types.at(-1)).toBe('order.cancelled');
    expect(history.released).toEqual([true]);
    expect(cancel(history.order).events).toEqual([]);
  });

  it('keeps a wish to cancel until the open attempt settles, and then gives up the hold', () => {
    const history = placed().and(cancel);
    expect(history.types.at(-1)).toBe('cancel.requested');
    expect(history.released).toEqual([false]);
    history.and(answer(authorized)).and(answer(voided));
    expect(history.types.slice(2)).toEqual(['void.requested', 'payment.voided', 'order.cancelled']);
    expect(history.released.at(-1)).toBe(true);
  });

  it('cancels with a refund when the capture was already on its way', () => {
    const history = placed().and(answer(authorized)).and(cancel).and(answer(captured));
    expect(history.types.slice(-3)).toEqual(['payment.captured', 'order.cancelled', 'refund.requested']);
    history.and(answer(refunded));
    expect(viewOf(history.order)).toMatchObject({ status: 'cancelled', payment: { status: 'refunded' } });
  });

  it('refunds a paid order that is cancelled', () => {
    const history = paid().and(cancel);
    expect(history.types.slice(-2)).toEqual(['order.cancelled', 'refund.requested']);
    expect(history.released.at(-1)).toBe(true);
  });

  it('expires an unpaid order only once its time is over', () => {
    expect(decideExpiry(placed(false).order, noon).events).toEqual([]);
    const history = placed(false).and(expire);
    expect(history.order.status).toBe('expired');
    expect(history.released).toEqual([true]);
    expect(expire(history.order).events).toEqual([]);
    expect(() => cancel(history.order)).toThrow(/expired/);
  });

  it('neither expires nor forgets an order whose attempt is open', () => {
    const history = placed().and(expire);
    expect(history.types.at(-1)).toBe('expiry.requested');
    expect(expire(history.order).events).toEqual([]);
    history.and(answer(declined));
    expect(history.types.slice(-2)).toEqual(['payment.declined', 'order.expired']);
    // Nobody is told to pay again what has ended.
    expect(JSON.parse(history.events.at(-2)!.body)).not.toHaveProperty('retryUntil');
    expect(history.released.at(-1)).toBe(true);
  });

  it('a capture that was on its way when the time ran out keeps the order', () => {
    const history = placed().and(answer(authorized)).and(expire).and(answer(captured));
    expect(history.order.status).toBe('paid');
    expect(history.released.every((released) => !released)).toBe(true);
  });

  it('releases at most once, whatever happens in whatever order', () => {
    const steps = { cancel, expire, authorized, declined, captured, voided, captureFailed, refunded };
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...Object.keys(steps)), { maxLength: 14 }), (names) => {
        const history = placed();
        for (const name of names) {
          const step = steps[name as keyof typeof steps];
          try {
            if (typeof step === 'function') history.and(step);
            else if (nextCommand(history.order, false)?.step === step.step) history.and(answer(step));
          } catch {
            // Refused: nothing has changed.
          }
        }
        const releases = history.released.filter(Boolean).length;
        const over = ['cancelled', 'expired'].includes(history.order.status);
        expect(releases).toBe(over ? 1 : 0);
        expect(history.types.filter((type) => type === 'payment.captured').length).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('refunding', () => {
  const refund = (id: string, amount?: number) => (order: Order) =>
    decideRefund(order, { refundId: id, amount, reason: 'damaged', requestHash: `${amount}` });

  it('gives back what is left, never more than was captured', () => {
    const history = paid().and(refund('rfd_a', 5_000)).and(answer(refunded));
    expect(() => refund('rfd_b', 18_001)(history.order)).toThrow(/At most 18000/);
    history.and(refund('rfd_b'));
    expect(refundable(history.order)).toBe(0);
    history.and(answer({ ...refunded, providerRefundId: 're_2' }));
    expect(refundedTotal(history.order)).toBe(23_000);
    expect(() => refund('rfd_c')(history.order)).toThrow(/nothing captured/);
  });

  it('answers a repeat with the same refund, and refuses its key for another amount', () => {
    const history = paid().and(refund('rfd_a', 5_000));
    expect(refund('rfd_a', 5_000)(history.order).events).toEqual([]);
    expect(() => refund('rfd_a', 6_000)(history.order)).toThrow(/another refund/);
  });

  it('a refund that the provider refuses can be asked for again', () => {
    const history = paid()
      .and(refund('rfd_a'))
      .and(answer({ step: 'refund', outcome: 'failed', reason: 'closed' }));
    expect(refundable(history.order)).toBe(23_000);
  });

  it('splits any series of refunds so that all together reverse the sale', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1, maxLength: 8 }), (amounts) => {
        const history = paid();
        for (const [index, wish] of [...amounts, undefined].entries()) {
          const left = refundable(history.order);
          if (left === 0) break;
          const amount = wish === undefined ? left : Math.min(wish, left);
          const parts = splitRefund(history.order, amount);
          expect(parts.net + parts.tax + parts.shipping).toBe(amount);
          expect(Math.min(parts.net, parts.tax, parts.shipping)).toBeGreaterThanOrEqual(0);
          history.and(refund(`rfd_${index}`, amount)).and(answer(refunded));
        }
        const sum = (part: 'net' | 'tax' | 'shipping') =>
          history.order.refunds.reduce((total, { breakdown }) => total + breakdown[part], 0);
        expect([sum('net'), sum('tax'), sum('shipping')]).toEqual([18_182, 1_818, 3_000]);
      }),
    );
  });

  it('prices lines by what was paid for them', () => {
    const { order } = paid();
    expect(amountOfLines(order, [{ sku: 'sku_a', quantity: 1 }])).toBe(10_000);
    expect(() => amountOfLines(order, [{ sku: 'sku_a', quantity: 3 }])).toThrow(/has 2/);
  });
});

describe('folding', () => {
  it('refuses a history with a gap or an unknown type', () => {
    const { events } = paid();
    expect(() => fold([events[0]!, events[2]!])).toThrow(/missing/);
    expect(() => fold([events[0]!, { ...events[1]!, type: 'order.teleported' }])).toThrow(
      /unknown event type/,
    );
    expect(() => fold(events.slice(1))).toThrow(/begins with/);
  });

  it('keeps personal data and the token out of what leaves on the bus', () => {
    const first = placedEvent();
    const onTheBus = JSON.stringify({ ...first, confidential: undefined });
    expect(onTheBus).not.toContain('Kim Yuna');
    expect(onTheBus).not.toContain('tok_approve');
  });
});
