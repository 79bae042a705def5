import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';

export const matchSettlement: FunctionSpec = {
  context: 'finance',
  name: 'match-settlement',
  description: 'Compares a settlement with the journal, and types what does not agree',
  trigger: { task: 'finance-reconcile' },
  grants: [
    { table: 'finance', actions: ['dynamodb:Query'] },
    { exports: ['s3:GetObject', 's3:PutObject', 's3:ListBucket'], prefix: 'settlements/*' },
  ],
  // Three days' journals are held in memory: about 1 KB an order.
  memoryMb: 1769,
  timeoutSeconds: 300,
};
