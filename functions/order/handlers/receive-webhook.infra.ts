import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { receivePaymentWebhook } from '../contract.ts';

export const receiveWebhook: FunctionSpec = {
  context: 'order',
  name: 'receive-webhook',
  description: 'Takes signed webhooks of payment providers as a reason to ask about what is outstanding',
  trigger: { http: receivePaymentWebhook },
  grants: [
    { table: 'order', actions: ['dynamodb:Query', 'dynamodb:PutItem'] },
    { webhookSecret: ['secretsmanager:GetSecretValue'] },
  ],
};
