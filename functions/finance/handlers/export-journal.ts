import { environment } from '../../kernel/env.ts';
import { documents } from '../../kernel/table.ts';
import { exportBucket } from '../adapters/export-bucket.ts';
import { entriesOf } from '../adapters/journal-table.ts';
import { exportJournal } from '../app/export-journal.ts';

const env = environment('FINANCE_TABLE', 'EXPORT_BUCKET');
const { write } = exportBucket(env.EXPORT_BUCKET);

export const handler = exportJournal({ entriesOf: entriesOf(documents, env.FINANCE_TABLE), write });
