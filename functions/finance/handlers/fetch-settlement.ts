import { systemNow } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { rotatedSecret } from '../../kernel/secret.ts';
import { exportBucket } from '../adapters/export-bucket.ts';
import { providerSettlements } from '../adapters/provider-settlements.ts';
import { lastReconciled } from '../adapters/reconciled-days.ts';
import { fetchSettlement } from '../app/fetch-settlement.ts';

const env = environment('EXPORT_BUCKET', 'SANDBOX_URL', 'SANDBOX_SECRET_ARN');
const bucket = exportBucket(env.EXPORT_BUCKET);
const { valid } = rotatedSecret(env.SANDBOX_SECRET_ARN, systemNow);
const settlementOf = providerSettlements(env.SANDBOX_URL, valid);

export const handler = fetchSettlement({ ...bucket, settlementOf, lastReconciled: lastReconciled(bucket) });
