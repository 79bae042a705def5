import { environment } from '../../kernel/env.ts';
import { documents } from '../../kernel/table.ts';
import { journalledUpTo } from '../../order/published.ts';
import { exportBucket } from '../adapters/export-bucket.ts';
import { exportedDates } from '../adapters/exported-dates.ts';
import { planExport } from '../app/plan-export.ts';

const env = environment('BUSINESS_TIME_ZONE', 'EXPORT_BUCKET', 'ORDER_TABLE');
const bucket = exportBucket(env.EXPORT_BUCKET);
const audited = () => journalledUpTo(documents, env.ORDER_TABLE);
const ports = { timeZone: env.BUSINESS_TIME_ZONE, journalledUpTo: audited };

export const handler = planExport({ ...ports, ...bucket, ...exportedDates(bucket) });
