import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { refundOrder as route } from '../contract.ts';

export const refundOrder: FunctionSpec = {
  context: 'order',
  name: 'refund-order',
  description: 'Promises a refund, which the saga carries out',
  trigger: { http: route },
  grants: [{ table: 'order', actions: ['dynamodb:Query', 'dynamodb:PutItem'] }],
};
