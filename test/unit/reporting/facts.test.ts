import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventContract } from '../../../functions/kernel/contract.ts';
import type { StoredEvent } from '../../../functions/kernel/events.ts';
import { canonicalJson } from '../../../functions/kernel/ids.ts';
import { paymentActionRequired, paymentHinted, paymentUnknown } from '../../../functions/order/contract.ts';
import {
  decideCancellation,
  decideExpiry,
  decideOutcome,
  decidePayment,
  decideRefund,
  nextCommand,
} from '../../../functions/order/domain/decide.ts';
import type { Order } from '../../../functions/order/domain/order.ts';
import { viewOf } from '../../../functions/order/domain/view.ts';
import type { ProviderOutcome } from '../../../functions/payment/contract.ts';
import { followOrder } from '../../../functions/reporting/app/follow-order.ts';
import { followedEvents } from '../../../functions/reporting/contract.ts';
import { type Fact, type Facts, factsOf, rowOf } from '../../../functions/reporting/domain/facts.ts';
import { History, noon, placedEvent } from '../order/given.ts';
import { received } from './received.ts';

const authorized: ProviderOutcome = {
  step: 'authorise',
  outcome: 'authorized',
  authorizationId: 'auth_1',
  provider: 'sandbox',
};
const captured: ProviderOutcome = { step: 'capture', outcome: 'captured', captureId: 'cap_1' };
const captureFailed: ProviderOutcome = { step: 'capture', outcome: 'failed', reason: 'expired' };
const declined: ProviderOutcome = { step: 'authorise', outcome: 'declined', reason: 'card-declined' };
const voided: ProviderOutcome = { step: 'void', outcome: 'voided' };
const refunded: ProviderOutcome = { step: 'refund', outcome: 'refunded', providerRefundId: 're_1' };
const refused: ProviderOutcome = { step: 'refund', outcome: 'failed', reason: 'closed' };

const answer = (outcome: ProviderOutcome) => (order: Order) =>
  decideOutcome(order, nextCommand(order, false)!, outcome, 'rfd_9');
const cancel = (order: Order) => decideCancellation(order, 'rfd_9');
const expire = (order: Order) => decideExpiry(order, noon + 16 * 60_000);
const pay = (order: Order) =>
  decidePayment(order, { method: 'card', token: 'tok_b', keyHash: 'k', requestHash: 'b', now: noon });
const refund = (refundId: string, amount?: number) => (order: Order) =>
  decideRefund(order, { refundId, amount, reason: 'late', requestHash: refundId });

const alone = (contract: EventContract, body: object) => () => ({
  events: [{ contract, body }],
  release: false,
});
const attempt = { attempt: 1 };
const unknown = alone(paymentUnknown, { ...attempt, step: 'authorise' });
const hinted = alone(paymentHinted, { by: 'provider', ...attempt });
const askedToAct = alone(paymentActionRequired, {
  ...attempt,
  authorizationId: 'auth_1',
  provider: 'sandbox',
  nextAction: { type: 'redirect', url: 'https://bank.example' },
});

const placed = (payment = true) => new History(placedEvent({ payment }));
const paid = () => placed().and(answer(authorized)).and(answer(captured));

const histories: Readonly<Record<string, History>> = {
  'placed without payment': placed(false),
  'payment under way': placed(),
  'outcome unknown': placed().and(unknown).and(hinted),
  'shopper to act': placed().and(unknown).and(askedToAct),
  'shopper to act, then to cancel': placed().and(askedToAct).and(cancel),
  'shopper acted, outcome unknown': placed().and(askedToAct).and(cancel).and(unknown),
  'paid after acting': placed().and(askedToAct).and(hinted).and(answer(authorized)).and(answer(captured)),
  authorised: placed().and(answer(authorized)),
  paid: paid(),
  'declined, then expired': placed().and(answer(declined)).and(expire),
  'declined, then paid': placed()
    .and(answer(declined))
    .and(pay)
    .and(answer(authorized))
    .and(answer(captured)),
  'cancelled before paying': placed(false).and(cancel),
  'cancelled while paying': placed().and(cancel).and(answer(authorized)).and(answer(voided)),
  'cancelled after paying': paid().and(cancel).and(answer(refunded)),
  'never captured': placed().and(answer(authorized)).and(answer(captureFailed)).and(answer(voided)),
  'refunded in two parts': paid()
    .and(refund('rfd_1', 8_000))
    .and(answer(refunded))
    .and(refund('rfd_2'))
    .and(answer(refunded)),
  'refund refused': paid().and(refund('rfd_1', 100)).and(answer(refused)),
};

