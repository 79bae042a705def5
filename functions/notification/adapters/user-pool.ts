import { endpointFromEnvironment, refusalOf, sendSigned } from '../../kernel/aws-request.ts';
import { environment } from '../../kernel/env.ts';
import type { Ports } from '../app/send-mail.ts';

/** Milliseconds. */
const timeout = 5_000;

/** One mailbox: nothing that a list of recipients could be made of. */
const mailbox = /^[^\s@<>,;:"\\()[\]]+@[^\s@<>,;:"\\()[\]]+$/;

/**
 * Addresses from the user pool, whose user name is the customer's id (its `sub`).
 * @throws AwsRefusal, or Error when the pool does not answer
 */
export function userPoolAddresses(userPoolId: string): Ports['addressOf'] {
  return async (customerId) => {
    const { AWS_REGION } = environment('AWS_REGION');
    const endpoint =
      endpointFromEnvironment('COGNITO_IDENTITY_PROVIDER') ??
      `https://cognito-idp.${AWS_REGION}.amazonaws.com`;
    const response = await sendSigned(
      {
        service: 'cognito-idp',
        method: 'POST',
        url: new URL('/', endpoint),
        headers: {
          'content-type': 'application/x-amz-json-1.1',
          'x-amz-target': 'AWSCognitoIdentityProviderService.AdminGetUser',
        },
        body: JSON.stringify({ UserPoolId: userPoolId, Username: customerId }),
      },
      timeout,
    );
    if (!response.ok) {
      const refusal = await refusalOf(response);
      if (refusal.name === 'UserNotFoundException') return undefined;
      throw refusal;
    }
    const user = (await response.json()) as { UserAttributes?: { Name: string; Value?: string }[] };
    const address = user.UserAttributes?.find(({ Name }) => Name === 'email')?.Value;
    return address !== undefined && mailbox.test(address) ? address : undefined;
  };
}
