import type { User } from './cognito-directory.ts';
import { deliveryTo, sendCode } from './cognito-mail.ts';
import { hashPassword, passwordMatches } from './cognito-passwords.ts';
import {
  attributeList,
  attributesFrom,
  demandPassword,
  identityOf,
  type Pool,
  type Pools,
  secondFactorOf,
} from './cognito-pool.ts';
import { accountScope, notAuthorized } from './cognito-tokens.ts';
import { AwsError, type Resource, type Runtime } from './types.ts';

/** What shoppers do with their own accounts: with a client's id, or with their access token. */
export class Accounts {
  readonly #runtime: Runtime;
  readonly #pools: Pools;

  constructor(runtime: Runtime, pools: Pools) {
    this.#runtime = runtime;
    this.#pools = pools;
  }

  async signUp(input: any): Promise<object> {
    const { pool, client } = this.#pools.client(input.ClientId);
    if (pool.resource.properties.AdminCreateUserConfig?.AllowAdminCreateUserOnly) {
      throw notAuthorized('SignUp is not permitted for this user pool');
    }
    demandPassword(pool, input.Password, 'SIGN_UP');
    const attributes = attributesFrom(input.UserAttributes);
    demandWritable(client, attributes);
    const unverified = { ...attributes, email_verified: 'false' };
    const created = pool.directory.create(input.Username ?? '', unverified, 'UNCONFIRMED', null);
    const password = await hashPassword(input.Password, identityOf(pool, created));
    const user = pool.directory.update(created, { password });
    const delivery = await sendCode(this.#runtime, pool, user, 'sign-up');
    return { UserConfirmed: false, UserSub: user.sub, CodeDeliveryDetails: delivery };
  }

  confirmSignUp(input: any): object {
    const { pool, user } = this.#holderOfCode(input);
    if (user.status !== 'UNCONFIRMED') {
      throw notAuthorized(`User cannot be confirmed. Current status is ${user.status}`);
    }
    pool.directory.redeemCode(user, 'sign-up', input.ConfirmationCode);
    const attributes = { ...user.attributes, email_verified: 'true' };
    pool.directory.update(user, { status: 'CONFIRMED', attributes });
    return {};
  }

  async resendConfirmationCode(input: any): Promise<object> {
    const { pool, client } = this.#pools.client(input.ClientId);
    const user = pool.directory.find(input.Username);
    if (!user) return pretendDelivery(client, input.Username);
    if (user.status !== 'UNCONFIRMED') {
      throw new AwsError('InvalidParameterException', 'User is already confirmed.');
    }
    return { CodeDeliveryDetails: await sendCode(this.#runtime, pool, user, 'sign-up') };
  }

  async forgotPassword(input: any): Promise<object> {
    const { pool, client } = this.#pools.client(input.ClientId);
    const user = pool.directory.find(input.Username);
    if (!user) return pretendDelivery(client, input.Username);
    if (!user.enabled) throw notAuthorized('User is disabled.');
    if (user.attributes.email_verified !== 'true') {
      throw new AwsError(
        'InvalidParameterException',
        'Cannot reset password for the user as there is no registered/verified email or phone_number',
      );
    }
    return { CodeDeliveryDetails: await sendCode(this.#runtime, pool, user, 'forgot-password') };
  }

  async confirmForgotPassword(input: any): Promise<object> {
    const { pool, user } = this.#holderOfCode(input);
    demandPassword(pool, input.Password, 'PASSWORD_CHANGE');
    const password = await hashPassword(input.Password, identityOf(pool, user));
    pool.directory.redeemCode(user, 'forgot-password', input.ConfirmationCode);
    pool.directory.update(user, { password, status: 'CONFIRMED' });
    return {};
  }

  async changePassword(input: any): Promise<object> {
    const { pool, user } = this.#bearer(input.AccessToken);
    if (!(await passwordMatches(input.PreviousPassword ?? '', user.password))) {
      throw notAuthorized('Incorrect username or password.');
    }
    demandPassword(pool, input.ProposedPassword, 'PASSWORD_CHANGE');
    pool.directory.update(user, {
      password: await hashPassword(input.ProposedPassword, identityOf(pool, user)),
    });
    return {};
  }

  getUser(input: any): object {
    const { pool, user } = this.#bearer(input.AccessToken);
    return {
      Username: user.username,
      UserAttributes: attributeList(user),
      ...secondFactorOf(pool, user),
    };
  }

  associateSoftwareToken(input: any): object {
    const { pool, user } = this.#bearer(input.AccessToken);
    return { SecretCode: pool.secondFactors.associate(user) };
  }

  verifySoftwareToken(input: any): object {
    const { pool, user } = this.#bearer(input.AccessToken);
    pool.secondFactors.verify(user, String(input.UserCode ?? ''));
    return { Status: 'SUCCESS' };
  }

  setMfaPreference(input: any): object {
    const { pool, user } = this.#bearer(input.AccessToken);
    const { Enabled } = input.SoftwareTokenMfaSettings ?? {};
    if (Enabled !== undefined) pool.secondFactors.prefer(user, Enabled);
    return {};
  }

  async updateAttributes(input: any): Promise<object> {
    const { pool, client, user } = this.#bearer(input.AccessToken);
    const change = attributesFrom(input.UserAttributes);
    demandWritable(client, change);
    const address = change.email !== user.attributes.email ? change.email : undefined;
    const { AttributesRequireVerificationBeforeUpdate: provedFirst } =
      pool.resource.properties.UserAttributeUpdateSettings ?? {};
    if (address !== undefined) {
      // Until the code comes back the old address stays, where the pool says so.
      if (provedFirst?.includes('email')) delete change.email;
      else change.email_verified = 'false';
    }
    const changed = pool.directory.update(user, { attributes: { ...user.attributes, ...change } });
    const deliveries =
      address === undefined ? [] : [await sendCode(this.#runtime, pool, changed, 'email', address)];
    return { CodeDeliveryDetailsList: deliveries };
  }

  verifyAttribute(input: any): object {
    const { pool, user } = this.#bearer(input.AccessToken);
    if (input.AttributeName !== 'email') {
      throw new AwsError('InvalidParameterException', 'Only email can be verified.');
    }
    const address = pool.directory.redeemCode(user, 'email', input.Code);
    const attributes = { ...user.attributes, ...(address && { email: address }), email_verified: 'true' };
    pool.directory.update(user, { attributes });
    return {};
  }

  delete(input: any): object {
    const { pool, user } = this.#bearer(input.AccessToken);
    pool.directory.delete(user);
    return {};
  }

  globalSignOut(input: any): object {
    const { pool, user } = this.#bearer(input.AccessToken);
    pool.tokens.revokeAll(user.sub);
    return {};
  }

  revokeToken(input: any): object {
    const { pool, client } = this.#pools.client(input.ClientId);
    pool.tokens.revoke(input.Token ?? '', client);
    return {};
  }

  /** Whom a code may belong to. Where the client hides who exists, an unknown user's code has just expired. */
  #holderOfCode(input: any): { pool: Pool; user: User } {
    const { pool, client } = this.#pools.client(input.ClientId);
    const user = pool.directory.find(input.Username);
    if (user) return { pool, user };
    if (client.properties.PreventUserExistenceErrors === 'ENABLED') {
      throw new AwsError('ExpiredCodeException', 'Invalid code provided, please request a code again.');
    }
    throw new AwsError('UserNotFoundException', 'User does not exist.');
  }

  /** Whose access token this is. */
  #bearer(accessToken: string): { pool: Pool; client: Resource; user: User } {
    const pool = this.#pools.issuerOf(accessToken);
    if (!pool) throw notAuthorized('Invalid Access Token');
    const claims = pool.tokens.verifyAccess(accessToken, accountScope);
    const user = pool.directory.find(claims.sub);
    if (!user) throw new AwsError('UserNotFoundException', 'User does not exist.');
    if (!user.enabled) throw notAuthorized('User is disabled.');
    return { pool, client: this.#pools.client(claims.client_id).client, user };
  }
}

/** @throws AwsError `NotAuthorizedException` for attributes that Cognito or the client keeps from its users */
function demandWritable(client: Resource, attributes: Record<string, string>): void {
  const writable: string[] | undefined = client.properties.WriteAttributes;
  const allowed = (name: string) =>
    name !== 'sub' && name !== 'email_verified' && (writable?.includes(name) ?? true);
  if (!Object.keys(attributes).every(allowed)) {
    throw notAuthorized('A client attempted to write unauthorized attribute');
  }
}

/** For a user who does not exist, where that is not to be known. */
function pretendDelivery(client: Resource, name: string): object {
  if (client.properties.PreventUserExistenceErrors !== 'ENABLED') {
    throw new AwsError('UserNotFoundException', 'Username/client id combination not found.');
  }
  return { CodeDeliveryDetails: deliveryTo(name) };
}
