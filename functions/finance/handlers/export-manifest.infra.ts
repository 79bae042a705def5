import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';

export const exportManifest: FunctionSpec = {
  context: 'finance',
  name: 'export-manifest',
  description: 'Checks the files of an export and writes its manifest, last',
  trigger: { task: 'finance-export' },
  // To list: S3 then answers 404, not 403, for a file that is missing.
  grants: [{ exports: ['s3:GetObject', 's3:PutObject', 's3:ListBucket'], prefix: 'exports/*' }],
  memoryMb: 1024,
  timeoutSeconds: 120,
};
