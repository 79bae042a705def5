import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { deliverOrder as route } from '../contract.ts';

export const deliverOrder: FunctionSpec = {
  context: 'order',
  name: 'deliver-order',
  description: 'Records that a fulfilled order has reached the shopper',
  trigger: { http: route },
  grants: [{ table: 'order', actions: ['dynamodb:Query', 'dynamodb:PutItem'] }],
};
