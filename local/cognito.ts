import { randomUUID } from 'node:crypto';
import { type CodePurpose, Directory, type User } from './cognito-directory.ts';
import {
  checkPassword,
  confirmationCode,
  hashPassword,
  passwordMatches,
  temporaryPassword,
} from './cognito-passwords.ts';
import { type AuthenticationResult, notAuthorized, PoolTokens } from './cognito-tokens.ts';
import {
  AwsError,
  type AwsRequest,
  type AwsResponse,
  type Caller,
  type Resource,
  type Runtime,
  type Service,
  type ServiceFactory,
} from './types.ts';

interface Attribute {
  readonly Name: string;
  readonly Value: string;
}

type Operation = (input: any, caller: Caller) => Promise<object> | object;

/** A user pool with everything that belongs to it. */
interface Pool {
  readonly resource: Resource;
  readonly directory: Directory;
  readonly tokens: PoolTokens;
}

/** A user who has proved a temporary password and must choose their own. */
interface OpenChallenge {
  readonly client: Resource;
  readonly sub: string;
  readonly expires: number;
}

const challengeMilliseconds = 3 * 60_000;

export const createCognito: ServiceFactory = (runtime) => new Cognito(runtime);

/**
 * Cognito user pools: sign-up, sign-in, groups and tokens. The gateway passes here the JSON operations, and GET
 * requests without Authorization for `/<poolId>/.well-known/jwks.json` and `…/openid-configuration` (`handle`).
 */
