import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { journalParquet } from '../../../functions/finance/domain/journal-parquet.ts';
import { entriesOf, type Sale, totalOf } from './sales.ts';

const folder = mkdtempSync(join(tmpdir(), 'floodgate-parquet-'));
let duck: DuckDBConnection;
beforeAll(async () => {
  duck = await (await DuckDBInstance.create(':memory:')).connect();
});
afterAll(() => {
  duck?.closeSync();
  rmSync(folder, { recursive: true, force: true });
});

const plan = { date: '2026-11-22', timeZone: 'Asia/Seoul' };
const won: Sale = {
  orderId: 'ord_가1',
  at: '2026-11-22T03:00:00.123Z',
  currency: 'KRW',
  subtotal: 45_000,
  discount: 2_000,
  shipping: 3_000,
  tax: 3_909,
  taxIncluded: true,
};

async function rowsOf(content: Buffer, query: (file: string) => string) {
  const file = join(folder, `${Math.random()}.parquet`);
  writeFileSync(file, content);
  return (await duck.runAndReadAll(query(`'${file}'`))).getRowObjects();
}

test('DuckDB reads back every posting with its types', async () => {
  const entries = entriesOf(won, [totalOf(won)]);
  const rows = await rowsOf(
    journalParquet(entries, plan),
    (file) => `SELECT *, epoch_ms(occurredAt) AS at FROM read_parquet(${file})`,
  );
  const expected = entries.flatMap((entry) =>
    entry.postings.map((posting) => ({
      schemaVersion: 2,
      entryId: entry.entryId,
      businessDate: entry.businessDate,
      at: BigInt(Date.parse(entry.occurredAt)),
      orderId: entry.orderId,
      eventId: entry.eventId,
      reference: entry.reference,
      kind: posting.kind,
      account: posting.account,
      debit: BigInt(posting.debit),
      credit: BigInt(posting.credit),
      currency: posting.currency,
    })),
  );
  expect(rows.map(({ occurredAt: _, ...row }) => row)).toEqual(expected);
});

test('amounts beyond 2^32 stay exact, and DuckDB sums both sides to the same', async () => {
  const large = { ...won, currency: 'USD' as const, subtotal: 9_000_000_000_001, tax: 1, discount: 0 };
  const content = journalParquet([...entriesOf(won, []), ...entriesOf(large, [])], plan);
  const sums = await rowsOf(
    content,
    (file) =>
      `SELECT currency, sum(debit)::BIGINT AS debit, sum(credit)::BIGINT AS credit
       FROM read_parquet(${file}) GROUP BY currency ORDER BY currency`,
  );
  expect(sums).toEqual([
    { currency: 'KRW', debit: 48_000n, credit: 48_000n },
    { currency: 'USD', debit: 9_000_000_003_001n, credit: 9_000_000_003_001n },
  ]);
});

test('the file says its schema version, its date and what its amounts are', async () => {
  const metadata = await rowsOf(
    journalParquet([], plan),
    (file) => `SELECT decode(key) AS key, decode(value) AS value FROM parquet_kv_metadata(${file})`,
  );
  expect(Object.fromEntries(metadata.map(({ key, value }) => [key, value]))).toMatchObject({
    schemaVersion: '2',
    amounts: 'minor units (ISO 4217)',
    exportDate: '2026-11-22',
    timeZone: 'Asia/Seoul',
  });
});

test('a day without an entry is a file without rows', async () => {
  const [row] = await rowsOf(
    journalParquet([], plan),
    (file) => `SELECT count(*) AS rows FROM read_parquet(${file})`,
  );
  expect(row).toEqual({ rows: 0n });
});
