import { parse } from 'csv-parse/sync';
import type { JournalEntry, Kind } from '../functions/finance/domain/journal.ts';
import { dateIn } from '../functions/kernel/clock.ts';
import type { Currency, Money } from '../functions/kernel/contract.ts';
import { parseDecimal } from '../functions/kernel/money.ts';
import type { ChargeView } from '../functions/sandbox/contract.ts';

/** What a capture or a refund says, as it stands among the events of its order. */
export interface MoneyEvent {
  readonly type: 'payment.captured' | 'refund.completed';
  readonly orderId: string;
  readonly at: string;
  /** By which the provider knows it. */
  readonly reference: string;
  readonly amount: Money;
}

/** Everything that is to agree about one business date. */
export interface DayBooks {
  readonly date: string;
  /** Whose midnight ends it (IANA). */
  readonly timeZone: string;
  /** The journal of the date. */
  readonly entries: readonly JournalEntry[];
  /** Every `journal.csv` that can hold rows of the date: its own export's and later ones'. */
  readonly exported: readonly Uint8Array[];
  /** Captures and refunds of the orders, of every date. */
  readonly events: readonly MoneyEvent[];
  /** The provider's whole book. */
  readonly charges: readonly ChargeView[];
}

/** One line of the answer, amounts in minor units. An empty cell has no say in it. */
export interface Agreement {
  readonly currency: Currency;
  readonly what: 'debits' | 'credits' | 'captured' | 'refunded';
  readonly ledger: number;
  readonly export: number;
  readonly orders: number | '';
  readonly provider: number | '';
  readonly agree: boolean;
}

interface Posting {
  readonly eventId: string;
  readonly kind: Kind;
  readonly account: string;
  readonly debit: number;
  readonly credit: number;
  readonly currency: Currency;
}

/**
 * Compares the four books of a business date, currency by currency: debits with credits, and what was captured and
 * refunded by the orders, the ledger, its exports and the provider. Entries that were taken back count nothing.
 */
export function verifyDay(books: DayBooks): Agreement[] {
  const ledger = books.entries.flatMap(({ eventId, postings }) =>
    postings.map((posting) => ({ eventId, ...posting })),
  );
  const exported = books.exported.flatMap((content) => rowsOf(content, books.date));
  const events = books.events.filter(({ at }) => dateIn(books.timeZone, at) === books.date);
  const provider = providerSide(books, events);
  const currencies = new Set([...ledger, ...exported, ...provider].map(({ currency }) => currency));
  for (const { amount } of events) currencies.add(amount.currency);

  return [...currencies].sort().flatMap((currency) => {
    const sides = [ledger, exported].map((all) => all.filter((posting) => posting.currency === currency));
    const [here, there] = sides as [Posting[], Posting[]];
    const debits = sum(here, ({ debit }) => debit);
    const credits = sum(here, ({ credit }) => credit);
    const row = (
      what: Agreement['what'],
      cells: Pick<Agreement, 'ledger' | 'export'> & Partial<Pick<Agreement, 'orders' | 'provider'>>,
      also = true,
    ): Agreement => {
      const values = Object.values(cells);
      const agree = also && new Set(values).size === 1;
      return { currency, what, orders: '', provider: '', ...cells, agree };
    };
    const moved = (what: 'captured' | 'refunded') => {
      const kind = what === 'captured' ? 'capture' : 'refund';
      const sign = what === 'captured' ? 1 : -1;
      const type = what === 'captured' ? 'payment.captured' : 'refund.completed';
      const clearing = (all: readonly Posting[]) =>
        sum(
          all.filter((one) => one.kind === kind && one.account === 'payment-clearing'),
          ({ debit, credit }) => sign * (debit - credit),
        );
      return row(what, {
        ledger: clearing(here),
        export: clearing(there),
        orders: sum(
          events.filter((event) => event.type === type && event.amount.currency === currency),
          ({ amount }) => amount.amount,
        ),
        provider: sum(
          provider.filter((one) => one.what === what && one.currency === currency),
          ({ amount }) => amount,
        ),
      });
    };
    return [
      row('debits', { ledger: debits, export: sum(there, ({ debit }) => debit) }, debits === credits),
      row('credits', { ledger: credits, export: sum(there, ({ credit }) => credit) }, debits === credits),
      moved('captured'),
      moved('refunded'),
    ];
  });
}

/**
 * What the provider's book says of the events of the date, and what it has of the date that no order knows of. Its
 * clock is not ours: by reference, not by its own times.
 */
function providerSide({ date, timeZone, events, charges }: DayBooks, ofDate: readonly MoneyEvent[]) {
  const known = new Set(events.map(({ reference }) => reference));
  const due = new Set(ofDate.map(({ reference }) => reference));
  return charges.flatMap(({ reference, captured, capturedAt, refunds }) => {
    const stray = !known.has(reference) && capturedAt !== undefined && dateIn(timeZone, capturedAt) === date;
    const { currency } = captured;
    return [
      ...(due.has(reference) || stray
        ? [{ what: 'captured' as const, amount: captured.amount, currency }]
        : []),
      ...refunds
        .filter((refund) => due.has(refund.reference) || (!known.has(refund.reference) && due.has(reference)))
        .map(({ amount }) => ({ what: 'refunded' as const, amount: amount.amount, currency })),
    ];
  });
}

function rowsOf(content: Uint8Array, date: string): Posting[] {
  const rows = parse(Buffer.from(content), { columns: true }) as Record<string, string>[];
  return rows
    .filter(({ businessDate }) => businessDate === date)
    .map((row) => {
      const currency = row.currency as Currency;
      return {
        eventId: row.eventId!,
        kind: row.kind as Kind,
        account: row.account!,
        debit: parseDecimal(row.debit!, currency).amount,
        credit: parseDecimal(row.credit!, currency).amount,
        currency,
      };
    });
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0);
}

/** A capture or a completed refund of an order's events; undefined for any other. */
export function moneyEventOf(event: {
  readonly type: string;
  readonly orderId: string;
  readonly at: string;
  readonly body: string;
}): MoneyEvent | undefined {
  const { type, orderId, at } = event;
  if (type !== 'payment.captured' && type !== 'refund.completed') return undefined;
  const { attempt, refundId, amount } = JSON.parse(event.body);
  return { type, orderId, at, reference: refundId ?? `${orderId}-${attempt}`, amount };
}
