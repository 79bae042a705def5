import { systemNow } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { exportBucket } from '../adapters/export-bucket.ts';
import { getExport } from '../app/get-export.ts';
import * as contract from '../contract.ts';

const env = environment('EXPORT_BUCKET');
const ports = { now: systemNow, ...exportBucket(env.EXPORT_BUCKET) };

export const handler = httpHandler(contract.getExport, getExport(ports));
