import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { importStock as route } from '../contract.ts';

export const importStock: FunctionSpec = {
  context: 'inventory',
  name: 'import-stock',
  description: 'Opens the stock of SKUs from a file',
  trigger: { http: route },
  grants: [{ table: 'inventory', actions: ['dynamodb:BatchGetItem', 'dynamodb:PutItem'] }],
  // Reading 1.5 MB of YAML is work for a whole vCPU.
  memoryMb: 1769,
  timeoutSeconds: 29,
};
