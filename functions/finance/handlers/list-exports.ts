import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { exportBucket } from '../adapters/export-bucket.ts';
import { listExports } from '../app/list-exports.ts';
import * as contract from '../contract.ts';

const env = environment('EXPORT_BUCKET');

export const handler = httpHandler(contract.listExports, listExports(exportBucket(env.EXPORT_BUCKET)));
