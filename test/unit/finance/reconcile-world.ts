import { lastReconciled } from '../../../functions/finance/adapters/reconciled-days.ts';
import { fetchSettlement } from '../../../functions/finance/app/fetch-settlement.ts';
import { matchSettlement } from '../../../functions/finance/app/match-settlement.ts';
import { postSettlement } from '../../../functions/finance/app/post-settlement.ts';
import { addDays } from '../../../functions/finance/domain/business-date.ts';
import { type JournalEntry, saleEntry } from '../../../functions/finance/domain/journal.ts';
import type { Difference } from '../../../functions/finance/domain/reconcile.ts';
import { share } from '../../../functions/kernel/money.ts';
import { type SettlementRow, settlementColumns } from '../../../functions/sandbox/contract.ts';
import { capturedOf, type Sale, totalOf } from './sales.ts';

export const zone = 'Asia/Seoul';
/** A sale of 100.00 dollars. */
export function saleOn(orderId: string, day: string, time = '10:00:00.000Z'): Sale {
  return {
    orderId,
    at: `${day}T${time}`,
    currency: 'USD',
    subtotal: 10_000,
    discount: 0,
    shipping: 0,
    tax: 0,
    taxIncluded: true,
  };
}

/** The provider's row of a sale's capture. */
export function charged(sale: Sale, change: Partial<SettlementRow> = {}): SettlementRow {
  const gross = change.gross ?? totalOf(sale);
  const fee = change.fee ?? share(gross, 29_000);
  return {
    type: 'charge',
    reference: `${sale.orderId}-1`,
    providerId: `cap_${sale.orderId}`,
    occurredAt: sale.at,
    currency: sale.currency,
    ...change,
    gross,
    fee,
    net: gross - fee,
  };
}

/** Both sides' books, and the reconciliation over them, day after day. */
export function reconcileWorld() {
  const journal: JournalEntry[] = [];
  const files = new Map<string, SettlementRow[]>();
  const bucket = new Map<string, Buffer>();
  const read = async (key: string) => bucket.get(key);
  const folders = async (prefix: string, after: string, limit: number) =>
    [...new Set([...bucket.keys()].map((key) => `${key.split('/').slice(0, 2).join('/')}/`))]
      .filter((folder) => folder.startsWith(prefix) && folder > after)
      .sort()
      .slice(0, limit);
  const ports = {
    timeZone: zone,
    read,
    create: async (key: string, content: Uint8Array) => {
      if (bucket.has(key)) return false;
      bucket.set(key, Buffer.from(content));
      return true;
    },
    add: async (entry: JournalEntry) => {
      if (!journal.some(({ eventId }) => eventId === entry.eventId)) journal.push(entry);
    },
    entriesOf: async (date: string) => journal.filter(({ businessDate }) => businessDate === date),
    lastReconciled: lastReconciled({ folders, read }),
    settlementOf: async (date: string) => {
      const rows = files.get(date);
      const lines = (rows ?? []).map((row) => settlementColumns.map((name) => String(row[name])).join(','));
      return rows && Buffer.from([settlementColumns.join(','), ...lines, ''].join('\r\n'));
    },
  };
  const fetch = fetchSettlement(ports);
  const post = postSettlement(ports);
  const match = matchSettlement(ports);
  return {
    journal,
    files,
    bucket,
    book: (sale: Sale) => journal.push(saleEntry(capturedOf(sale), zone)),
    settle: (day: string, ...rows: SettlementRow[]) => files.set(day, [...(files.get(day) ?? []), ...rows]),
    fetch,
    post,
    match,
    async reconcile(day: string) {
      const plan = await fetch({ time: `${addDays(day, 1)}T03:00:00Z` });
      if (plan.date !== day || plan.state !== 'ready') throw new Error(`${day}: ${JSON.stringify(plan)}`);
      await match(await post(plan));
      const { differences } = JSON.parse(bucket.get(`settlements/${day}/differences.json`)!.toString());
      return (differences as Difference[]).map(({ type, movement, reference, ageDays, resolved }) => ({
        what: `${type} ${movement} ${reference}`,
        ageDays,
        resolved,
      }));
    },
  };
}
