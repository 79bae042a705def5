import { describe, expect, it } from 'vitest';
import { decideOutcome, decideUnknown, nextCommand } from '../../../functions/order/domain/decide.ts';
import { decideHint, decideReminder, nextLook } from '../../../functions/order/domain/hint.ts';
import type { Order } from '../../../functions/order/domain/order.ts';
import type { ProviderOutcome } from '../../../functions/payment/contract.ts';
import { eventsOf, History, noon, placedEvent } from './given.ts';

const minute = 60_000;
const answer = (outcome: ProviderOutcome) => (order: Order) =>
  decideOutcome(order, nextCommand(order, false)!, outcome, 'rfd_1');
const authorized = answer({
  step: 'authorise',
  outcome: 'authorized',
  authorizationId: 'auth_1',
  provider: 'sandbox',
});
const captured = answer({ step: 'capture', outcome: 'captured', captureId: 'cap_1' });
const asked = answer({
  step: 'authorise',
  outcome: 'requires_action',
  authorizationId: 'auth_1',
  provider: 'sandbox',
  nextAction: { type: 'redirect', url: 'https://bank.example/1' },
});
const hint =
  (now: number, id = 'whk_1', reference = 'ord_TEST1-1') =>
  (order: Order) =>
    decideHint(order, { id, reference }, now);
const placed = () => new History(placedEvent());

describe('a hint', () => {
  it('about a payment that stands still is noted once for each notification', () => {
    const history = placed().and(hint(noon + minute));
    expect(JSON.parse(history.events.at(-1)!.body)).toEqual({
      by: 'provider',
      attempt: 1,
      notification: 'whk_1',
    });
    const later = noon + 10 * minute;
    expect(hint(later)(history.order).events).toEqual([]);
    expect(hint(later, 'whk_2')(history.order).events).toHaveLength(1);
  });

  it('while a run may be under way is left to the run', () => {
    expect(hint(noon + 29_999)(placed().order).events).toEqual([]);
    expect(hint(noon + 30_000)(placed().order).events).toHaveLength(1);
  });

  it.each([
    ['the shopper is awaited', asked],
    ['the outcome is unknown', decideUnknown],
  ])('while %s is noted at once', (_, decide) => {
    expect(hint(noon + 1)(placed().and(decide).order).events).toHaveLength(1);
  });

  it.each([
    ['of an order that has settled', placed().and(authorized).and(captured), 'ord_TEST1-1'],
    ['of another attempt', placed(), 'ord_TEST1-2'],
    ['of an order without a payment', new History(placedEvent({ payment: false })), 'ord_TEST1-0'],
  ])('%s changes nothing', (_, history, reference) => {
    expect(hint(noon + minute, 'whk_1', reference)(history.order).events).toEqual([]);
  });

  it('changes nothing of what is to be done', () => {
    const history = placed().and(asked);
    const before = nextCommand(history.order, true);
    expect(nextCommand(history.and(hint(noon + 1)).order, true)).toEqual(before);
  });

  it('does not fill the history, however many notifications come', () => {
    const history = placed().and(asked);
    for (let n = 0; n < 200; n++) history.and(hint(noon + 1, `whk_${n}`));
    expect(history.types.filter((type) => type === 'payment.hinted')).toHaveLength(50);
  });
});

describe('the reconciler', () => {
  it('asks after two minutes, then less and less often, and never not at all', () => {
    const history = placed();
    const asks: number[] = [];
    for (let now = noon; now < noon + 20 * 60 * minute; now += minute) {
      const decision = decideReminder(history.order, now);
      if (decision.events.length > 0) asks.push((now - noon) / minute);
      history.events.push(...eventsOf(history.order, decision, now));
    }
    expect(asks[0]).toBe(2);
    expect(asks.length).toBeGreaterThan(15);
    expect(asks.length).toBeLessThan(40);
    expect(20 * 60 - asks.at(-1)!).toBeLessThan(5 * 60);
  });

  it('asks about a refund, and looks no more at what has settled', () => {
    const history = placed().and(authorized).and(captured);
    expect(nextLook(history.order)).toBeUndefined();
    expect(decideReminder(history.order, noon + 60 * minute).events).toEqual([]);
    const refunding = { ...history.order, refunds: [pending] };
    expect(nextLook(refunding)).toEqual({ since: pending.requestedAt, at: '2026-11-22T03:02:00.000Z' });
    expect(decideReminder(refunding, noon + 3 * minute).events).toMatchObject([
      { body: { by: 'reconciler', refundId: 'rfd_1' } },
    ]);
  });
});

const pending = {
  id: 'rfd_1',
  amount: 1,
  breakdown: { net: 1, tax: 0, shipping: 0 },
  lines: [],
  reason: 'damaged',
  requestedAt: '2026-11-22T03:00:00.000Z',
  requestHash: 'hash',
  status: 'pending',
} as const;
