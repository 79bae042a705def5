import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Money } from '../../../functions/kernel/contract.ts';
import {
  decideCancellation,
  decideDelivery,
  decideExpiry,
  decideFulfilment,
  decideOutcome,
  decidePayment,
  decideRefund,
  decideUnknown,
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
const requiresAction: ProviderOutcome = {
  step: 'authorise',
  outcome: 'requires_action',
  authorizationId: 'auth_1',
  provider: 'sandbox',
  nextAction: { type: 'redirect', url: 'https://bank.example/1' },
};
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

describe('shipping', () => {
  it('fulfils a paid order, then delivers it; repeats say nothing new', () => {
    const history = paid().and(decideFulfilment).and(decideFulfilment);
    expect(viewOf(history.order).status).toBe('fulfilled');
    history.and(decideDelivery).and(decideDelivery).and(decideFulfilment);
    expect(history.types.slice(-2)).toEqual(['order.fulfilled', 'order.delivered']);
    expect(viewOf(history.order)).toMatchObject({ status: 'delivered', payment: { status: 'captured' } });
  });

  it('neither sends what is not paid, nor delivers what was not sent', () => {
    expect(() => placed().and(decideFulfilment)).toThrow(expect.objectContaining({ code: 'order-state' }));
    expect(() => paid().and(cancel).and(decideFulfilment)).toThrow(
      expect.objectContaining({ code: 'order-state' }),
    );
    expect(() => paid().and(decideDelivery)).toThrow(expect.objectContaining({ code: 'order-state' }));
  });

  it('does not cancel what has been sent, and still refunds it', () => {
    const sent = paid().and(decideFulfilment);
    expect(() => sent.and(cancel)).toThrow(expect.objectContaining({ code: 'order-state' }));
    expect(() => sent.and(decideDelivery).and(cancel)).toThrow(
      expect.objectContaining({ code: 'order-state' }),
    );
    sent.and((order) =>
      decideRefund(order, { refundId: 'rfd_2', amount: 500, reason: 'a scratch', requestHash: 'a' }),
    );
    expect(sent.order).toMatchObject({ status: 'delivered', refunds: [{ amount: 500 }] });
  });
});

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

describe('a shopper whom the bank asks', () => {
  const asked = () => placed().and(answer(requiresAction));

  it('is shown where to go, and the attempt stays open', () => {
    const history = asked();
    expect(history.types.at(-1)).toBe('payment.action_required');
    expect(viewOf(history.order).payment).toMatchObject({
      status: 'requires_action',
      provider: 'sandbox',
      nextAction: { type: 'redirect', url: 'https://bank.example/1' },
    });
    expect(answer(requiresAction)(history.order).events).toEqual([]);
    expect(() => pay('tok_b', 'key-2')(history.order)).toThrow(/under way/);
  });

  it('confirms, and the payment goes on', () => {
    const history = asked().and(answer(authorized)).and(answer(captured));
    expect(viewOf(history.order).payment).not.toHaveProperty('nextAction');
    expect(history.order.status).toBe('paid');
  });

  it.each([
    ['cancels', cancel, 'order.cancelled'],
    ['lets the time run out', (order: Order) => decideExpiry(order, later), 'order.expired'],
  ])('%s: what was asked for is given up', (_, end, last) => {
    const history = asked().and(end).and(answer(requiresAction));
    expect(nextCommand(history.order, true)).toMatchObject({ step: 'void', authorizationId: 'auth_1' });
    history.and(answer(voided));
    expect(history.types.at(-1)).toBe(last);
  });
});

describe('an outcome that is not known', () => {
  it('is said once a step, and is over with the next', () => {
    const history = placed().and(decideUnknown);
    expect(viewOf(history.order).payment.status).toBe('unknown');
    expect(decideUnknown(history.order).events).toEqual([]);
    history.and(answer(authorized));
    expect(viewOf(history.order).payment.status).toBe('authorized');
    history.and(decideUnknown).and(answer(captured));
    expect(viewOf(history.order).payment.status).toBe('captured');
    expect(decideUnknown(history.order).events).toEqual([]);
  });
});

describe('a payment that the shopper has authorised in the browser', () => {
  const total = { amount: 23_000, currency: 'KRW' } as const;
  const confirm =
    (amount: Money, keyHash = 'key') =>
    (order: Order) =>
      decidePayment(order, {
        provider: 'sandbox',
        paymentKey: 'pmk_1',
        amount,
        keyHash,
        requestHash: 'hash',
        now: noon,
      });

  it('is confirmed for the total of the order; the key stays off the bus', () => {
    const history = placed(false).and(confirm(total));
    expect(nextCommand(history.order, false)).toMatchObject({
      step: 'authorise',
      paymentKey: 'pmk_1',
      amount: total,
    });
    expect(history.events.at(-1)?.body).not.toContain('pmk_1');
  });

  it.each([
    { amount: 22_999, currency: 'KRW' },
    { amount: 23_001, currency: 'KRW' },
    { amount: 23_000, currency: 'JPY' },
  ] as const)('of %o is refused: nothing is sent', (amount) => {
    expect(() => confirm(amount)(placed(false).order)).toThrow(
      expect.objectContaining({ code: 'amount-mismatch', members: { total } }),
    );
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

  it('a void that comes too late is a capture: kept, or given back if the shopper wished to cancel', () => {
    const tooLate: ProviderOutcome = { step: 'void', outcome: 'captured', captureId: 'cap_1' };
    const kept = placed().and(answer(authorized)).and(answer(captureFailed)).and(answer(tooLate));
    expect(kept.order.status).toBe('paid');
    const cancelled = placed().and(cancel).and(answer(authorized)).and(answer(tooLate));
    expect(cancelled.types.slice(-3)).toEqual(['payment.captured', 'order.cancelled', 'refund.requested']);
    const expired = placed().and(expire).and(answer(authorized)).and(answer(tooLate));
    expect(expired.order.status).toBe('paid');
  });

  it('a void that fails is begun anew, three times in all; then the hold is left to lapse', () => {
    const failed: ProviderOutcome = { step: 'void', outcome: 'failed', reason: 'not-received' };
    const history = placed().and(cancel).and(answer(authorized));
    for (const attempted of [2, 3]) {
      history.and(answer(failed));
      expect(nextCommand(history.order, false)).toMatchObject({ step: 'void', attempted });
    }
    history.and(answer(failed));
    expect(history.types.slice(-2)).toEqual(['payment.voided', 'order.cancelled']);
    expect(JSON.parse(history.events.at(-2)!.body)).toMatchObject({ attempt: 1, lapses: true });
  });

  it('a void that fails is begun anew once, however often it is told of that failure', () => {
    const failed: ProviderOutcome = { step: 'void', outcome: 'failed', reason: 'not-received' };
    const history = placed().and(cancel).and(answer(authorized));
    const first = nextCommand(history.order, false)!;
    for (const _ of [1, 2, 3]) history.and((order) => decideOutcome(order, first, failed, refundId));
    expect(nextCommand(history.order, false)).toMatchObject({ step: 'void', attempted: 2 });
    expect(history.types.filter((type) => type === 'void.requested')).toHaveLength(2);
  });

  it('each step is sent within 20 hours of its own intent, not of the attempt’s', () => {
    const history = placed();
    const captureAt = noon + 19 * 60 * 60_000;
    history.events.push(...eventsOf(history.order, answer(authorized)(history.order), captureAt));
    expect(nextCommand(history.order, true)?.requestedAt).toBe(new Date(captureAt).toISOString());
  });

  it('releases at most once, whatever happens in whatever order', () => {
    const steps = {
      cancel,
      expire,
      authorized,
      requiresAction,
      declined,
      captured,
      voided,
      captureFailed,
      voidFailed: { step: 'void', outcome: 'failed', reason: 'not-voidable' } as ProviderOutcome,
      voidTooLate: { step: 'void', outcome: 'captured', captureId: 'cap_1' } as ProviderOutcome,
      refunded,
      refundFailed: { step: 'refund', outcome: 'failed', reason: 'closed' } as ProviderOutcome,
      unknown: decideUnknown,
    };
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...Object.keys(steps)), { maxLength: 14 }), (names) => {
        const history = placed();
        for (const name of names) {
          const step = steps[name as keyof typeof steps];
          if (typeof step === 'function') {
            try {
              history.and(step);
            } catch {
              // Refused: nothing has changed.
            }
            // Of the provider's answers none is refused: each has a next state.
          } else if (nextCommand(history.order, false)?.step === step.step) history.and(answer(step));
        }
        const releases = history.released.filter(Boolean).length;
        const over = ['cancelled', 'expired'].includes(history.order.status);
        expect(releases).toBe(over ? 1 : 0);
        expect(history.types.filter((type) => type === 'payment.captured').length).toBeLessThanOrEqual(1);
        const { captured: taken, open, refunds } = history.order;
        expect(open && taken).toBeFalsy();
        // What a cancelled order took is given back or promised, unless the provider has refused three times.
        const owed = refunds.filter(({ requestHash }) => requestHash === 'cancel').length;
        if (taken && history.order.status === 'cancelled' && owed < 3) {
          expect(refundable(history.order)).toBe(0);
        }
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

  it('what a cancelled order is owed is tried again, three times in all', () => {
    const failed: ProviderOutcome = { step: 'refund', outcome: 'failed', reason: 'not-received' };
    const history = paid().and(cancel);
    const ids = new Set<string>();
    for (let time = 1; time <= 3; time++) {
      const command = nextCommand(history.order, false);
      expect(command).toMatchObject({ step: 'refund', amount: { amount: 23_000 } });
      ids.add((command as { refundId: string }).refundId);
      history.and(answer(failed));
    }
    expect(ids.size).toBe(3);
    expect(nextCommand(history.order, false)).toBeUndefined();
    expect(history.order.refunds.map(({ status }) => status)).toEqual(['failed', 'failed', 'failed']);
    // An operator can still give it back.
    history.and(refund('rfd_hand')).and(answer(refunded));
    expect(refundedTotal(history.order)).toBe(23_000);
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

  it('gives units back once each, and in any series what was paid for them', () => {
    const history = paid();
    const units = (id: string, quantity: number) => (order: Order) =>
      decideRefund(order, {
        refundId: id,
        lines: [{ sku: 'sku_a', quantity }],
        reason: 'damaged',
        requestHash: id,
      });
    expect(amountOfLines(history.order, [{ sku: 'sku_a', quantity: 1 }])).toBe(10_000);
    expect(() => amountOfLines(history.order, [{ sku: 'sku_a', quantity: 3 }])).toThrow(/2 of sku_a/);
    history.and(units('rfd_a', 1)).and(answer(refunded)).and(units('rfd_b', 1)).and(answer(refunded));
    expect(refundedTotal(history.order)).toBe(20_000);
    expect(units('rfd_b', 1)(history.order).events).toEqual([]);
    expect(() => units('rfd_c', 1)(history.order)).toThrow(/0 of sku_a/);
  });

  it('splits an odd price over its units without a remainder', () => {
    const first = placedEvent({ payment: true });
    const body = JSON.parse(first.body);
    const [line] = body.lines;
    const odd = {
      ...first,
      body: JSON.stringify({ ...body, lines: [{ ...line, quantity: 3, total: 101 }] }),
    };
    const history = new History(odd).and(answer(authorized)).and(answer(captured));
    const amounts = [1, 2, 3].map((unit) => {
      const before = refundedTotal(history.order);
      history
        .and((order) =>
          decideRefund(order, {
            refundId: `rfd_${unit}`,
            lines: [{ sku: 'sku_a', quantity: 1 }],
            reason: 'damaged',
            requestHash: 'one',
          }),
        )
        .and(answer(refunded));
      return refundedTotal(history.order) - before;
    });
    expect(amounts.reduce((a, b) => a + b, 0)).toBe(101);
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
