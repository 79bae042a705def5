import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { getDrop as route } from '../contract.ts';

export const getDrop: FunctionSpec = {
  context: 'admission',
  name: 'get-drop',
  description: 'A drop with its queue',
  trigger: { http: route },
  grants: [
    { table: 'admission', actions: ['dynamodb:BatchGetItem'] },
    { table: 'inventory', actions: ['dynamodb:BatchGetItem'] },
  ],
};