/** The row's facts as the table holds them, by attribute. */
function inMemory() {
  const facts = new Map<number, Fact>();
  const follow = followOrder({
    addFacts: async (_, more: Facts) => {
      for (const [seq, fact] of more) facts.set(seq, fact);
    },
  });
  return { facts, take: (event: StoredEvent) => follow(received(followedEvents, event)) };
}

const bytes = (facts: Facts) => canonicalJson([...facts].sort(([a], [b]) => a - b));

function permutations<T>(values: readonly T[]): T[][] {
  if (values.length === 0) return [[]];
  return values.flatMap((value, index) =>
    permutations(values.toSpliced(index, 1)).map((rest) => [value, ...rest]),
  );
}

describe('a row of the operators’ list', () => {
  it.each(Object.entries(histories))('tells of an order as the order does: %s', (_, { events, order }) => {
    const row = rowOf(order.id, factsOf(events.map((event) => received(followedEvents, event))));
    const view = viewOf(order);
    expect(row).toEqual({
      id: order.id,
      number: view.number,
      customerId: 'customer-1',
      status: view.status,
      paymentStatus: view.payment.status,
      total: view.total,
      refunded: view.payment.amountRefunded,
      placedAt: view.createdAt,
      updatedAt: view.updatedAt,
      seq: view.version,
    });
  });

  it.each(Object.entries(histories).filter(([, { events }]) => events.length <= 6))(
    'ends the same, byte for byte, in every order of arrival: %s',
    async (_, { events }) => {
      const inTurn = inMemory();
      for (const event of events) await inTurn.take(event);
      for (const order of permutations(events)) {
        const any = inMemory();
        for (const event of order) await any.take(event);
        expect(bytes(any.facts)).toBe(bytes(inTurn.facts));
      }
    },
  );

  it('ends the same when events come several times', async () => {
    const { events } = histories['refunded in two parts']!;
    const once = inMemory();
    for (const event of events) await once.take(event);
    const arrivals = fc
      .array(fc.constantFrom(...events), { maxLength: 12 })
      .chain((more) => fc.shuffledSubarray([...events, ...more], { minLength: events.length + more.length }));
    await fc.assert(
      fc.asyncProperty(arrivals, async (order) => {
        const any = inMemory();
        for (const event of order) await any.take(event);
        expect(bytes(any.facts)).toBe(bytes(once.facts));
      }),
    );
  });

  it('is not there before the first event, and says what is known while one is missing', () => {
    const { events, order } = histories.paid!;
    const facts = factsOf(events.map((event) => received(followedEvents, event)));
    expect(rowOf(order.id, new Map([...facts].filter(([seq]) => seq !== 1)))).toBeUndefined();
    expect(rowOf(order.id, new Map([...facts].filter(([seq]) => seq !== 2)))).toMatchObject({
      status: 'paid',
      paymentStatus: 'captured',
      seq: 3,
    });
  });

  it('follows every event of the order’s contract', async () => {
    const types = followedEvents.map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(['order.placed', 'payment.captured', 'refund.completed']));
    expect(new Set(types).size).toBe(types.length);
    expect(followedEvents.every(({ source }) => source === 'floodgate.order')).toBe(true);
  });
});
