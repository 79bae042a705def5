import { environment } from '../../kernel/env.ts';
import { documents } from '../../kernel/table.ts';
import { exportBucket } from '../adapters/export-bucket.ts';
import { exportedDates } from '../adapters/exported-dates.ts';
import { countOf, entriesOf } from '../adapters/journal-table.ts';
import { exportJournal } from '../app/export-journal.ts';

const { FINANCE_TABLE: table, EXPORT_BUCKET } = environment('FINANCE_TABLE', 'EXPORT_BUCKET');
const bucket = exportBucket(EXPORT_BUCKET);
const journal = { entriesOf: entriesOf(documents, table), countOf: countOf(documents, table) };

export const handler = exportJournal({ ...journal, ...bucket, ...exportedDates(bucket) });
