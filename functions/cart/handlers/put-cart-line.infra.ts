import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import * as contract from '../contract.ts';

export const putCartLine: FunctionSpec = {
  context: 'cart',
  name: 'put-cart-line',
  description: 'Sets the quantity of a SKU in a cart',
  trigger: { http: contract.putCartLine },
  grants: [
    { table: 'cart', actions: ['dynamodb:GetItem', 'dynamodb:PutItem'] },
    { table: 'catalog', actions: ['dynamodb:BatchGetItem'] },
    { table: 'inventory', actions: ['dynamodb:BatchGetItem'] },
  ],
  warm: true,
};
