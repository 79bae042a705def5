import { environment } from '../../kernel/env.ts';
import { documents } from '../../kernel/table.ts';
import { exportBucket } from '../adapters/export-bucket.ts';
import { addEntry } from '../adapters/journal-table.ts';
import { postSettlement } from '../app/post-settlement.ts';

const env = environment('FINANCE_TABLE', 'EXPORT_BUCKET', 'BUSINESS_TIME_ZONE');
const { read } = exportBucket(env.EXPORT_BUCKET);
const add = addEntry(documents, env.FINANCE_TABLE);

export const handler = postSettlement({ timeZone: env.BUSINESS_TIME_ZONE, read, add });
