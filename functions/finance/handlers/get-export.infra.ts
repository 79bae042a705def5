import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import * as contract from '../contract.ts';

export const getExport: FunctionSpec = {
  context: 'finance',
  name: 'get-export',
  description: 'Shows a daily export and makes time-limited links to its files',
  trigger: { http: contract.getExport },
  // To list: S3 then answers 404, not 403, for an export that is missing.
  grants: [{ exports: ['s3:GetObject', 's3:ListBucket'], prefix: 'exports/*' }],
};
