import { dateIn } from '../../kernel/clock.ts';
import type { Currency, Money } from '../../kernel/contract.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { OrderSummary } from '../../order/contract.ts';
import type { Account } from './accounts.ts';

/** What a posting is for. */
export type Kind =
  | 'sale'
  | 'tax'
  | 'shipping'
  | 'discount'
  | 'capture'
  | 'refund'
  | 'void'
  | 'fee'
  | 'chargeback'
  | 'payout';

/** One side of an entry: `debit` or `credit` in minor units, the other is 0. */
export interface Posting {
  readonly kind: Kind;
  readonly account: Account;
  readonly debit: number;
  readonly credit: number;
  readonly currency: Currency;
}

/**
 * What one event means for the books. Its postings balance in every currency. An entry is never changed: what was
 * wrong is taken back by a reversal, an entry of its own.
 */
export interface JournalEntry {
  readonly entryId: string;
  /** What the entry was made from, and made once: an event, a part of a settlement, the reversal of an entry. */
  readonly eventId: string;
  /** Undefined where it is about many. */
  readonly orderId?: string | undefined;
  /** By which the payment provider knows it too: of a capture that of the attempt, of a refund the refund's id. */
  readonly reference?: string | undefined;
  /** When the event happened (RFC 3339), and the calendar date of that moment in the business time zone. */
  readonly occurredAt: string;
  readonly businessDate: string;
  readonly postings: readonly Posting[];
  /** Of a reversal: the entry that it takes back, who did it and why. */
  readonly reverses?: { readonly entryId: string; readonly by: string; readonly reason: string } | undefined;
}

interface Occurrence {
  readonly id: string;
  readonly orderId?: string | undefined;
  readonly reference?: string | undefined;
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
  event: Occurrence & {
    readonly body: { readonly attempt: number; readonly amount: Money; readonly summary: OrderSummary };
  },
  timeZone: string,
): JournalEntry {
  const { amount, summary } = event.body;
  const { subtotal, discount, shipping, tax, taxIncluded } = summary;
  const reference = `${event.orderId}-${event.body.attempt}`;
  return entryOf({ ...event, reference }, timeZone, [
    debit('capture', 'payment-clearing', amount),
    debit('discount', 'discounts', discount),
    credit('sale', 'sales', taxIncluded ? { ...subtotal, amount: subtotal.amount - tax.amount } : subtotal),
    credit('tax', 'tax-payable', tax),
    credit('shipping', 'shipping-income', shipping),
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
      readonly refundId: string;
      readonly amount: Money;
      readonly breakdown: { readonly net: Money; readonly tax: Money; readonly shipping: Money };
    };
  },
  timeZone: string,
): JournalEntry {
  const { refundId, amount, breakdown } = event.body;
  return entryOf({ ...event, reference: refundId }, timeZone, [
    debit('refund', 'sales-returns', breakdown.net),
    debit('refund', 'tax-payable', breakdown.tax),
    debit('refund', 'shipping-income', breakdown.shipping),
    credit('refund', 'payment-clearing', amount),
  ]);
}

/** A hold that was given up moved no money: a memo beside the balance sheet, so that no authorisation is unexplained. */
export function voidEntry(
  event: Occurrence & { readonly body: { readonly attempt: number; readonly amount: Money } },
  timeZone: string,
): JournalEntry {
  const { attempt, amount } = event.body;
  return entryOf({ ...event, reference: `${event.orderId}-${attempt}` }, timeZone, [
    debit('void', 'holds-given-up', amount),
    credit('void', 'holds-given-up-contra', amount),
  ]);
}

/** What a provider's settlement says that no event says. Amounts are never negative. */
export type SettledItem =
  /** The fees of a day in one currency; `returned` when the provider gives some back on balance. */
  | { readonly kind: 'fee'; readonly amount: Money; readonly returned: boolean }
  /** `returned` when the dispute was won and the money came back. */
  | {
      readonly kind: 'chargeback';
      readonly amount: Money;
      readonly orderId: string;
      readonly reference: string;
      readonly returned: boolean;
    }
  /** What went to our bank account; `returned` when we owed the provider on balance and it was taken from there. */
  | { readonly kind: 'payout'; readonly amount: Money; readonly returned: boolean };

/**
 * An item of a settlement, booked at the end of the day that was settled.
 * @param id the same for the same item, always
 * @param at when the settled day ended, RFC 3339
 */
export function settlementEntry(id: string, item: SettledItem, at: string, timeZone: string): JournalEntry {
  const { kind, amount } = item;
  const account = kind === 'fee' ? 'payment-fees' : kind === 'payout' ? 'bank' : 'chargebacks';
  return entryOf(
    { id, at, ...(kind === 'chargeback' && { orderId: item.orderId, reference: item.reference }) },
    timeZone,
    item.returned
      ? [debit(kind, 'payment-clearing', amount), credit(kind, account, amount)]
      : [debit(kind, account, amount), credit(kind, 'payment-clearing', amount)],
  );
}

export const reversalSuffix = '-reversal';

/**
 * Takes an entry back: its postings with their sides exchanged, on the day on which that is decided.
 * @throws DomainError `already-exists` when the entry is itself a reversal: book anew instead
 */
export function reversalOf(
  entry: JournalEntry,
  decision: { readonly at: string; readonly by: string; readonly reason: string },
  timeZone: string,
): JournalEntry {
  if (entry.reverses) throw new DomainError('already-exists', `${entry.entryId} is a reversal.`);
  const { at, by, reason } = decision;
  return {
    entryId: `${entry.entryId}${reversalSuffix}`,
    eventId: `${entry.eventId}${reversalSuffix}`,
    orderId: entry.orderId,
    reference: entry.reference,
    occurredAt: at,
    businessDate: dateIn(timeZone, at),
    postings: entry.postings.map((posting) => ({ ...posting, debit: posting.credit, credit: posting.debit })),
    reverses: { entryId: entry.entryId, by, reason },
  };
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

function entryOf(
  { id, orderId, reference, at }: Occurrence,
  timeZone: string,
  all: readonly Posting[],
): JournalEntry {
  const postings = all.filter((posting) => posting.debit !== 0 || posting.credit !== 0);
  const sound = postings.every((p) => p.debit >= 0 && p.credit >= 0);
  if (!sound || !balances(totalsOf(postings))) {
    throw new DomainError('internal-error', `The journal entry of ${id} does not balance.`);
  }
  return {
    entryId: `jrn_${id.replace(/^(evt|stl)_/, '')}`,
    eventId: id,
    orderId,
    reference,
    occurredAt: at,
    businessDate: dateIn(timeZone, at),
    postings,
  };
}

function debit(kind: Kind, account: Account, { amount, currency }: Money): Posting {
  return { kind, account, debit: amount, credit: 0, currency };
}

function credit(kind: Kind, account: Account, { amount, currency }: Money): Posting {
  return { kind, account, debit: 0, credit: amount, currency };
}
