import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { listAdminOrders as route } from '../contract.ts';

export const listAdminOrders: FunctionSpec = {
  context: 'reporting',
  name: 'list-admin-orders',
  description: 'Lists orders of all customers for operators',
  trigger: { http: route },
  grants: [
    { table: 'reporting', actions: ['dynamodb:Query'], indexes: ['by-placed'] },
    { table: 'reporting', actions: ['dynamodb:BatchGetItem'] },
  ],
};
