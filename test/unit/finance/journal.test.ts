import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Account, accounts } from '../../../functions/finance/domain/accounts.ts';
import {
  balances,
  type JournalEntry,
  refundEntry,
  saleEntry,
  totalsOf,
} from '../../../functions/finance/domain/journal.ts';
import { anySale, capturedOf, entriesOf, refundsOf, type Sale, totalOf } from './sales.ts';

/** Of an account, on the side on which it grows. */
function balance(entries: readonly JournalEntry[], account: Account): number {
  const net = entries
    .flatMap((entry) => entry.postings)
    .filter((posting) => posting.account === account)
    .reduce((sum, { debit, credit }) => sum + debit - credit, 0);
  return accounts[account].increases === 'debit' ? net : 0 - net;
}

const sale: Sale = {
  orderId: 'ord_A1',
  at: '2026-11-22T15:30:00.000Z',
  currency: 'KRW',
  subtotal: 45_000,
  discount: 2_000,
  shipping: 3_000,
  tax: 3_909,
  taxIncluded: true,
};

describe('a sale', () => {
  test('with the tax in its prices', () => {
    expect(saleEntry(capturedOf(sale), 'Asia/Seoul')).toEqual({
      entryId: 'jrn_A1-3',
      eventId: 'evt_A1-3',
      orderId: 'ord_A1',
      reference: 'ord_A1-1',
      occurredAt: '2026-11-22T15:30:00.000Z',
      businessDate: '2026-11-23',
      postings: [
        { kind: 'capture', account: 'payment-clearing', debit: 46_000, credit: 0, currency: 'KRW' },
        { kind: 'discount', account: 'discounts', debit: 2_000, credit: 0, currency: 'KRW' },
        { kind: 'sale', account: 'sales', debit: 0, credit: 41_091, currency: 'KRW' },
        { kind: 'tax', account: 'tax-payable', debit: 0, credit: 3_909, currency: 'KRW' },
        { kind: 'shipping', account: 'shipping-income', debit: 0, credit: 3_000, currency: 'KRW' },
      ],
    });
  });

  test('with the tax added to its prices, and nothing booked for what is nothing', () => {
    const plain = { ...sale, taxIncluded: false, discount: 0, shipping: 0 };
    expect(saleEntry(capturedOf(plain), 'Asia/Seoul').postings).toEqual([
      { kind: 'capture', account: 'payment-clearing', debit: 48_909, credit: 0, currency: 'KRW' },
      { kind: 'sale', account: 'sales', debit: 0, credit: 45_000, currency: 'KRW' },
      { kind: 'tax', account: 'tax-payable', debit: 0, credit: 3_909, currency: 'KRW' },
    ]);
  });

  test.each([
    ['another amount than the order was captured', { amount: { amount: 45_999, currency: 'KRW' as const } }],
    ['another currency was captured', { amount: { amount: 46_000, currency: 'JPY' as const } }],
  ])('is not booked when %s', (_, change) => {
    const event = capturedOf(sale);
    expect(() => saleEntry({ ...event, body: { ...event.body, ...change } }, 'Asia/Seoul')).toThrow(
      expect.objectContaining({ name: 'internal-error' }),
    );
  });

  test('is not booked when a side would be negative', () => {
    const event = capturedOf({ ...sale, shipping: -3_000 });
    expect(() => saleEntry(event, 'Asia/Seoul')).toThrow('does not balance');
  });
});

test('a refund whose parts do not sum to its amount is not booked', () => {
  const [event] = refundsOf(sale, [10_000]);
  event!.body.amount.amount += 1;
  expect(() => refundEntry(event!, 'Asia/Seoul')).toThrow(
    expect.objectContaining({ name: 'internal-error' }),
  );
});

/** A sale, and amounts in which all of it is given back. */
const fullyRefunded = fc.tuple(anySale, fc.array(fc.nat(), { maxLength: 8 })).map(([any, cuts]) => {
  const total = totalOf(any);
  const marks = [0, ...cuts.map((cut) => cut % (total + 1)), total].sort((a, b) => a - b);
  const amounts = marks.slice(1).map((mark, index) => mark - marks[index]!);
  return { sale: any, amounts: amounts.filter((amount) => amount > 0) };
});

test('every entry balances in its currency, and no side is negative', () => {
  fc.assert(
    fc.property(fullyRefunded, ({ sale, amounts }) => {
      for (const entry of entriesOf(sale, amounts)) {
        const totals = totalsOf(entry.postings);
        expect(balances(totals)).toBe(true);
        expect(Object.keys(totals).every((currency) => currency === sale.currency)).toBe(true);
        expect(entry.postings.every(({ debit, credit }) => debit >= 0 && credit >= 0)).toBe(true);
        expect(entry.postings.every(({ debit, credit }) => (debit === 0) !== (credit === 0))).toBe(true);
      }
    }),
  );
});

test('a sale that is given back in any number of parts is reversed to the minor unit', () => {
  fc.assert(
    fc.property(fullyRefunded, ({ sale, amounts }) => {
      const entries = entriesOf(sale, amounts);
      expect(balance(entries, 'payment-clearing')).toBe(0);
      expect(balance(entries, 'tax-payable')).toBe(0);
      expect(balance(entries, 'shipping-income')).toBe(0);
      expect(
        balance(entries, 'sales') - balance(entries, 'discounts') - balance(entries, 'sales-returns'),
      ).toBe(0);
    }),
  );
});

test('books out of balance are noticed in each currency by itself', () => {
  const won = { debit: 5, credit: 4 };
  expect(balances({ KRW: won, USD: { debit: 4, credit: 5 } })).toBe(false);
  expect(balances({ KRW: { debit: 2 ** 53, credit: 2 ** 53 } })).toBe(false);
  expect(balances({})).toBe(true);
});
