import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import * as contract from '../contract.ts';

export const deleteCartLine: FunctionSpec = {
  context: 'cart',
  name: 'delete-cart-line',
  description: 'Takes a SKU out of a cart',
  trigger: { http: contract.deleteCartLine },
  grants: [
    { table: 'cart', actions: ['dynamodb:GetItem', 'dynamodb:PutItem'] },
    { table: 'catalog', actions: ['dynamodb:BatchGetItem'] },
    { table: 'inventory', actions: ['dynamodb:BatchGetItem'] },
  ],
};
