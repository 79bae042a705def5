import { environment } from '../../kernel/env.ts';
import { documents } from '../../kernel/table.ts';
import { deliveredUpTo } from '../../order/published.ts';
import { exportBucket } from '../adapters/export-bucket.ts';
import { exportedDates } from '../adapters/exported-dates.ts';
import { planExport } from '../app/plan-export.ts';

const env = environment('BUSINESS_TIME_ZONE', 'EXPORT_BUCKET', 'ORDER_TABLE');
const bucket = exportBucket(env.EXPORT_BUCKET);
const audited = () => deliveredUpTo(documents, env.ORDER_TABLE);
const ports = { timeZone: env.BUSINESS_TIME_ZONE, deliveredUpTo: audited };

export const handler = planExport({ ...ports, ...bucket, ...exportedDates(bucket) });