class Cognito implements Service {
  readonly name = 'cognito-idp';
  readonly #runtime: Runtime;
  readonly #pools: ReadonlyMap<string, Pool>;
  readonly #challenges = new Map<string, OpenChallenge>();
  readonly #operations: Readonly<Record<string, Operation>> = {
    SignUp: (input) => this.#signUp(input),
    ConfirmSignUp: (input) => this.#confirmSignUp(input),
    ResendConfirmationCode: (input) => this.#resendConfirmationCode(input),
    ForgotPassword: (input) => this.#forgotPassword(input),
    ConfirmForgotPassword: (input) => this.#confirmForgotPassword(input),
    InitiateAuth: (input) => this.#initiateAuth(input),
    RespondToAuthChallenge: (input) => this.#respondToAuthChallenge(input),
    RevokeToken: (input) => this.#revokeToken(input),
    ChangePassword: (input) => this.#changePassword(input),
    GetUser: (input) => this.#getUser(input),
    UpdateUserAttributes: (input) => this.#updateUserAttributes(input),
    VerifyUserAttribute: (input) => this.#verifyUserAttribute(input),
    DeleteUser: (input) => this.#deleteUser(input),
    GlobalSignOut: (input) => this.#globalSignOut(input),
    AdminCreateUser: this.#administration('AdminCreateUser', (pool, input) =>
      this.#adminCreateUser(pool, input),
    ),
    AdminSetUserPassword: this.#administration('AdminSetUserPassword', (pool, input) =>
      this.#adminSetUserPassword(pool, input),
    ),
    AdminInitiateAuth: this.#administration('AdminInitiateAuth', (pool, input, caller) =>
      this.#adminInitiateAuth(pool, input, caller),
    ),
    AdminGetUser: this.#administration('AdminGetUser', (pool, input) => {
      const { Attributes, ...user } = describe(named(pool, input.Username));
      return { ...user, UserAttributes: Attributes };
    }),
    AdminUpdateUserAttributes: this.#administration('AdminUpdateUserAttributes', (pool, input) => {
      const user = named(pool, input.Username);
      pool.directory.update(user, {
        attributes: { ...user.attributes, ...attributesFrom(input.UserAttributes) },
      });
      return {};
    }),
    AdminAddUserToGroup: this.#administration('AdminAddUserToGroup', (pool, input) => {
      pool.directory.join(named(pool, input.Username), input.GroupName);
      return {};
    }),
    AdminRemoveUserFromGroup: this.#administration('AdminRemoveUserFromGroup', (pool, input) => {
      pool.directory.leave(named(pool, input.Username), input.GroupName);
      return {};
    }),
    AdminListGroupsForUser: this.#administration('AdminListGroupsForUser', (pool, input) => {
      const groups = pool.directory.groupsOf(named(pool, input.Username));
      return { Groups: groups.map((GroupName) => ({ GroupName, UserPoolId: pool.resource.ref })) };
    }),
    AdminDisableUser: this.#administration('AdminDisableUser', (pool, input) => {
      const user = named(pool, input.Username);
      pool.directory.update(user, { enabled: false });
      pool.tokens.revokeAll(user.sub);
      return {};
    }),
    AdminEnableUser: this.#administration('AdminEnableUser', (pool, input) => {
      pool.directory.update(named(pool, input.Username), { enabled: true });
      return {};
    }),
    AdminDeleteUser: this.#administration('AdminDeleteUser', (pool, input) => {
      pool.directory.delete(named(pool, input.Username));
      return {};
    }),
    AdminUserGlobalSignOut: this.#administration('AdminUserGlobalSignOut', (pool, input) => {
      pool.tokens.revokeAll(named(pool, input.Username).sub);
      return {};
    }),
    ListUsers: this.#administration('ListUsers', (pool, input) => listUsers(pool, input)),
    // Not an operation of AWS: what the emulated HTTP API fetches from the issuer's address.
    GetJwks: (input) => this.#pool(input.UserPoolId).tokens.jwks(),
  };

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#pools = new Map(
      runtime.resources('AWS::Cognito::UserPool').map((resource) => [
        resource.ref,
        {
          resource,
          directory: new Directory(runtime, resource),
          tokens: new PoolTokens(runtime, resource.ref),
        },
      ]),
    );
  }

  async call(operation: string, input: any, caller: Caller): Promise<object> {
    const run = this.#operations[operation];
    if (!run) throw new AwsError('UnknownOperationException', `cognito-idp:${operation} is not emulated`);
    return run(input, caller);
  }

  async handle(request: AwsRequest): Promise<AwsResponse> {
    const [, poolId = '', , document] = /^\/([^/]+)\/(\.well-known)\/([^/]+)$/.exec(request.path) ?? [];
    const pool = this.#pools.get(poolId);
    const body = pool && document ? wellKnown(pool, document) : undefined;
    if (!body) {
      throw new AwsError('ResourceNotFoundException', `cognito-idp: nothing at ${request.path}`, 404);
    }
    return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  }

  async #signUp(input: any): Promise<object> {
    const { pool, client } = this.#clientOf(input);
    const { AdminCreateUserConfig, Policies } = pool.resource.properties;
    if (AdminCreateUserConfig?.AllowAdminCreateUserOnly) {
      throw notAuthorized('SignUp is not permitted for this user pool');
    }
    checkPassword(input.Password ?? '', Policies?.PasswordPolicy);
    const attributes = attributesFrom(input.UserAttributes);
    this.#demandWritable(client, attributes);
    const password = await hashPassword(input.Password);
    const user = pool.directory.create(
      input.Username ?? '',
      { ...attributes, email_verified: 'false' },
      'UNCONFIRMED',
      password,
    );
    const delivery = await this.#sendCode(pool, user, 'sign-up');
    return { UserConfirmed: false, UserSub: user.sub, CodeDeliveryDetails: delivery };
  }

  #confirmSignUp(input: any): object {
    const { pool, client } = this.#clientOf(input);
    const user = this.#existing(pool, client, input.Username, () => {
      throw new AwsError('ExpiredCodeException', 'Invalid code provided, please request a code again.');
    });
    if (user.status !== 'UNCONFIRMED') {
      throw notAuthorized(`User cannot be confirmed. Current status is ${user.status}`);
    }
    pool.directory.redeemCode(user, 'sign-up', input.ConfirmationCode);
    pool.directory.update(user, {
      status: 'CONFIRMED',
      attributes: { ...user.attributes, email_verified: 'true' },
    });
    return {};
  }

  async #resendConfirmationCode(input: any): Promise<object> {
    const { pool, client } = this.#clientOf(input);
    const user = pool.directory.find(input.Username);
    if (!user) return this.#pretendDelivery(client, input.Username);
    if (user.status !== 'UNCONFIRMED') {
      throw new AwsError('InvalidParameterException', 'User is already confirmed.');
    }
    return { CodeDeliveryDetails: await this.#sendCode(pool, user, 'sign-up') };
  }

  async #forgotPassword(input: any): Promise<object> {
    const { pool, client } = this.#clientOf(input);
    const user = pool.directory.find(input.Username);
    if (!user) return this.#pretendDelivery(client, input.Username);
    if (!user.enabled) throw notAuthorized('User is disabled.');
    if (user.attributes.email_verified !== 'true') {
      throw new AwsError(
        'InvalidParameterException',
        'Cannot reset password for the user as there is no registered/verified email or phone_number',
      );
    }
    return { CodeDeliveryDetails: await this.#sendCode(pool, user, 'forgot-password') };
  }

  async #confirmForgotPassword(input: any): Promise<object> {
    const { pool, client } = this.#clientOf(input);
    const user = this.#existing(pool, client, input.Username, () => {
      throw new AwsError('ExpiredCodeException', 'Invalid code provided, please request a code again.');
    });
    checkPassword(input.Password ?? '', pool.resource.properties.Policies?.PasswordPolicy);
    const password = await hashPassword(input.Password);
    pool.directory.redeemCode(user, 'forgot-password', input.ConfirmationCode);
    pool.directory.update(user, { password, status: 'CONFIRMED' });
    return {};
  }

  async #initiateAuth(input: any): Promise<object> {
    const { pool, client } = this.#clientOf(input);
    const flow: string = input.AuthFlow === 'REFRESH_TOKEN' ? 'REFRESH_TOKEN_AUTH' : input.AuthFlow;
    if (flow !== 'USER_PASSWORD_AUTH' && flow !== 'REFRESH_TOKEN_AUTH') {
      throw new AwsError('InvalidParameterException', `${flow} is not emulated`);
    }
    demandFlow(client, flow);
    if (flow === 'REFRESH_TOKEN_AUTH') return this.#refresh(pool, client, input.AuthParameters);
    return this.#signIn(pool, client, input.AuthParameters);
  }

  async #adminInitiateAuth(pool: Pool, input: any, caller: Caller): Promise<object> {
    const client = this.#clientOf(input).client;
    const flow = input.AuthFlow === 'ADMIN_NO_SRP_AUTH' ? 'ADMIN_USER_PASSWORD_AUTH' : input.AuthFlow;
    if (flow !== 'ADMIN_USER_PASSWORD_AUTH') {
      throw new AwsError('InvalidParameterException', `${flow} is not emulated`);
    }
    // The operator signs in demo and test accounts whichever flows the template allows its clients.
    if (caller.kind !== 'operator') demandFlow(client, flow);
    return this.#signIn(pool, client, input.AuthParameters);
  }

  async #signIn(pool: Pool, client: Resource, parameters: any): Promise<object> {
    const user = this.#existing(pool, client, parameters?.USERNAME, () => {
      throw notAuthorized('Incorrect username or password.');
    });
    if (!(await passwordMatches(parameters.PASSWORD ?? '', user.password))) {
      throw notAuthorized('Incorrect username or password.');
    }
    if (!user.enabled) throw notAuthorized('User is disabled.');
    switch (user.status) {
      case 'UNCONFIRMED':
        throw new AwsError('UserNotConfirmedException', 'User is not confirmed.');
      case 'RESET_REQUIRED':
        throw new AwsError('PasswordResetRequiredException', 'Password reset required for the user');
      case 'FORCE_CHANGE_PASSWORD':
        return this.#challenge(client, user);
      case 'CONFIRMED':
        return signedIn(pool.tokens.begin(user, pool.directory.groupsOf(user), client));
    }
  }

  #refresh(pool: Pool, client: Resource, parameters: any): object {
    const session = pool.tokens.sessionOf(parameters?.REFRESH_TOKEN ?? '', client);
    const user = pool.directory.find(session.sub);
    if (!user?.enabled) throw notAuthorized('Invalid Refresh Token');
    return signedIn(pool.tokens.refresh(user, pool.directory.groupsOf(user), client, session));
  }

  #challenge(client: Resource, user: User): object {
    const session = randomUUID();
    this.#challenges.set(session, {
      client,
      sub: user.sub,
      expires: this.#runtime.clock.now() + challengeMilliseconds,
    });
    return {
      ChallengeName: 'NEW_PASSWORD_REQUIRED',
      Session: session,
      ChallengeParameters: {
        USER_ID_FOR_SRP: user.username,
        requiredAttributes: '[]',
        userAttributes: JSON.stringify(user.attributes),
      },
    };
  }

  async #respondToAuthChallenge(input: any): Promise<object> {
    const { pool, client } = this.#clientOf(input);
    if (input.ChallengeName !== 'NEW_PASSWORD_REQUIRED') {
      throw new AwsError('InvalidParameterException', `${input.ChallengeName} is not emulated`);
    }
    const open = this.#challenges.get(input.Session);
    const user = open && pool.directory.find(open.sub);
    if (!user || open.client !== client || open.expires < this.#runtime.clock.now()) {
      throw notAuthorized('Invalid session for the user, session is expired.');
    }
    const chosen: string = input.ChallengeResponses?.NEW_PASSWORD ?? '';
    checkPassword(chosen, pool.resource.properties.Policies?.PasswordPolicy);
    this.#challenges.delete(input.Session);
    const confirmed = pool.directory.update(user, {
      password: await hashPassword(chosen),
      status: 'CONFIRMED',
    });
    return signedIn(pool.tokens.begin(confirmed, pool.directory.groupsOf(confirmed), client));
  }

  #revokeToken(input: any): object {
    const { pool, client } = this.#clientOf(input);
    pool.tokens.revoke(input.Token ?? '', client);
    return {};
  }

  async #changePassword(input: any): Promise<object> {
    const { pool, user } = this.#bearer(input.AccessToken);
    if (!(await passwordMatches(input.PreviousPassword ?? '', user.password))) {
      throw notAuthorized('Incorrect username or password.');
    }
    checkPassword(input.ProposedPassword ?? '', pool.resource.properties.Policies?.PasswordPolicy);
    pool.directory.update(user, { password: await hashPassword(input.ProposedPassword) });
    return {};
  }

  #getUser(input: any): object {
    const { user } = this.#bearer(input.AccessToken);
    return { Username: user.username, UserAttributes: describe(user).Attributes };
  }

  async #updateUserAttributes(input: any): Promise<object> {
    const { pool, client, user } = this.#bearer(input.AccessToken);
    const change = attributesFrom(input.UserAttributes);
    this.#demandWritable(client, change);
    const newAddress = change.email !== undefined && change.email !== user.attributes.email;
    const attributes = {
      ...user.attributes,
      ...change,
      ...(newAddress && { email_verified: 'false' }),
    };
    const changed = pool.directory.update(user, { attributes });
    const deliveries = newAddress ? [await this.#sendCode(pool, changed, 'email')] : [];
    return { CodeDeliveryDetailsList: deliveries };
  }

  #verifyUserAttribute(input: any): object {
    const { pool, user } = this.#bearer(input.AccessToken);
    if (input.AttributeName !== 'email') {
      throw new AwsError('InvalidParameterException', 'Only email can be verified.');
    }
    pool.directory.redeemCode(user, 'email', input.Code);
    pool.directory.update(user, { attributes: { ...user.attributes, email_verified: 'true' } });
    return {};
  }

  #deleteUser(input: any): object {
    const { pool, user } = this.#bearer(input.AccessToken);
    pool.directory.delete(user);
    return {};
  }

  #globalSignOut(input: any): object {
    const { pool, user } = this.#bearer(input.AccessToken);
    pool.tokens.revokeAll(user.sub);
    return {};
  }

  async #adminCreateUser(pool: Pool, input: any): Promise<object> {
    const temporary: string = input.TemporaryPassword ?? temporaryPassword();
    checkPassword(temporary, pool.resource.properties.Policies?.PasswordPolicy);
    const password = await hashPassword(temporary);
    const attributes = { email_verified: 'false', ...attributesFrom(input.UserAttributes) };
    const user = pool.directory.create(input.Username ?? '', attributes, 'FORCE_CHANGE_PASSWORD', password);
    if (input.MessageAction !== 'SUPPRESS' && user.attributes.email) {
      const text = `Your username is ${user.attributes.email} and temporary password is ${temporary}.`;
      await this.#mail(pool, user.attributes.email, 'Your temporary password', text);
    }
    return { User: describe(user) };
  }

  async #adminSetUserPassword(pool: Pool, input: any): Promise<object> {
    checkPassword(input.Password ?? '', pool.resource.properties.Policies?.PasswordPolicy);
    const password = await hashPassword(input.Password);
    pool.directory.update(named(pool, input.Username), {
      password,
      status: input.Permanent ? 'CONFIRMED' : 'FORCE_CHANGE_PASSWORD',
    });
    return {};
  }

  /** An operation that only callers with its permission on the pool may use. */
  #administration(
    action: string,
    run: (pool: Pool, input: any, caller: Caller) => Promise<object> | object,
  ): Operation {
    return (input, caller) => {
      const { region, account } = this.#runtime;
      const arn = `arn:aws:cognito-idp:${region}:${account}:userpool/${input.UserPoolId}`;
      this.#runtime.iam.authorize(caller, `cognito-idp:${action}`, arn);
      return run(this.#pool(input.UserPoolId), input, caller);
    };
  }

  #pool(id: string): Pool {
    const pool = this.#pools.get(id);
    if (!pool) throw new AwsError('ResourceNotFoundException', `User pool ${id} does not exist.`);
    return pool;
  }

  #clientOf(input: { ClientId?: string }): { pool: Pool; client: Resource } {
    const client = this.#runtime
      .resources('AWS::Cognito::UserPoolClient')
      .find(({ ref }) => ref === input.ClientId);
    if (!client) {
      throw new AwsError('ResourceNotFoundException', `User pool client ${input.ClientId} does not exist.`);
    }
    return { pool: this.#pool(client.properties.UserPoolId), client };
  }

  /** Whose access token this is. */
  #bearer(accessToken: string): { pool: Pool; client: Resource; user: User } {
    const pool = [...this.#pools.values()].find(({ tokens }) => issuerOf(accessToken) === tokens.issuer);
    if (!pool) throw notAuthorized('Invalid Access Token');
    const claims = pool.tokens.verifyAccess(accessToken);
    const user = pool.directory.find(claims.sub);
    if (!user) throw new AwsError('UserNotFoundException', 'User does not exist.');
    if (!user.enabled) throw notAuthorized('User is disabled.');
    return { pool, client: this.#clientOf({ ClientId: claims.client_id }).client, user };
  }

  /** A user by name; where the client hides who exists, an unknown one is answered by `hide`. */
  #existing(pool: Pool, client: Resource, name: string, hide: () => never): User {
    const user = pool.directory.find(name);
    if (user) return user;
    if (client.properties.PreventUserExistenceErrors === 'ENABLED') hide();
    throw new AwsError('UserNotFoundException', 'User does not exist.');
  }

  #pretendDelivery(client: Resource, name: string): object {
    if (client.properties.PreventUserExistenceErrors !== 'ENABLED') {
      throw new AwsError('UserNotFoundException', 'Username/client id combination not found.');
    }
    return { CodeDeliveryDetails: deliveryTo(name) };
  }

  #demandWritable(client: Resource, attributes: Record<string, string>): void {
    const writable: string[] | undefined = client.properties.WriteAttributes;
    const names = Object.keys(attributes);
    if ('sub' in attributes || 'email_verified' in attributes) {
      throw notAuthorized('A client attempted to write unauthorized attribute');
    }
    if (writable && !names.every((name) => writable.includes(name))) {
      throw notAuthorized('A client attempted to write unauthorized attribute');
    }
  }

  async #sendCode(pool: Pool, user: User, purpose: CodePurpose): Promise<object> {
    const address = user.attributes.email;
    if (!address) return {};
    const code = confirmationCode();
    pool.directory.keepCode(user, purpose, code);
    const { EmailSubject, EmailMessage, EmailSubjectByLink } =
      pool.resource.properties.VerificationMessageTemplate ?? {};
    const subject = EmailSubject ?? EmailSubjectByLink ?? 'Your verification code';
    const message: string = EmailMessage ?? 'Your confirmation code is {####}';
    await this.#mail(pool, address, subject, message.replaceAll('{####}', code));
    return deliveryTo(address);
  }

  async #mail(pool: Pool, to: string, subject: string, text: string): Promise<void> {
    const from: string =
      pool.resource.properties.EmailConfiguration?.From ?? 'no-reply@verificationemail.com';
    const message = {
      FromEmailAddress: from,
      Destination: { ToAddresses: [to] },
      Content: { Simple: { Subject: { Data: subject }, Body: { Text: { Data: text } } } },
    };
    const caller = {
      kind: 'service',
      service: 'cognito-idp.amazonaws.com',
      sourceArn: pool.resource.arn,
    } as const;
    await this.#runtime.call('ses', 'SendEmail', message, caller);
  }
}

