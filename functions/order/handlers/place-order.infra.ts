import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { placeOrder as route } from '../contract.ts';

export const placeOrder: FunctionSpec = {
  context: 'order',
  name: 'place-order',
  description: 'Places an order and reserves its stock in one transaction',
  trigger: { http: route },
  grants: [
    { table: 'order', actions: ['dynamodb:GetItem', 'dynamodb:PutItem'] },
    { table: 'cart', actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'] },
    { table: 'catalog', actions: ['dynamodb:BatchGetItem'] },
    { table: 'inventory', actions: ['dynamodb:BatchGetItem', 'dynamodb:UpdateItem'] },
    {
      table: 'admission',
      actions: ['dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
    },
  ],
  memoryMb: 1024,
  timeoutSeconds: 20,
  warm: true,
};
