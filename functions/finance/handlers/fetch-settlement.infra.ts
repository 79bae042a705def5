import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';

export const fetchSettlement: FunctionSpec = {
  context: 'finance',
  name: 'fetch-settlement',
  description: "Keeps the payment provider's settlement file of a day as it came",
  trigger: { task: 'finance-reconcile' },
  grants: [
    { exports: ['s3:GetObject', 's3:PutObject', 's3:ListBucket'], prefix: 'settlements/*' },
    { paymentProvider: ['secretsmanager:GetSecretValue'] },
  ],
  memoryMb: 1024,
  timeoutSeconds: 120,
};
