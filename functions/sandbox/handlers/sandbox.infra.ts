import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';

export const sandbox: FunctionSpec = {
  context: 'sandbox',
  name: 'sandbox',
  description: 'The sandbox payment provider: every route of its API',
  trigger: { sandbox: '$default' },
  grants: [
    // A transaction is authorised by the writes in it.
    { table: 'sandbox', actions: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Scan'] },
    { paymentProvider: ['secretsmanager:GetSecretValue'] },
  ],
  // Some of its cards hold the answer back for 10 s.
  timeoutSeconds: 15,
};
