import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { getAdminOrder as route } from '../contract.ts';

export const getAdminOrder: FunctionSpec = {
  context: 'reporting',
  name: 'get-admin-order',
  description: "Shows any customer's order to operators",
  trigger: { http: route },
  // The order itself, from its events: the list may be seconds behind.
  grants: [{ table: 'order', actions: ['dynamodb:Query'] }],
};
