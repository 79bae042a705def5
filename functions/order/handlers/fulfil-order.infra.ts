import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { fulfilOrder as route } from '../contract.ts';

export const fulfilOrder: FunctionSpec = {
  context: 'order',
  name: 'fulfil-order',
  description: 'Records that a paid order has been handed to the carrier',
  trigger: { http: route },
  grants: [{ table: 'order', actions: ['dynamodb:Query', 'dynamodb:PutItem'] }],
};
