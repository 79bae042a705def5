import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { paymentCaptured, paymentVoided, refundCompleted } from '../../order/contract.ts';

export const journal: FunctionSpec = {
  context: 'finance',
  name: 'journal',
  description: 'Posts captures, refunds and voids to the journal',
  // A replay finds every entry in its place and changes nothing.
  trigger: { events: [paymentCaptured, refundCompleted, paymentVoided], replays: 'accept' },
  // The journal can be added to, by nobody changed.
  grants: [{ table: 'finance', actions: ['dynamodb:PutItem'] }],
};
