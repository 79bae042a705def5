import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';
import * as contract from '../contract.ts';

export const signOut: FunctionSpec = {
  context: 'account',
  name: 'sign-out',
  description: 'Ends sessions, and has their tokens refused',
  trigger: { http: contract.signOut },
  grants: [
    { userPool: ['cognito-idp:AdminUserGlobalSignOut'] },
    { table: 'limits', actions: ['dynamodb:PutItem'], partitions: ['ENDED'] },
    { table: 'limits', actions: ['dynamodb:UpdateItem'], partitions: ['PRESSURE'] },
  ],
};
