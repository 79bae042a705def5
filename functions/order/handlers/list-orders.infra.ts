import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { listOrders as route } from '../contract.ts';

export const listOrders: FunctionSpec = {
  context: 'order',
  name: 'list-orders',
  description: "Lists the caller's own orders",
  trigger: { http: route },
  grants: [
    { table: 'order', actions: ['dynamodb:Query'], indexes: ['by-customer'] },
    { table: 'order', actions: ['dynamodb:Query'] },
  ],
};
