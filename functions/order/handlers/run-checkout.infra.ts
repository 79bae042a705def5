import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { checkoutEvents } from '../contract.ts';

export const runCheckout: FunctionSpec = {
  context: 'order',
  name: 'run-checkout',
  description: 'Runs the checkout saga of each order that has something outstanding at the payment provider',
  trigger: {
    events: checkoutEvents,
    // A run asks the order's events what is outstanding: a replayed event finds nothing to do.
    replays: 'exclude',
    // One order a batch: a saga takes seconds, and its failure must not bring others back.
    batchSize: 1,
  },
  grants: [
    { table: 'order', actions: ['dynamodb:Query', 'dynamodb:PutItem'] },
    { stateMachine: 'checkout', actions: ['states:StartSyncExecution'] },
  ],
  // The saga's own limit is 30 s.
  timeoutSeconds: 40,
};
