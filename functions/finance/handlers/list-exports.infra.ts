import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import * as contract from '../contract.ts';

export const listExports: FunctionSpec = {
  context: 'finance',
  name: 'list-exports',
  description: 'Lists the daily exports',
  trigger: { http: contract.listExports },
  grants: [{ exports: ['s3:ListBucket', 's3:GetObject'], prefix: 'exports/*' }],
};
