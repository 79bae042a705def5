import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';

export const planExport: FunctionSpec = {
  context: 'finance',
  name: 'plan-export',
  description: 'Decides which business date an export is of',
  trigger: { task: 'finance-export' },
  grants: [],
};
