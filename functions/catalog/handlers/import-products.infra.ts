import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { importProducts as route } from '../contract.ts';

export const importProducts: FunctionSpec = {
  context: 'catalog',
  name: 'import-products',
  description: 'Imports products from a file',
  trigger: { http: route },
  grants: [
    { table: 'catalog', actions: ['dynamodb:BatchGetItem', 'dynamodb:BatchWriteItem', 'dynamodb:PutItem'] },
    { table: 'admission', actions: ['dynamodb:BatchGetItem'] },
  ],
  // Reading 1.5 MB of YAML is work for a whole vCPU.
  memoryMb: 1769,
  timeoutSeconds: 29,
};
