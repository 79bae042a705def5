import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { listProducts as route } from '../contract.ts';

export const listProducts: FunctionSpec = {
  context: 'catalog',
  name: 'list-products',
  description: 'Lists, searches and filters the products on sale',
  trigger: { http: route },
  grants: [
    { table: 'catalog', actions: ['dynamodb:Query'], indexes: ['by-update'] },
    { table: 'inventory', actions: ['dynamodb:BatchGetItem'] },
  ],
  // The whole catalogue is kept in memory.
  memoryMb: 1024,
};
