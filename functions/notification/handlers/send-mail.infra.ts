import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import {
  orderCancelled,
  orderExpired,
  paymentCaptured,
  paymentDeclined,
  refundCompleted,
} from '../../order/contract.ts';

export const sendMail: FunctionSpec = {
  context: 'notification',
  name: 'send-mail',
  description: 'Writes to the shopper when an order is paid, declined, expired, cancelled or refunded',
  trigger: {
    events: [paymentCaptured, paymentDeclined, orderExpired, orderCancelled, refundCompleted],
    // The mark would stop a second copy, but the letter of last year is no news either way.
    replays: 'exclude',
  },
  grants: [
    { table: 'notification', actions: ['dynamodb:UpdateItem'] },
    { userPool: ['cognito-idp:AdminGetUser'] },
    { email: ['ses:SendEmail'] },
  ],
  // Shorter than the lease of an e-mail (60 s), longer than its patience and one last request (15 s + 10 s).
  timeoutSeconds: 30,
};
