import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addDays } from '../../../functions/finance/domain/business-date.ts';
import { refundEntry, reversalOf } from '../../../functions/finance/domain/journal.ts';
import { charged, saleOn, reconcileWorld as world, zone } from './reconcile-world.ts';
import { refundsOf, type Sale } from './sales.ts';

const first = '2026-11-20';

/** `count` sales that both sides have alike, from `day` on. */
function agreed(w: ReturnType<typeof world>, day: string, count: number): void {
  w.settle(day);
  for (let index = 0; index < count; index++) {
    const sale = saleOn(`ord_${day.slice(8)}OK${index}`, day);
    w.book(sale);
    w.settle(day, charged(sale));
    if (index % 3 > 0) continue;
    const [refund] = refundsOf(sale, [1_000]);
    w.journal.push(refundEntry(refund!, zone));
    w.settle(day, {
      ...charged(sale, { type: 'refund', reference: refund!.body.refundId, gross: -1_000, fee: 0 }),
      providerId: `ref_${index}`,
    });
  }
}

const opened = (found: { what: string; resolved: string | undefined }[]) =>
  found
    .filter(({ resolved }) => resolved === undefined)
    .map(({ what }) => what)
    .sort();

test('every planted difference is found with its type, and nothing else', async () => {
  const w = world();
  const [second, third] = [addDays(first, 1), addDays(first, 2)];
  for (const day of [first, second, third]) agreed(w, day, 30);
  const planted = {
    lost: saleOn('ord_LOST', first),
    unknown: saleOn('ord_UNKNOWN', first),
    amount: saleOn('ord_AMOUNT', first),
    currency: saleOn('ord_CURRENCY', first),
    fee: saleOn('ord_FEE', first),
    twice: saleOn('ord_TWICE', first),
    late: saleOn('ord_LATE', first, '23:59:59.900Z'),
    early: saleOn('ord_EARLY', second, '00:00:00.100Z'),
  };
  for (const [name, sale] of Object.entries(planted)) if (name !== 'unknown') w.book(sale);
  const { unknown, amount, currency, fee, twice, late, early } = planted;
  w.settle(
    first,
    charged(unknown),
    charged(amount, { gross: 9_999 }),
    charged(currency, { currency: 'EUR' }),
    charged(fee, { fee: 291 }),
    charged(twice),
    charged(twice),
    charged(early, { occurredAt: `${first}T23:59:59.999Z` }),
  );
  w.settle(second, charged(late, { occurredAt: `${second}T00:00:00.100Z` }));

  const one = await w.reconcile(first);
  expect(opened(one)).toEqual([
    'amount charge ord_AMOUNT-1',
    'amount charge ord_CURRENCY-1',
    'duplicate charge ord_TWICE-1',
    'fee charge ord_FEE-1',
    'missing-here charge ord_UNKNOWN-1',
    // Not in today's file: it may be in tomorrow's.
    'timing charge ord_LATE-1',
    'timing charge ord_LOST-1',
  ]);
  expect(one.filter(({ resolved }) => resolved)).toEqual([
    { what: 'timing charge ord_EARLY-1', ageDays: 0, resolved: first },
  ]);

  const two = await w.reconcile(second);
  expect(opened(two)).toEqual([
    'amount charge ord_AMOUNT-1',
    'amount charge ord_CURRENCY-1',
    'duplicate charge ord_TWICE-1',
    'fee charge ord_FEE-1',
    'missing-at-provider charge ord_LOST-1',
    'missing-here charge ord_UNKNOWN-1',
  ]);
  expect(
    two
      .filter(({ resolved }) => resolved)
      .map(({ what }) => what)
      .sort(),
  ).toEqual(['timing charge ord_LATE-1', 'timing charge ord_LOST-1']);
  const three = await w.reconcile(third);
  expect(opened(three)).toEqual(opened(two));
  expect(three.map(({ ageDays }) => ageDays)).toEqual(three.map(() => 2));
});

test('a difference is resolved when the other side makes it good, with its age', async () => {
  const w = world();
  const [second, third, fourth] = [1, 2, 3].map((by) => addDays(first, by)) as [string, string, string];
  for (const day of [first, second, third, fourth]) w.settle(day);
  const [unknown, amount, fee, twice, lost] = ['UNKNOWN', 'AMOUNT', 'FEE', 'TWICE', 'LOST'].map((name) =>
    saleOn(`ord_${name}`, first),
  ) as [Sale, Sale, Sale, Sale, Sale];
  for (const sale of [amount, fee, twice, lost]) w.book(sale);
  w.settle(
    first,
    charged(unknown),
    charged(amount, { gross: 9_999 }),
    charged(fee, { fee: 291 }),
    charged(twice),
    charged(twice),
  );
  expect(opened(await w.reconcile(first))).toHaveLength(5);
  // The journal takes in what it had missed; the provider corrects itself; we take back what never was.
  w.book(unknown);
  const correction = (sale: Sale, gross: number, by: number) => ({
    ...charged(sale, { type: 'adjustment', gross, fee: by, occurredAt: `${second}T08:00:00.000Z` }),
  });
  w.settle(second, correction(amount, 1, 0), correction(fee, 0, -1), correction(twice, -10_000, -290));
  const two = await w.reconcile(second);
  expect(opened(two)).toEqual(['missing-at-provider charge ord_LOST-1']);
  expect(
    two
      .filter(({ resolved }) => resolved)
      .map(({ what, ageDays }) => `${what} ${ageDays}`)
      .sort(),
  ).toEqual([
    'amount charge ord_AMOUNT-1 1',
    'duplicate charge ord_TWICE-1 1',
    'fee charge ord_FEE-1 1',
    'missing-here charge ord_UNKNOWN-1 1',
    'timing charge ord_LOST-1 1',
  ]);
  const entry = w.journal.find(({ orderId }) => orderId === 'ord_LOST')!;
  w.journal.push(reversalOf(entry, { at: `${third}T09:00:00.000Z`, by: 'Lee', reason: 'never was' }, zone));
  expect(await w.reconcile(third)).toEqual([
    { what: 'missing-at-provider charge ord_LOST-1', ageDays: 2, resolved: third },
  ]);
  expect(await w.reconcile(fourth)).toEqual([]);
});

