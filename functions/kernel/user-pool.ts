import { endpointFromEnvironment, refusalOf, sendSigned } from './aws-request.ts';
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
        'x-amz-target': 'AWSCognitoIdentityProviderService.AdminGetUser',
      },
      body: JSON.stringify({ UserPoolId: userPoolId, Username: username }),
    },
    timeout,
  );
  if (response.ok) return (await response.json()) as PoolUser;
  const refusal = await refusalOf(response);
  if (refusal.name === 'UserNotFoundException') return undefined;
  throw refusal;
}
