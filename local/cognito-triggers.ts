import type { User } from './cognito-directory.ts';
import { AwsError, type Resource, type Runtime } from './types.ts';

export type TokenGeneration =
  | 'TokenGeneration_Authentication'
  | 'TokenGeneration_HostedAuth'
  | 'TokenGeneration_RefreshTokens';

/**
 * Has the pool's function look at the groups that the tokens are to name, before they are made. It may leave some out;
 * without its answer there are no tokens. Only the groups that it answers are heeded.
 * https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
 * @throws AwsError `UserLambdaValidationException`, `UnexpectedLambdaException`
 */
export async function groupsByTrigger(
  runtime: Runtime,
  pool: Resource,
  request: {
    readonly user: User;
    readonly groups: readonly string[];
    readonly client: Resource;
    readonly source: TokenGeneration;
  },
): Promise<readonly string[]> {
  const { LambdaArn, LambdaVersion } = pool.properties.LambdaConfig?.PreTokenGenerationConfig ?? {};
  if (!LambdaArn) return request.groups;
  const { user, groups, client, source } = request;
  const event = {
    version: String(LambdaVersion).replace(/^V(\d)_\d$/, '$1'),
    triggerSource: source,
    region: runtime.region,
    userPoolId: pool.ref,
    userName: user.username,
    callerContext: { awsSdkVersion: 'aws-sdk-unknown-unknown', clientId: client.ref },
    request: {
      userAttributes: { ...user.attributes, 'cognito:user_status': user.status },
      groupConfiguration: { groupsToOverride: groups, iamRolesToOverride: [], preferredRole: null },
      scopes: [],
    },
    response: { claimsAndScopeOverrideDetails: null },
  };
  const caller = { kind: 'service', service: 'cognito-idp.amazonaws.com', sourceArn: pool.arn } as const;
  const output = await runtime
    .call('lambda', 'Invoke', { FunctionName: LambdaArn, Payload: event }, caller)
    .catch((error) => {
      runtime.log('cognito-idp', 'PreTokenGeneration', error);
      throw new AwsError('UnexpectedLambdaException', 'PreTokenGeneration invocation failed.');
    });
  if (output.FunctionError) {
    throw new AwsError('UserLambdaValidationException', 'PreTokenGeneration failed with an error.');
  }
  const { groupOverrideDetails: answer } = output.Payload?.response?.claimsAndScopeOverrideDetails ?? {};
  return answer === undefined ? groups : (answer?.groupsToOverride ?? []);
}
