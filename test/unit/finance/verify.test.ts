import { describe, expect, test } from 'vitest';
import { verifyDay } from '../../../bench/finance-verify.ts';
import { agreement } from '../../../bench/proofs/agreement.ts';
import type { ChargeView } from '../../../functions/sandbox/contract.ts';
import { exportWorld } from './export-world.ts';
import { capturedOf, entriesOf, refundsOf, type Sale } from './sales.ts';

const date = '2026-11-22';
const timeZone = 'Asia/Seoul';
const sale: Sale = {
  orderId: 'ord_A1',
  at: '2026-11-22T03:00:00.000Z',
  currency: 'USD',
  subtotal: 10_000,
  discount: 0,
  shipping: 500,
  tax: 0,
  taxIncluded: false,
};

/** Four books that agree: a capture of 105.00 and a refund of 10.00. */
async function agreeing() {
  const entries = entriesOf(sale, [1_000]);
  const world = exportWorld(entries);
  await world.run(date);
  const { body: capture } = capturedOf(sale);
  const [{ body: refund } = { body: undefined }] = refundsOf(sale, [1_000]);
  const money = (amount: number) => ({ amount, currency: sale.currency });
  const charge: ChargeView = {
    id: 'aut_1',
    orderId: sale.orderId,
    reference: 'ord_A1-1',
    amount: money(10_500),
    captured: money(10_500),
    refunded: money(1_000),
    status: 'partially_refunded',
    refunds: [{ id: 'ref_1', reference: refund!.refundId, amount: money(1_000) }],
    authorizedAt: sale.at,
    capturedAt: sale.at,
  };
  return {
    date,
    timeZone,
    entries,
    exported: [world.bucket.get(world.keyOf(date, 'journal.csv'))!],
    events: [
      {
        type: 'payment.captured' as const,
        orderId: sale.orderId,
        at: sale.at,
        reference: 'ord_A1-1',
        amount: capture.amount,
      },
      {
        type: 'refund.completed' as const,
        orderId: sale.orderId,
        at: sale.at,
        reference: refund!.refundId,
        amount: refund!.amount,
      },
    ],
    charges: [charge],
  };
}

type Books = Awaited<ReturnType<typeof agreeing>>;
const wrong = (books: Books) =>
  verifyDay(books)
    .filter(({ agree }) => !agree)
    .map(({ what }) => what);

test('books that agree are found to', async () => {
  const books = await agreeing();
  expect(verifyDay(books)).toEqual([
    {
      currency: 'USD',
      what: 'debits',
      ledger: 11_500,
      export: 11_500,
      orders: '',
      provider: '',
      agree: true,
    },
    {
      currency: 'USD',
      what: 'credits',
      ledger: 11_500,
      export: 11_500,
      orders: '',
      provider: '',
      agree: true,
    },
    {
      currency: 'USD',
      what: 'captured',
      ledger: 10_500,
      export: 10_500,
      orders: 10_500,
      provider: 10_500,
      agree: true,
    },
    {
      currency: 'USD',
      what: 'refunded',
      ledger: 1_000,
      export: 1_000,
      orders: 1_000,
      provider: 1_000,
      agree: true,
    },
  ]);
});

describe('it is told when', () => {
  test.each<[string, (books: Books) => Books, string[]]>([
    [
      'an entry has gone from the ledger',
      (books) => ({ ...books, entries: books.entries.slice(1) }),
      ['debits', 'credits', 'captured'],
    ],
    [
      'a posting has gone',
      (books) => ({
        ...books,
        entries: books.entries.map((entry) => ({ ...entry, postings: entry.postings.slice(1) })),
      }),
      ['debits', 'credits', 'captured'],
    ],
    [
      'the export has no row',
      (books) => ({ ...books, exported: [] }),
      ['debits', 'credits', 'captured', 'refunded'],
    ],
    ['an order was not journalled', (books) => ({ ...books, events: books.events.slice(1) }), ['captured']],
    ['the provider has no charge', (books) => ({ ...books, charges: [] }), ['captured', 'refunded']],
    [
      'the provider has a charge that no order knows of',
      (books) => ({
        ...books,
        charges: [...books.charges, { ...books.charges[0]!, reference: 'ord_X-1', refunds: [] }],
      }),
      ['captured'],
    ],
    [
      'the provider gave back more',
      (books) => ({
        ...books,
        charges: books.charges.map((charge) => ({
          ...charge,
          refunds: charge.refunds.map((refund) => ({
            ...refund,
            amount: { ...refund.amount, amount: 1_001 },
          })),
        })),
      }),
      ['refunded'],
    ],
  ])('%s', async (_, change, expected) => {
    expect(wrong(change(await agreeing()))).toEqual(expected);
  });
});

test('generated orders: orders, stock, ledger, exports, settlements and the provider agree to the unit', async () => {
  const figures = await agreement(400, 7);
  expect(figures.books.length).toBeGreaterThan(0);
  expect(figures.books.filter(({ agree }) => !agree)).toEqual([]);
  expect(figures).toMatchObject({
    orders: 400,
    stockDrift: 0,
    unsettled: 0,
    differences: 0,
    unsettledClearing: 0,
    deadLetters: 0,
  });
  expect(Object.values(figures.ends).reduce((sum, count) => sum + count, 0)).toBe(400);
});
