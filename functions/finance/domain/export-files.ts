import type { Currency } from '../../kernel/contract.ts';
import { digest } from '../../kernel/ids.ts';
import { toDecimal } from '../../kernel/money.ts';
import type { ExportDraft, ExportPlan } from '../contract.ts';
import { csv } from './csv.ts';
import { type JournalEntry, type Posting, totalsOf } from './journal.ts';
import { journalCsv } from './journal-csv.ts';
import { journalParquet } from './journal-parquet.ts';

/** A file of an export. */
export interface ExportFile {
  readonly name: string;
  readonly content: Buffer;
  /** Without the header. */
  readonly rows: number;
}

/** The files of a business date. The same entries give the same bytes, in whatever order they come. */
export function exportFiles(
  entries: readonly JournalEntry[],
  plan: Pick<ExportPlan, 'date' | 'timeZone'>,
): ExportFile[] {
  const sorted = byTime(entries);
  const journal = journalFile(sorted);
  const parquet = {
    name: 'journal.parquet',
    content: journalParquet(sorted, plan),
    rows: journal.rows,
  };
  return [journal, parquet, summaryFile(sorted), ordersFile(sorted)];
}

/** What the manifest is going to say about them. */
export function draftOf(
  schemaVersion: ExportDraft['schemaVersion'],
  { date, timeZone }: Pick<ExportPlan, 'date' | 'timeZone'>,
  entries: readonly JournalEntry[],
  files: readonly ExportFile[],
  previous: ExportDraft['previous'],
): ExportDraft {
  const times = entries.map((entry) => entry.occurredAt).sort();
  return {
    schemaVersion,
    date,
    timeZone,
    generatedFrom: {
      entries: entries.length,
      firstOccurredAt: times[0],
      lastOccurredAt: times.at(-1),
      days: Object.fromEntries(
        grouped(entries, ({ businessDate }) => [businessDate]).map(([[day], { length }]) => [day, length]),
      ),
    },
    files: files.map(({ name, content, rows }) => ({
      name,
      rows,
      bytes: content.length,
      sha256: digest(content),
    })),
    totals: totalsOf(entries.flatMap((entry) => entry.postings)),
    previous,
  };
}

/** One row a posting. */
function journalFile(entries: readonly JournalEntry[]): ExportFile {
  const columns = [
    'entryId',
    'businessDate',
    'occurredAt',
    'orderId',
    'eventId',
    'reference',
    'kind',
    'account',
    'debit',
    'credit',
    'currency',
  ];
  const rows = entries.flatMap((entry) =>
    entry.postings.map((posting) => [
      entry.entryId,
      entry.businessDate,
      entry.occurredAt,
      entry.orderId ?? '',
      entry.eventId,
      entry.reference ?? '',
      posting.kind,
      posting.account,
      ...sides(posting),
      posting.currency,
    ]),
  );
  return fileOf(journalCsv, columns, rows);
}

/** One row an account and currency. */
function summaryFile(entries: readonly JournalEntry[]): ExportFile {
  const postings = entries.flatMap((entry) => entry.postings);
  const rows = grouped(postings, (posting) => [posting.account, posting.currency]).map(([key, members]) => [
    ...key,
    ...sides(sumOf(members)),
  ]);
  return fileOf('summary.csv', ['account', 'currency', 'debit', 'credit'], rows);
}

/** One row an order and currency: what came in and what went back on this date. */
function ordersFile(entries: readonly JournalEntry[]): ExportFile {
  const movements = entries.flatMap(({ orderId, postings }) =>
    postings
      .filter(
        ({ account, kind }) => account === 'payment-clearing' && (kind === 'capture' || kind === 'refund'),
      )
      .map((posting) => ({ orderId: orderId ?? '', ...posting })),
  );
  const rows = grouped(movements, (movement) => [movement.orderId, movement.currency]).map(
    ([key, members]) => [...key, ...sides(sumOf(members))],
  );
  return fileOf('orders.csv', ['orderId', 'currency', 'captured', 'refunded'], rows);
}

function fileOf(name: string, columns: readonly string[], rows: readonly (readonly string[])[]): ExportFile {
  return { name, content: csv(columns, rows), rows: rows.length };
}

type Amounts = Pick<Posting, 'debit' | 'credit' | 'currency'>;

/** Debit and credit as plain decimals of the major unit. */
function sides({ debit, credit, currency }: Amounts): [string, string] {
  return [toDecimal({ amount: debit, currency }), toDecimal({ amount: credit, currency })];
}

/** Of amounts in one currency. */
function sumOf(amounts: readonly Amounts[]): Amounts {
  return {
    debit: amounts.reduce((sum, { debit }) => sum + debit, 0),
    credit: amounts.reduce((sum, { credit }) => sum + credit, 0),
    currency: amounts[0]!.currency as Currency,
  };
}

/** Members by key, in the order of the keys' code units. */
function grouped<T>(members: readonly T[], keyOf: (member: T) => string[]): [string[], T[]][] {
  const groups = Map.groupBy(members, (member) => JSON.stringify(keyOf(member)));
  return [...groups]
    .sort(([a], [b]) => compare(a, b))
    .map(([key, group]): [string[], T[]] => [JSON.parse(key) as string[], group]);
}

function byTime(entries: readonly JournalEntry[]): JournalEntry[] {
  return entries.toSorted((a, b) => compare(a.occurredAt, b.occurredAt) || compare(a.entryId, b.entryId));
}

/** By code units: a locale's order could differ between machines. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
