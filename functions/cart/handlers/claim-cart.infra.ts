import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import * as contract from '../contract.ts';

export const claimCart: FunctionSpec = {
  context: 'cart',
  name: 'claim-cart',
  description: "Merges a guest cart into the shopper's own",
  trigger: { http: contract.claimCart },
  grants: [
    { table: 'cart', actions: ['dynamodb:GetItem', 'dynamodb:PutItem'] },
    { table: 'catalog', actions: ['dynamodb:BatchGetItem'] },
    { table: 'inventory', actions: ['dynamodb:BatchGetItem'] },
  ],
};
