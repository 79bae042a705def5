import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { listDrops as route } from '../contract.ts';

export const listDrops: FunctionSpec = {
  context: 'admission',
  name: 'list-drops',
  description: 'Drops with their queues',
  trigger: { http: route },
  grants: [
    { table: 'admission', actions: ['dynamodb:Query', 'dynamodb:BatchGetItem'] },
    { table: 'inventory', actions: ['dynamodb:BatchGetItem'] },
  ],
};
