import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { getProduct as route } from '../contract.ts';

export const getProduct: FunctionSpec = {
  context: 'catalog',
  name: 'get-product',
  description: 'Shows a product with its availability',
  trigger: { http: route },
  grants: [
    { table: 'catalog', actions: ['dynamodb:GetItem'] },
    { table: 'inventory', actions: ['dynamodb:BatchGetItem'] },
  ],
};
