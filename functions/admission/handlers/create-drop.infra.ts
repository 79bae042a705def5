import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { createDrop as route } from '../contract.ts';

export const createDrop: FunctionSpec = {
  context: 'admission',
  name: 'create-drop',
  description: 'Announces a drop',
  trigger: { http: route },
  grants: [
    { table: 'admission', actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:PutItem'] },
    { table: 'inventory', actions: ['dynamodb:BatchGetItem'] },
    { admissionKey: ['kms:GenerateDataKeyPairWithoutPlaintext'] },
  ],
};
