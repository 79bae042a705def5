import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import * as contract from '../contract.ts';

export const getOpenApi: FunctionSpec = {
  context: 'health',
  name: 'get-open-api',
  description: 'Answers the OpenAPI document',
  trigger: { http: contract.getOpenApi },
  grants: [],
};
