import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { paymentCaptured, refundCompleted } from '../../order/contract.ts';

export const journal: FunctionSpec = {
  context: 'finance',
  name: 'journal',
  description: 'Posts captures and refunds to the journal',
  // A replay finds every entry in its place and changes nothing.
  trigger: { events: [paymentCaptured, refundCompleted], replays: 'accept' },
  // The journal can be added to, by nobody changed.
  grants: [{ table: 'finance', actions: ['dynamodb:PutItem'] }],
};
