import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';

export const auditEvents: FunctionSpec = {
  context: 'order',
  name: 'audit-events',
  description:
    "Compares stored events with the journal, the mail log and the operators' list, and sends again what is missing",
  // At half past: the export of a day that ended at midnight finds it audited at two.
  trigger: { schedule: 'cron(30 * * * ? *)' },
  grants: [
    { table: 'order', actions: ['dynamodb:Query'], indexes: ['by-due'] },
    {
      table: 'order',
      actions: [
        'dynamodb:Query',
        'dynamodb:GetItem',
        'dynamodb:UpdateItem',
        'dynamodb:PutItem',
        'dynamodb:DeleteItem',
      ],
    },
    { table: 'finance', actions: ['dynamodb:BatchGetItem'] },
    { table: 'notification', actions: ['dynamodb:BatchGetItem'] },
    { table: 'reporting', actions: ['dynamodb:BatchGetItem'] },
    { bus: ['events:PutEvents'] },
  ],
  memoryMb: 1024,
  timeoutSeconds: 300,
};
