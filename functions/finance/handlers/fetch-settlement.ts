import { environment } from '../../kernel/env.ts';
import { secretText } from '../../kernel/secret.ts';
import { exportBucket } from '../adapters/export-bucket.ts';
import { providerSettlements } from '../adapters/provider-settlements.ts';
import { lastReconciled } from '../adapters/reconciled-days.ts';
import { fetchSettlement } from '../app/fetch-settlement.ts';

const env = environment('EXPORT_BUCKET', 'SANDBOX_URL', 'SANDBOX_SECRET_ARN');
const bucket = exportBucket(env.EXPORT_BUCKET);
const settlementOf = providerSettlements(env.SANDBOX_URL, secretText(env.SANDBOX_SECRET_ARN));

export const handler = fetchSettlement({ ...bucket, settlementOf, lastReconciled: lastReconciled(bucket) });
