import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import * as contract from '../contract.ts';

export const getCart: FunctionSpec = {
  context: 'cart',
  name: 'get-cart',
  description: 'Answers a cart, priced now',
  trigger: { http: contract.getCart },
  grants: [
    { table: 'cart', actions: ['dynamodb:GetItem'] },
    { table: 'catalog', actions: ['dynamodb:BatchGetItem'] },
    { table: 'inventory', actions: ['dynamodb:BatchGetItem'] },
  ],
  warm: true,
};
