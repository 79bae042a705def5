import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';

export const sweepDue: FunctionSpec = {
  context: 'order',
  name: 'sweep-due',
  description: 'Ends the orders whose reservation is over, and asks about payments that stand still',
  trigger: { schedule: 'rate(1 minute)' },
  grants: [
    { table: 'order', actions: ['dynamodb:Query'], indexes: ['by-due'] },
    {
      table: 'order',
      actions: [
        'dynamodb:Query',
        'dynamodb:GetItem',
        'dynamodb:PutItem',
        'dynamodb:UpdateItem',
        'dynamodb:DeleteItem',
      ],
    },
    { table: 'inventory', actions: ['dynamodb:UpdateItem'] },
    { table: 'admission', actions: ['dynamodb:UpdateItem'] },
  ],
  memoryMb: 1024,
  timeoutSeconds: 300,
};
