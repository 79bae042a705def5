import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { cancelOrder as route } from '../contract.ts';

export const cancelOrder: FunctionSpec = {
  context: 'order',
  name: 'cancel-order',
  description: 'Cancels an order and gives its stock back, or records the wish to',
  trigger: { http: route },
  grants: [
    { table: 'order', actions: ['dynamodb:Query', 'dynamodb:PutItem'] },
    { table: 'inventory', actions: ['dynamodb:UpdateItem'] },
    { table: 'admission', actions: ['dynamodb:UpdateItem'] },
  ],
};
