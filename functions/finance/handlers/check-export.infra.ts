import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';

export const checkExport: FunctionSpec = {
  context: 'finance',
  name: 'check-export',
  description: 'Looks at 06:00 whether the export of the business day before is there',
  trigger: { schedule: 'cron(0 6 * * ? *)', timeZone: 'business' },
  grants: [{ exports: ['s3:GetObject', 's3:ListBucket'], prefix: 'exports/*' }],
};
