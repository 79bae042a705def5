import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';

export const growShards: FunctionSpec = {
  context: 'inventory',
  name: 'grow-shards',
  description: 'Gives more shards to SKUs whose buyers are in each other’s way',
  trigger: { schedule: 'rate(1 minute)' },
  grants: [
    {
      table: 'inventory',
      actions: ['dynamodb:Query', 'dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
    },
  ],
  timeoutSeconds: 90,
};
