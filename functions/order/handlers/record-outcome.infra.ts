import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';

export const recordOutcome: FunctionSpec = {
  context: 'order',
  name: 'record-outcome',
  description: "Appends what the provider's answer means for the order, and says what is next",
  trigger: { task: 'checkout' },
  grants: [
    { table: 'order', actions: ['dynamodb:Query', 'dynamodb:PutItem'] },
    { table: 'inventory', actions: ['dynamodb:UpdateItem'] },
    { table: 'admission', actions: ['dynamodb:UpdateItem'] },
  ],
};
