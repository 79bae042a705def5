import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import { webhookDue } from '../contract.ts';

export const deliverWebhook: FunctionSpec = {
  context: 'sandbox',
  name: 'deliver-webhook',
  description: 'The sandbox payment provider: tells the store of every change of a charge',
  trigger: { events: [webhookDue], replays: 'exclude' },
  grants: [{ webhookSecret: ['secretsmanager:GetSecretValue'] }],
  // Two webhooks of 5 s; what is not taken comes back after six times this.
  timeoutSeconds: 12,
};
