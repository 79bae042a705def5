import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';

export const exportJournal: FunctionSpec = {
  context: 'finance',
  name: 'export-journal',
  description: "Writes the files of a business date's export",
  trigger: { task: 'finance-export' },
  grants: [
    { table: 'finance', actions: ['dynamodb:Query'] },
    { exports: ['s3:GetObject', 's3:PutObject', 's3:ListBucket'], prefix: 'exports/*' },
  ],
  // A day's journal is held in memory: about 1 KB an order.
  memoryMb: 1769,
  timeoutSeconds: 300,
};
