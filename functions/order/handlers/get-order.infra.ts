import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { getOrder as route } from '../contract.ts';

export const getOrder: FunctionSpec = {
  context: 'order',
  name: 'get-order',
  description: "Shows one of the caller's own orders",
  trigger: { http: route },
  grants: [{ table: 'order', actions: ['dynamodb:Query'] }],
};
