import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import * as contract from '../contract.ts';

export const getHealth: FunctionSpec = {
  context: 'health',
  name: 'get-health',
  description: 'Answers whether the API is up',
  trigger: { http: contract.getHealth },
  grants: [],
};
