import { dateIn } from '../../kernel/clock.ts';
import type { Currency, Money } from '../../kernel/contract.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { OrderSummary } from '../../order/contract.ts';
import type { Account } from './accounts.ts';

/** One side of an entry: `debit` or `credit` in minor units, the other is 0. */
export interface Posting {
  readonly account: Account;
  readonly debit: number;
  readonly credit: number;
  readonly currency: Currency;
}

/** What one event means for the books. Its postings balance in every currency. */
export interface JournalEntry {
  readonly entryId: string;
  readonly eventId: string;
  readonly orderId: string;
  /** When the event happened (RFC 3339), and the calendar date of that moment in the business time zone. */
  readonly occurredAt: string;
  readonly businessDate: string;
  readonly postings: readonly Posting[];
}

interface Occurrence {
  readonly id: string;
  readonly orderId: string;
  readonly at: string;
}

/**
 * A sale, booked when its money is captured:
 *
 * | debit | credit |
 * |---|---|
 * | payment-clearing: what was captured | sales: list price without tax |
 * | discounts | tax-payable |
 * | | shipping-income |
 *
 * @throws DomainError `internal-error` when the amounts contradict each other
 */
export function saleEntry(
  event: Occurrence & { readonly body: { readonly amount: Money; readonly summary: OrderSummary } },
  timeZone: string,
): JournalEntry {
  const { amount, summary } = event.body;
  const { subtotal, discount, shipping, tax, taxIncluded } = summary;
  return entryOf(event, timeZone, [
    debit('payment-clearing', amount),
    debit('discounts', discount),
    credit('sales', taxIncluded ? { ...subtotal, amount: subtotal.amount - tax.amount } : subtotal),
    credit('tax-payable', tax),
    credit('shipping-income', shipping),
  ]);
}

/**
 * A refund, booked when its money has been given back: the sale in reverse, in the parts that the event names.
 *
 * | debit | credit |
 * |---|---|
 * | sales-returns: goods without tax | payment-clearing: what was refunded |
 * | tax-payable | |
 * | shipping-income | |
 *
 * @throws DomainError `internal-error` when the parts do not sum to the amount
 */
export function refundEntry(
  event: Occurrence & {
    readonly body: {
      readonly amount: Money;
      readonly breakdown: { readonly net: Money; readonly tax: Money; readonly shipping: Money };
    };
  },
  timeZone: string,
): JournalEntry {
  const { amount, breakdown } = event.body;
  return entryOf(event, timeZone, [
    debit('sales-returns', breakdown.net),
    debit('tax-payable', breakdown.tax),
    debit('shipping-income', breakdown.shipping),
    credit('payment-clearing', amount),
  ]);
}

/** Debits and credits by currency, in minor units. */
export type Totals = { readonly [C in Currency]?: { readonly debit: number; readonly credit: number } };

/** The sums of both sides by currency, in the order of their codes. */
export function totalsOf(postings: Iterable<Posting>): Totals {
  const sums = new Map<Currency, { debit: number; credit: number }>();
  for (const { currency, debit, credit } of postings) {
    const sum = sums.get(currency) ?? { debit: 0, credit: 0 };
    sums.set(currency, { debit: sum.debit + debit, credit: sum.credit + credit });
  }
  return Object.fromEntries([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Whether debits equal credits in every currency, as whole numbers that a double holds exactly. */
export function balances(totals: Totals): boolean {
  return Object.values(totals).every(({ debit, credit }) => debit === credit && Number.isSafeInteger(debit));
}

function entryOf({ id, orderId, at }: Occurrence, timeZone: string, all: readonly Posting[]): JournalEntry {
  const postings = all.filter((posting) => posting.debit !== 0 || posting.credit !== 0);
  const sound = postings.every((p) => p.debit >= 0 && p.credit >= 0);
  if (!sound || !balances(totalsOf(postings))) {
    throw new DomainError('internal-error', `The journal entry of ${id} does not balance.`);
  }
  return {
    entryId: `jrn_${id.replace(/^evt_/, '')}`,
    eventId: id,
    orderId,
    occurredAt: at,
    businessDate: dateIn(timeZone, at),
    postings,
  };
}

function debit(account: Account, { amount, currency }: Money): Posting {
  return { account, debit: amount, credit: 0, currency };
}

function credit(account: Account, { amount, currency }: Money): Posting {
  return { account, debit: 0, credit: amount, currency };
}
