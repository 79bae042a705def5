import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { setShards as route } from '../contract.ts';

export const setShards: FunctionSpec = {
  context: 'inventory',
  name: 'set-shards',
  description: 'Spreads the stock of a SKU over more shards',
  trigger: { http: route },
  grants: [
    { table: 'inventory', actions: ['dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'] },
  ],
};
