import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';

export const postSettlement: FunctionSpec = {
  context: 'finance',
  name: 'post-settlement',
  description: 'Posts fees, chargebacks and payouts of a settlement to the journal',
  trigger: { task: 'finance-reconcile' },
  grants: [
    { table: 'finance', actions: ['dynamodb:PutItem'] },
    { exports: ['s3:GetObject', 's3:ListBucket'], prefix: 'settlements/*' },
  ],
  memoryMb: 1024,
  timeoutSeconds: 120,
};
