import { parse } from 'csv-parse/sync';
import * as z from 'zod/mini';
import { isoInstant } from '../../kernel/clock.ts';
import type { Currency } from '../../kernel/contract.ts';
import { type SettlementRow, settlementRow } from '../../sandbox/contract.ts';
import { addDays } from './business-date.ts';
import { type JournalEntry, settlementEntry } from './journal.ts';

export const settlementsPrefix = 'settlements/';

/** Where a day's settlement file lies. @param date in UTC, `YYYY-MM-DD` */
export function settlementKey(date: string): string {
  return `${settlementsPrefix}${date}/settlement.csv`;
}

/** Where the differences lie that were open when a day had been reconciled; written last. */
export function differencesKey(date: string): string {
  return `${settlementsPrefix}${date}/differences.json`;
}

/** @throws Error (zod) when a row is not as the provider describes it */
export function rowsIn(content: Uint8Array): SettlementRow[] {
  const rows = parse(Buffer.from(content), { columns: true }) as unknown[];
  return rows.map((row) => z.parse(settlementRow, row));
}

/**
 * The journal entries of a settlement: the fees of the day in each currency, each chargeback, each payout. Captures
 * and refunds stand in the journal by their events.
 * @param date the settled day in UTC; entries are dated at its end, when it was settled
 */
export function settlementEntries(
  date: string,
  rows: readonly SettlementRow[],
  timeZone: string,
): JournalEntry[] {
  const at = isoInstant(Date.parse(`${addDays(date, 1)}T00:00:00Z`));
  const fees = new Map<Currency, number>();
  for (const { currency, fee } of rows) fees.set(currency, (fees.get(currency) ?? 0) + fee);
  const feeEntries = [...fees]
    .filter(([, fee]) => fee !== 0)
    .map(([currency, fee]) =>
      settlementEntry(
        `stl_${date}-fee-${currency}`,
        { kind: 'fee', amount: { amount: Math.abs(fee), currency }, returned: fee < 0 },
        at,
        timeZone,
      ),
    );
  const others = rows.flatMap((row) => {
    const { type, reference, providerId, currency, gross } = row;
    const amount = { amount: Math.abs(gross), currency };
    if (type === 'dispute') {
      const orderId = reference.replace(/-[^-]*$/, '');
      const returned = gross > 0;
      const item = { kind: 'chargeback', amount, orderId, reference, returned } as const;
      // The bank may take the money and give it back on one day, under one id.
      const id = `stl_${date}-${providerId}${returned ? '-won' : ''}`;
      return [settlementEntry(id, item, at, timeZone)];
    }
    if (type === 'payout' && gross !== 0) {
      const item = { kind: 'payout', amount, returned: gross > 0 } as const;
      return [settlementEntry(`stl_${date}-payout-${currency}`, item, at, timeZone)];
    }
    return [];
  });
  return [...feeEntries, ...others];
}
