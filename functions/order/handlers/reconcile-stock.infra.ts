import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';

export const reconcileStock: FunctionSpec = {
  context: 'order',
  name: 'reconcile-stock',
  description: 'Compares the shards with what the orders drew and gave back',
  // Once a day, in the quietest hour: it reads every order.
  trigger: { schedule: 'cron(15 4 * * ? *)', timeZone: 'business' },
  grants: [
    { table: 'order', actions: ['dynamodb:Scan', 'dynamodb:PutItem'] },
    { table: 'inventory', actions: ['dynamodb:Scan'] },
  ],
  memoryMb: 1024,
  timeoutSeconds: 900,
};
