import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { createProduct as route } from '../contract.ts';

export const createProduct: FunctionSpec = {
  context: 'catalog',
  name: 'create-product',
  description: 'Adds a product',
  trigger: { http: route },
  grants: [
    { table: 'catalog', actions: ['dynamodb:PutItem'] },
    { table: 'inventory', actions: ['dynamodb:BatchGetItem'] },
  ],
};
