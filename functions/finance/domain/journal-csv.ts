import { parse } from 'csv-parse/sync';

/** The file of an export that has a row for each posting. */
export const journalCsv = 'journal.csv';

/** The ids that the entries in such a file were made from, each once; of one business date, or of all. */
export function eventIdsIn(content: Uint8Array, businessDate?: string): string[] {
  const rows = parse(Buffer.from(content), { columns: true }) as Record<string, string>[];
  return [
    ...new Set(
      rows
        .filter((row) => businessDate === undefined || row.businessDate === businessDate)
        .map((row) => row.eventId!),
    ),
  ];
}
