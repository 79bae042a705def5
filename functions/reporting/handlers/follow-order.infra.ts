import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { followedEvents } from '../contract.ts';

export const followOrder: FunctionSpec = {
  context: 'reporting',
  name: 'follow-order',
  description: "Keeps the operators' list of orders",
  // A replay brings facts that every row has.
  trigger: { events: followedEvents, replays: 'accept' },
  grants: [{ table: 'reporting', actions: ['dynamodb:UpdateItem'] }],
};
