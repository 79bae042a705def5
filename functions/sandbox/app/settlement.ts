import { isoInstant } from '../../kernel/clock.ts';
import type { Currency } from '../../kernel/contract.ts';
import { share } from '../../kernel/money.ts';
import { type SettlementRow, settlementColumns } from '../contract.ts';
import type { Book } from '../domain/book.ts';
import type { Charge } from '../domain/charge.ts';
import { Refusal } from '../domain/refusal.ts';

/** What the sandbox keeps of a capture, in millionths: 2.9 %. Given back with nothing, as is usual. */
const feeMillionths = 29_000;

const pageLimit = 1_000;
const day = 24 * 3_600_000;

/**
 * The settlement file of a day in UTC (CSV after RFC 4180): a row for each capture, refund and dispute of the day, by
 * time, then what was paid out for them in each currency. The same for ever, once the day is over.
 * @throws Refusal `not-settled` while the day is not over
 */
export async function settlementFile(book: Book, date: string, now: number): Promise<string> {
  const from = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(from) || now < from + day) {
    throw new Refusal(404, 'not-settled', `${date} is not over, or no date`);
  }
  const charges: Charge[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await book.page(pageLimit, cursor);
    charges.push(...page.charges);
    cursor = page.next;
    if (cursor === undefined) break;
  }
  const moved = charges
    .flatMap(rowsOf)
    .filter(({ occurredAt }) => occurredAt.startsWith(date))
    .sort((a, b) => compare(a.occurredAt, b.occurredAt) || compare(a.providerId, b.providerId));
  return csv([...moved, ...payouts(moved, date, from + day)]);
}

function rowsOf(charge: Charge): SettlementRow[] {
  const { currency, capturedAt, captured } = charge;
  if (!capturedAt) return [];
  const row = (
    type: SettlementRow['type'],
    [reference, providerId, occurredAt]: readonly [string, string, string],
    gross: number,
    fee = 0,
  ): SettlementRow => ({ type, reference, providerId, occurredAt, currency, gross, fee, net: gross - fee });
  const captureId = charge.id.replace(/^aut_/, 'cap_');
  return [
    row('charge', [charge.reference, captureId, capturedAt], captured, share(captured, feeMillionths)),
    ...charge.refunds.map(({ id, reference, amount, at = capturedAt }) =>
      row('refund', [reference, id, at], 0 - amount),
    ),
    ...(charge.disputes ?? []).map(({ id, amount, at }) =>
      row('dispute', [charge.reference, id, at], 0 - amount),
    ),
  ];
}

/** One for each currency; negative where the merchant owes more than was taken. */
function payouts(rows: readonly SettlementRow[], date: string, end: number): SettlementRow[] {
  const net = new Map<Currency, number>();
  for (const { currency, net: amount } of rows) net.set(currency, (net.get(currency) ?? 0) + amount);
  return [...net]
    .sort(([a], [b]) => compare(a, b))
    .map(([currency, amount]) => ({
      type: 'payout',
      reference: `pay_${date}-${currency}`,
      providerId: `pay_${date}-${currency}`,
      occurredAt: isoInstant(end),
      currency,
      gross: 0 - amount,
      fee: 0,
      net: 0 - amount,
    }));
}

/** No cell needs quotes: ids, instants, codes and numbers. */
function csv(rows: readonly SettlementRow[]): string {
  const lines = rows.map((row) => settlementColumns.map((column) => String(row[column])).join(','));
  return [settlementColumns.join(','), ...lines, ''].join('\r\n');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
