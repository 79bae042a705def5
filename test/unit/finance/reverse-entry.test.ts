import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  addEntry,
  addReversal,
  entriesOf as entriesOn,
  entryAt,
} from '../../../functions/finance/adapters/journal-table.ts';
import { reverseEntry } from '../../../functions/finance/app/reverse-entry.ts';
import {
  balances,
  reversalOf,
  settlementEntry,
  totalsOf,
  voidEntry,
} from '../../../functions/finance/domain/journal.ts';
import { financeTable } from '../../../functions/finance/table.infra.ts';
import { startDynamo, type TestDynamo } from '../../support/dynamo.ts';
import { anySale, entriesOf, type Sale, totalOf } from './sales.ts';

let dynamo: TestDynamo | undefined;
beforeAll(async () => {
  dynamo = await startDynamo(financeTable);
});
afterAll(() => dynamo?.stop());

const zone = 'Asia/Seoul';
const sale: Sale = {
  orderId: 'ord_A1',
  at: '2026-11-22T03:00:00.000Z',
  currency: 'KRW',
  subtotal: 45_000,
  discount: 0,
  shipping: 3_000,
  tax: 4_090,
  taxIncluded: true,
};

describe('a correction', () => {
  const decision = { by: 'Lee', reason: 'booked for the wrong shop' };
  const table = () => [dynamo!.documents, dynamo!.table('finance')] as const;
  const reverse = (now: string) =>
    reverseEntry({
      now: () => Date.parse(now),
      timeZone: zone,
      entry: entryAt(...table()),
      addReversal: addReversal(...table()),
    });

  test('is an entry of its own day that takes the other back, once for all days, and changes nothing', async () => {
    const [entry] = entriesOf(sale, []);
    await addEntry(...table())(entry!);
    const request = { businessDate: entry!.businessDate, eventId: entry!.eventId, ...decision };
    const first = await reverse('2026-11-25T03:00:00.000Z')(request);
    const again = await reverse('2026-11-26T03:00:00.000Z')(request);
    expect(again).toEqual(first);
    expect(first).toMatchObject({
      entryId: 'jrn_A1-3-reversal',
      businessDate: '2026-11-25',
      reverses: { entryId: 'jrn_A1-3', ...decision },
    });
    expect(await entriesOn(...table())('2026-11-22')).toEqual([JSON.parse(JSON.stringify(entry))]);
    expect(await entriesOn(...table())('2026-11-25')).toHaveLength(1);
    expect(await entriesOn(...table())('2026-11-26')).toEqual([]);
    const both = totalsOf(
      [...entry!.postings, ...first.postings].filter(({ account }) => account === 'sales'),
    );
    expect(both.KRW!.debit).toBe(both.KRW!.credit);
  });

  test('of a correction is refused, and so is one of what is not there', async () => {
    const [entry] = entriesOf({ ...sale, orderId: 'ord_B1', at: '2026-10-22T03:00:00.000Z' }, []);
    await addEntry(...table())(entry!);
    const correct = reverse('2026-10-25T03:00:00.000Z');
    const made = await correct({ businessDate: '2026-10-22', eventId: entry!.eventId, ...decision });
    await expect(
      correct({ businessDate: made.businessDate, eventId: made.eventId, ...decision }),
    ).rejects.toMatchObject({ name: 'already-exists' });
    await expect(
      correct({ businessDate: '2026-10-22', eventId: 'evt_X-1', ...decision }),
    ).rejects.toMatchObject({ name: 'not-found' });
  });
});

test('after every entry the books balance in every currency, whatever came in whatever order', () => {
  const amount = fc.record({
    amount: fc.integer({ min: 1, max: 900_000_000 }),
    currency: fc.constantFrom('KRW' as const, 'USD' as const, 'KWD' as const),
  });
  const at = '2026-11-23T00:00:00.000Z';
  const settled = fc.oneof(
    fc.record({ kind: fc.constant('fee' as const), amount, returned: fc.boolean() }),
    fc.record({ kind: fc.constant('payout' as const), amount, returned: fc.boolean() }),
    fc.record({
      kind: fc.constant('chargeback' as const),
      amount,
      orderId: fc.constant('ord_1'),
      reference: fc.constant('ord_1-1'),
      returned: fc.boolean(),
    }),
  );
  const entries = fc.oneof(
    anySale.map((any) =>
      entriesOf(
        any,
        [totalOf(any)].filter((total) => total > 0),
      ),
    ),
    settled.map((item) => [settlementEntry('stl_x', item, at, zone)]),
    amount.map((held) => [
      voidEntry({ id: 'evt_V-3', orderId: 'ord_V', at, body: { attempt: 1, amount: held } }, zone),
    ]),
    anySale.map((any) => {
      const [entry] = entriesOf(any, []);
      return [entry!, reversalOf(entry!, { at, by: 'Lee', reason: 'wrong' }, zone)];
    }),
  );
  fc.assert(
    fc.property(
      fc.array(entries, { maxLength: 12 }).chain((all) => fc.shuffledSubarray(all.flat(), { minLength: 0 })),
      (journal) => {
        for (let length = 0; length <= journal.length; length++) {
          expect(balances(totalsOf(journal.slice(0, length).flatMap(({ postings }) => postings)))).toBe(true);
        }
      },
    ),
  );
});

test('a hold that was given up is a memo: it touches no account of the balance sheet', () => {
  const held = { amount: 5_000, currency: 'KRW' as const };
  const entry = voidEntry(
    { id: 'evt_V-3', orderId: 'ord_V', at: sale.at, body: { attempt: 2, amount: held } },
    zone,
  );
  expect(entry.reference).toBe('ord_V-2');
  expect(entry.postings.every(({ account }) => account.startsWith('holds-given-up'))).toBe(true);
});
