import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import * as contract from '../contract.ts';

export const notFound: FunctionSpec = {
  context: 'health',
  name: 'not-found',
  description: 'Answers 404 to what no route takes',
  trigger: { http: contract.notFound },
  grants: [],
};
