import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';

export const planExport: FunctionSpec = {
  context: 'finance',
  name: 'plan-export',
  description: 'Decides which business date an export is of, and whether all of it has been journalled',
  trigger: { task: 'finance-export' },
  grants: [
    { table: 'order', actions: ['dynamodb:GetItem'] },
    { exports: ['s3:GetObject', 's3:ListBucket'], prefix: 'exports/*' },
  ],
};
