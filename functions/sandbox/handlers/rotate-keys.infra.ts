import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';

export const rotateKeys: FunctionSpec = {
  context: 'sandbox',
  name: 'rotate-keys',
  description: 'Gives the API key and the webhook secret of the sandbox provider a new value',
  // Two values are valid at a time, so a leaked one is worth something for two months at most.
  trigger: { schedule: 'rate(30 days)' },
  grants: [
    { paymentProvider: ['secretsmanager:PutSecretValue'] },
    { webhookSecret: ['secretsmanager:PutSecretValue'] },
  ],
};
