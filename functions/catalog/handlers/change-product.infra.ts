import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { changeProduct as route } from '../contract.ts';

export const changeProduct: FunctionSpec = {
  context: 'catalog',
  name: 'change-product',
  description: 'Changes a product or takes it off sale',
  trigger: { http: route },
  grants: [
    { table: 'catalog', actions: ['dynamodb:GetItem', 'dynamodb:PutItem'] },
    { table: 'inventory', actions: ['dynamodb:BatchGetItem'] },
    { table: 'admission', actions: ['dynamodb:BatchGetItem'] },
  ],
};
