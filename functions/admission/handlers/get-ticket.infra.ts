import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { getTicket as route } from '../contract.ts';

export const getTicket: FunctionSpec = {
  context: 'admission',
  name: 'get-ticket',
  description: 'Tells a shopper of the place, and admits',
  trigger: { http: route },
  grants: [
    { table: 'admission', actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:PutItem'] },
    { admissionKey: ['kms:Decrypt'] },
  ],
  warm: true,
};
