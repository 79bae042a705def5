import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';

export const callProvider: FunctionSpec = {
  context: 'payment',
  name: 'call-provider',
  description: 'Makes one money call to the payment provider for the checkout saga',
  trigger: { task: 'checkout' },
  grants: [{ paymentProvider: ['secretsmanager:GetSecretValue'] }],
  timeoutSeconds: 20,
};
