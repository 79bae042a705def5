import type { FunctionSpec } from '../../../lib/constructs/function-spec.ts';

export const nameGroups: FunctionSpec = {
  context: 'account',
  name: 'name-groups',
  description: 'Names a user’s groups in their tokens only if signing in asks for a second factor',
  trigger: { userPool: 'pre-token-generation' },
  grants: [{ userPool: ['cognito-idp:AdminGetUser'] }],
  // As long as Cognito waits.
  timeoutSeconds: 5,
};
