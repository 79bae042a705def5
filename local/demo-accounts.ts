import type { Caller, Runtime } from './types.ts';

export interface DemoAccount {
  readonly role: 'shopper' | 'operator' | 'finance';
  readonly email: string;
  readonly groups: readonly string[];
}

/** The password of every demo account. They exist in the embedded cloud only. */
export const demoPassword = 'Floodgate-demo-1';

export const demoAccounts: readonly DemoAccount[] = [
  { role: 'shopper', email: 'shopper@example.com', groups: [] },
  { role: 'operator', email: 'operator@example.com', groups: ['operators'] },
  { role: 'finance', email: 'finance@example.com', groups: ['finance'] },
];

export interface Tokens {
  readonly accessToken: string;
  readonly idToken: string;
  readonly refreshToken: string;
  /** Seconds. */
  readonly expiresIn: number;
}

/** The user pool that accounts are made in, and how to reach it. */
export interface AccountPool {
  readonly userPoolId: string;
  readonly clientId: string;
  call(service: string, operation: string, input: unknown, caller: Caller): Promise<any>;
}

/** The pool and the client that people sign in with, as the stack outputs name them. */
export function accountPoolOf(runtime: Pick<Runtime, 'output' | 'call'>): AccountPool | undefined {
  const [userPoolId, clientId] = [runtime.output('UserPoolId'), runtime.output('UserPoolClientId')];
  if (!userPoolId || !clientId) return undefined;
  return {
    userPoolId,
    clientId,
    call: (service, operation, input, by) => runtime.call(service, operation, input, by),
  };
}

const caller: Caller = { kind: 'operator' };

/**
 * An account that is ready to use: confirmed, its address verified, in its groups.
 * @throws AwsError `UsernameExistsException`, `InvalidPasswordException`, `InvalidParameterException`, and
 *   `ResourceNotFoundException` for an unknown group
 */
export async function createAccount(
  pool: AccountPool,
  email: string,
  password: string,
  groups: readonly string[],
): Promise<void> {
  const user = { UserPoolId: pool.userPoolId, Username: email };
  await pool.call(
    'cognito-idp',
    'AdminCreateUser',
    { ...user, MessageAction: 'SUPPRESS', UserAttributes: [{ Name: 'email_verified', Value: 'true' }] },
    caller,
  );
  const chosen = { ...user, Password: password, Permanent: true };
  await pool.call('cognito-idp', 'AdminSetUserPassword', chosen, caller);
  for (const GroupName of groups) {
    await pool.call('cognito-idp', 'AdminAddUserToGroup', { ...user, GroupName }, caller);
  }
  if (groups.length > 0) await secondFactorOf(pool, email);
}

/** The secret of an account's authenticator app, which it gets if it has none: groups count only with one. */
export async function secondFactorOf(pool: AccountPool, email: string): Promise<string> {
  const user = { UserPoolId: pool.userPoolId, Username: email };
  const { SecretCode } = await pool.call('cognito-idp', 'GrantSoftwareToken', user, caller);
  return SecretCode;
}

/** @throws AwsError `NotAuthorizedException`, `UserNotFoundException` */
export async function signIn(pool: AccountPool, email: string, password: string): Promise<Tokens> {
  const { AuthenticationResult: result } = await pool.call(
    'cognito-idp',
    'AdminInitiateAuth',
    {
      UserPoolId: pool.userPoolId,
      ClientId: pool.clientId,
      AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME: email, PASSWORD: password },
    },
    caller,
  );
  return {
    accessToken: result.AccessToken,
    idToken: result.IdToken,
    refreshToken: result.RefreshToken,
    expiresIn: result.ExpiresIn,
  };
}
