import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { takeTicket as route } from '../contract.ts';

export const takeTicket: FunctionSpec = {
  context: 'admission',
  name: 'take-ticket',
  description: 'Gives a shopper a place in the waiting room',
  trigger: { http: route },
  grants: [
    {
      table: 'admission',
      actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
    },
    { admissionKey: ['kms:Decrypt'] },
  ],
  warm: true,
};
