import { environment } from '../../kernel/env.ts';
import { documents } from '../../kernel/table.ts';
import { exportBucket } from '../adapters/export-bucket.ts';
import { entriesOf } from '../adapters/journal-table.ts';
import { lastReconciled } from '../adapters/reconciled-days.ts';
import { matchSettlement } from '../app/match-settlement.ts';

const env = environment('FINANCE_TABLE', 'EXPORT_BUCKET', 'BUSINESS_TIME_ZONE');
const bucket = exportBucket(env.EXPORT_BUCKET);

export const handler = matchSettlement({
  timeZone: env.BUSINESS_TIME_ZONE,
  entriesOf: entriesOf(documents, env.FINANCE_TABLE),
  lastReconciled: lastReconciled(bucket),
  ...bucket,
});
