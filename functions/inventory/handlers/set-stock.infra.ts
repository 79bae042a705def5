import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { setStock as route } from '../contract.ts';

export const setStock: FunctionSpec = {
  context: 'inventory',
  name: 'set-stock',
  description: 'Sets or adjusts the stock of a SKU',
  trigger: { http: route },
  grants: [
    { table: 'admission', actions: ['dynamodb:BatchGetItem'] },
    {
      table: 'inventory',
      actions: [
        'dynamodb:GetItem',
        'dynamodb:BatchGetItem',
        'dynamodb:PutItem',
        'dynamodb:UpdateItem',
        'dynamodb:ConditionCheckItem',
      ],
    },
  ],
};
