import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';

export const forgetAddresses: FunctionSpec = {
  context: 'order',
  name: 'forget-addresses',
  description: 'Forgets the addresses of orders that are older than their time',
  trigger: { schedule: 'cron(45 3 * * ? *)', timeZone: 'business' },
  grants: [
    { table: 'order', actions: ['dynamodb:Query'], indexes: ['by-due'] },
    { table: 'order', actions: ['dynamodb:UpdateItem'], partitions: ['ORDER#*'] },
    { table: 'order', actions: ['dynamodb:GetItem', 'dynamodb:PutItem'], partitions: ['FORGOTTEN#*'] },
  ],
  timeoutSeconds: 900,
};
