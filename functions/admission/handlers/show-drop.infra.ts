import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { showDrop as route } from '../contract.ts';

export const showDrop: FunctionSpec = {
  context: 'admission',
  name: 'show-drop',
  description: 'Whom a drop is serving',
  trigger: { http: route },
  grants: [{ table: 'admission', actions: ['dynamodb:BatchGetItem'] }],
  warm: true,
};
