import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';

export const conductDrops: FunctionSpec = {
  context: 'admission',
  name: 'conduct-drops',
  description: 'Counts arrivals and admits, once a second while a drop is live',
  trigger: { schedule: 'rate(1 minute)' },
  grants: [
    { table: 'admission', actions: ['dynamodb:Query', 'dynamodb:BatchGetItem', 'dynamodb:PutItem'] },
    { table: 'inventory', actions: ['dynamodb:BatchGetItem'] },
    { checkoutQueue: ['sqs:GetQueueAttributes'] },
  ],
  memoryMb: 512,
  timeoutSeconds: 90,
};
