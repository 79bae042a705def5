import { environment } from '../../kernel/env.ts';
import { exportBucket } from '../adapters/export-bucket.ts';
import { checkExport } from '../app/check-export.ts';

const env = environment('EXPORT_BUCKET', 'BUSINESS_TIME_ZONE');
const { read } = exportBucket(env.EXPORT_BUCKET);

export const handler = checkExport({ timeZone: env.BUSINESS_TIME_ZONE, read });
