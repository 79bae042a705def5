import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { listOrderEvents as route } from '../contract.ts';

export const listOrderEvents: FunctionSpec = {
  context: 'order',
  name: 'list-order-events',
  description: "Shows the history of one of the caller's own orders",
  trigger: { http: route },
  grants: [{ table: 'order', actions: ['dynamodb:Query'] }],
};
