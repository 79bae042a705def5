import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import * as contract from '../contract.ts';

export const createCart: FunctionSpec = {
  context: 'cart',
  name: 'create-cart',
  description: "Makes a guest's or a shopper's cart",
  trigger: { http: contract.createCart },
  grants: [
    { table: 'cart', actions: ['dynamodb:PutItem'] },
    { table: 'catalog', actions: ['dynamodb:BatchGetItem'] },
    { table: 'inventory', actions: ['dynamodb:BatchGetItem'] },
  ],
  warm: true,
};