describe('what only the provider can tell', () => {
  test('is booked once: fees and payouts by currency, each chargeback, and each that was won', async () => {
    const w = world();
    const sale = saleOn('ord_A1', first);
    w.book(sale);
    w.settle(
      first,
      charged(sale),
      charged(sale, { type: 'dispute', providerId: 'dsp_1', gross: -10_000, fee: 0 }),
      charged(sale, { type: 'dispute', providerId: 'dsp_1', gross: 4_000, fee: 0 }),
      charged(sale, { type: 'payout', reference: 'pay_1', providerId: 'pay_1', gross: -3_710, fee: 0 }),
    );
    await w.reconcile(first);
    const posted = w.journal.filter(({ eventId }) => eventId.startsWith('stl_'));
    expect(
      posted.map(({ eventId, businessDate, orderId, postings }) => ({
        eventId,
        businessDate,
        orderId,
        postings: postings.map(({ account, debit, credit }) => `${account} ${debit} ${credit}`),
      })),
    ).toEqual([
      {
        eventId: `stl_${first}-fee-USD`,
        businessDate: '2026-11-21',
        orderId: undefined,
        postings: ['payment-fees 290 0', 'payment-clearing 0 290'],
      },
      {
        eventId: `stl_${first}-dsp_1`,
        businessDate: '2026-11-21',
        orderId: 'ord_A1',
        postings: ['chargebacks 10000 0', 'payment-clearing 0 10000'],
      },
      {
        eventId: `stl_${first}-dsp_1-won`,
        businessDate: '2026-11-21',
        orderId: 'ord_A1',
        postings: ['payment-clearing 4000 0', 'chargebacks 0 4000'],
      },
      {
        eventId: `stl_${first}-payout-USD`,
        businessDate: '2026-11-21',
        orderId: undefined,
        postings: ['bank 3710 0', 'payment-clearing 0 3710'],
      },
    ]);
    // Everything has been settled: nothing is left on the clearing account.
    const clearing = w.journal
      .flatMap(({ postings }) => postings)
      .filter(({ account }) => account === 'payment-clearing');
    expect(clearing.reduce((sum, { debit, credit }) => sum + debit - credit, 0)).toBe(0);
  });
});

describe('the file', () => {
  test('is waited for; the days come one after the other; a reconciled day is left alone', async () => {
    const w = world();
    expect(await w.fetch({ time: '2026-11-21T03:00:00Z' })).toEqual({ date: first, state: 'waiting' });
    w.settle(first);
    await w.reconcile(first);
    expect(await w.fetch({ time: '2026-11-21T04:00:00Z' })).toEqual({ date: first, state: 'reconciled' });
    expect(await w.fetch({ time: '2026-11-30T04:00:00Z' })).toMatchObject({ date: '2026-11-21' });
  });

  test('must not change once it was fetched', async () => {
    const w = world();
    w.settle(first, charged(saleOn('ord_A1', first)));
    await w.fetch({ time: '2026-11-21T03:00:00Z' });
    w.settle(first, charged(saleOn('ord_A2', first)));
    await expect(w.fetch({ time: '2026-11-21T04:00:00Z' })).rejects.toThrow(
      'has changed its settlement file',
    );
  });
});

test('books that agree give no difference, at whatever time of the day and however the days fall', async () => {
  const time = fc.integer({ min: 0, max: 3 * 86_400_000 - 1 });
  await fc.assert(
    fc.asyncProperty(fc.array(time, { maxLength: 20 }), async (times) => {
      const w = world();
      const days = [0, 1, 2].map((by) => addDays(first, by));
      for (const day of days) w.settle(day);
      for (const [index, offset] of times.entries()) {
        const at = new Date(Date.parse(`${first}T00:00:00Z`) + offset).toISOString();
        const sale = saleOn(`ord_${index}`, at.slice(0, 10), at.slice(11));
        w.book(sale);
        w.settle(at.slice(0, 10), charged(sale));
      }
      for (const day of days) expect(await w.reconcile(day)).toEqual([]);
    }),
    { numRuns: 30 },
  );
});
