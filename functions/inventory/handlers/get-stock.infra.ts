import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { getStock as route } from '../contract.ts';

export const getStock: FunctionSpec = {
  context: 'inventory',
  name: 'get-stock',
  description: 'Shows the stock of a SKU',
  trigger: { http: route },
  grants: [{ table: 'inventory', actions: ['dynamodb:BatchGetItem'] }],
};
