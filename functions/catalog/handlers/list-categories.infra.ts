import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { listCategories as route } from '../contract.ts';

export const listCategories: FunctionSpec = {
  context: 'catalog',
  name: 'list-categories',
  description: 'Shows the tree of categories',
  trigger: { http: route },
  grants: [{ table: 'catalog', actions: ['dynamodb:Query'], indexes: ['by-update'] }],
};