function wellKnown(pool: Pool, document: string): object | undefined {
  const { issuer } = pool.tokens;
  switch (document) {
    case 'jwks.json':
      return pool.tokens.jwks();
    case 'openid-configuration':
      return {
        issuer,
        jwks_uri: `${issuer}/.well-known/jwks.json`,
        id_token_signing_alg_values_supported: ['RS256'],
        response_types_supported: ['code', 'token'],
        scopes_supported: ['openid', 'email', 'phone', 'profile'],
        subject_types_supported: ['public'],
      };
    default:
      return undefined;
  }
}

function signedIn(result: AuthenticationResult): object {
  return { AuthenticationResult: result, ChallengeParameters: {} };
}

/** @throws AwsError `InvalidParameterException` when the client's ExplicitAuthFlows lack the flow */
function demandFlow(client: Resource, flow: string): void {
  const allowed: string[] = client.properties.ExplicitAuthFlows ?? [
    'ALLOW_REFRESH_TOKEN_AUTH',
    'ALLOW_USER_SRP_AUTH',
    'ALLOW_CUSTOM_AUTH',
  ];
  if (!allowed.includes(`ALLOW_${flow}`)) {
    throw new AwsError('InvalidParameterException', `${flow} flow not enabled for this client`);
  }
}

function named(pool: Pool, name: string): User {
  const user = pool.directory.find(name);
  if (!user) throw new AwsError('UserNotFoundException', 'User does not exist.');
  return user;
}

