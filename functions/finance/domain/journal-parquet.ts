import { parquetWriteBuffer } from 'hyparquet-writer';
import type { ExportPlan } from '../contract.ts';
import type { JournalEntry } from './journal.ts';

/** Raised when a column changes its name, type or meaning; new columns leave it. */
const schemaVersion = 2;

/**
 * The journal as Apache Parquet, one row a posting in the order of `entries`, amounts in minor units. The same
 * entries give the same bytes.
 */
export function journalParquet(
  entries: readonly JournalEntry[],
  { date, timeZone }: Pick<ExportPlan, 'date' | 'timeZone'>,
): Buffer {
  const rows = entries.flatMap((entry) => entry.postings.map((posting) => ({ entry, posting })));
  const texts = (name: string, of: (row: (typeof rows)[number]) => string) => ({
    name,
    data: rows.map(of),
    type: 'STRING' as const,
    nullable: false,
  });
  const amounts = (name: 'debit' | 'credit') => ({
    name,
    data: rows.map(({ posting }) => BigInt(posting[name])),
    type: 'INT64' as const,
    nullable: false,
  });
  const content = parquetWriteBuffer({
    columnData: [
      { name: 'schemaVersion', data: rows.map(() => schemaVersion), type: 'INT32', nullable: false },
      texts('entryId', ({ entry }) => entry.entryId),
      texts('businessDate', ({ entry }) => entry.businessDate),
      {
        name: 'occurredAt',
        data: rows.map(({ entry }) => new Date(entry.occurredAt)),
        type: 'TIMESTAMP',
        nullable: false,
      },
      texts('orderId', ({ entry }) => entry.orderId ?? ''),
      texts('eventId', ({ entry }) => entry.eventId),
      texts('reference', ({ entry }) => entry.reference ?? ''),
      texts('kind', ({ posting }) => posting.kind),
      texts('account', ({ posting }) => posting.account),
      amounts('debit'),
      amounts('credit'),
      texts('currency', ({ posting }) => posting.currency),
    ],
    kvMetadata: [
      { key: 'schemaVersion', value: String(schemaVersion) },
      { key: 'amounts', value: 'minor units (ISO 4217)' },
      { key: 'exportDate', value: date },
      { key: 'timeZone', value: timeZone },
    ],
    createdBy: 'floodgate',
  });
  return Buffer.from(content);
}
