import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { changeDrop as route } from '../contract.ts';

export const changeDrop: FunctionSpec = {
  context: 'admission',
  name: 'change-drop',
  description: 'Pauses, resumes or ends a drop',
  trigger: { http: route },
  grants: [
    { table: 'admission', actions: ['dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'] },
    { table: 'inventory', actions: ['dynamodb:BatchGetItem'] },
  ],
};