function listUsers(pool: Pool, input: any): object {
  const offset = Number(input.PaginationToken ?? 0);
  const limit = Math.min(Number(input.Limit ?? 60), 60);
  const all = pool.directory.list().filter(filterFrom(input.Filter));
  const next = offset + limit;
  return {
    Users: all.slice(offset, next).map(describe),
    ...(next < all.length && { PaginationToken: String(next) }),
  };
}

/** `email = "a@b.c"`, `status ^= "CONF"` and the like: one comparison. */
function filterFrom(filter: string | undefined): (user: User) => boolean {
  if (!filter) return () => true;
  const match = /^\s*"?([\w:]+)"?\s*(\^?=)\s*"((?:[^"\\]|\\.)*)"\s*$/.exec(filter);
  if (!match) throw new AwsError('InvalidParameterException', `Error while parsing filter: ${filter}`);
  const [, name, operator, quoted] = match as unknown as [string, string, string, string];
  const wanted = quoted.replace(/\\(.)/g, '$1');
  return (user) => {
    const value =
      {
        username: user.username,
        'cognito:user_status': user.status,
        status: user.enabled ? 'Enabled' : 'Disabled',
      }[name] ?? user.attributes[name];
    return operator === '=' ? value === wanted : (value?.startsWith(wanted) ?? false);
  };
}

function describe(user: User) {
  return {
    Username: user.username,
    Attributes: Object.entries(user.attributes).map(([Name, Value]): Attribute => ({ Name, Value })),
    UserStatus: user.status,
    Enabled: user.enabled,
    UserCreateDate: user.created / 1000,
    UserLastModifiedDate: user.modified / 1000,
  };
}

function attributesFrom(list: readonly Attribute[] | undefined): Record<string, string> {
  return Object.fromEntries((list ?? []).map(({ Name, Value }) => [Name, String(Value)]));
}

/** `j***@e***` */
function deliveryTo(address: string): object {
  const [name = '', domain = ''] = address.split('@');
  return {
    AttributeName: 'email',
    DeliveryMedium: 'EMAIL',
    Destination: `${name.slice(0, 1)}***@${domain.slice(0, 1)}***`,
  };
}

function issuerOf(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString()).iss;
  } catch {
    return undefined;
  }
}
