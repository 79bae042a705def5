import { AwsRefusal, endpointFromEnvironment, refusalOf, sendSigned } from './aws-request.ts';
import { environment } from './env.ts';

interface PoolUser {
  readonly UserAttributes?: readonly { readonly Name: string; readonly Value?: string }[];
  /** Second factors that signing in asks for. */
  readonly UserMFASettingList?: readonly string[];
}

/**
 * An account of the user pool; undefined when there is none. Without the SDK's client, for the bundle's sake.
 * @param username the customer's id (`sub`) does as well
 * @param timeout milliseconds
 * @throws AwsRefusal, or Error when the pool does not answer
 */
export async function adminGetUser(
  userPoolId: string,
  username: string,
  timeout: number,
): Promise<PoolUser | undefined> {
  try {
    return (await call('AdminGetUser', { UserPoolId: userPoolId, Username: username }, timeout)) as PoolUser;
  } catch (error) {
    if (error instanceof AwsRefusal && error.name === 'UserNotFoundException') return undefined;
    throw error;
  }
}

/** Ends all sessions of an account: their refresh tokens give nothing any more. @throws as `adminGetUser` */
export async function adminUserGlobalSignOut(
  userPoolId: string,
  username: string,
  timeout: number,
): Promise<void> {
  await call('AdminUserGlobalSignOut', { UserPoolId: userPoolId, Username: username }, timeout);
}

/**
 * Ends the session that the refresh token is of; one that is of none is as good as ended (RFC 7009 §2.2).
 * @throws as `adminGetUser`
 */
export async function revokeToken(clientId: string, refreshToken: string, timeout: number): Promise<void> {
  try {
    await call('RevokeToken', { ClientId: clientId, Token: refreshToken }, timeout);
  } catch (error) {
    if (error instanceof AwsRefusal && notOneOfOurs.has(error.name)) return;
    throw error;
  }
}

const notOneOfOurs = new Set([
  'InvalidParameterException',
  'NotAuthorizedException',
  'UnauthorizedException',
  'UnsupportedTokenTypeException',
]);

async function call(operation: string, input: object, timeout: number): Promise<unknown> {
  const { AWS_REGION } = environment('AWS_REGION');
  const endpoint =
    endpointFromEnvironment('COGNITO_IDENTITY_PROVIDER') ?? `https://cognito-idp.${AWS_REGION}.amazonaws.com`;
  const response = await sendSigned(
    {
      service: 'cognito-idp',
      method: 'POST',
      url: new URL('/', endpoint),
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `AWSCognitoIdentityProviderService.${operation}`,
      },
      body: JSON.stringify(input),
    },
    timeout,
  );
  if (!response.ok) throw await refusalOf(response);
  return response.json();
}
