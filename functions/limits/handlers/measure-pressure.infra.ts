import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';

export const measurePressure: FunctionSpec = {
  context: 'limits',
  name: 'measure-pressure',
  description: 'Measures how hard the store is pressed, and says how much is to be refused',
  trigger: { schedule: 'rate(1 minute)' },
  grants: [
    {
      table: 'limits',
      actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
      partitions: ['PRESSURE'],
    },
    { metrics: ['cloudwatch:GetMetricData'] },
  ],
  timeoutSeconds: 70,
};
