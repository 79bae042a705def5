import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { payOrder as route } from '../contract.ts';

export const payOrder: FunctionSpec = {
  context: 'order',
  name: 'pay-order',
  description: 'Opens a payment attempt of a placed order',
  trigger: { http: route },
  grants: [{ table: 'order', actions: ['dynamodb:Query', 'dynamodb:PutItem'] }],
};
