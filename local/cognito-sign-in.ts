import { randomUUID } from 'node:crypto';
import type { User } from './cognito-directory.ts';
import { hashPassword, passwordMatches, verifierIn } from './cognito-passwords.ts';
import { demandPassword, identityOf, type Pool, type Pools } from './cognito-pool.ts';
import { type Exchange, exchange, verifierOf } from './cognito-srp.ts';
import { type AuthenticationResult, notAuthorized } from './cognito-tokens.ts';
import { AwsError, type Caller, type Clock, type Resource } from './types.ts';

type ChallengeName = 'NEW_PASSWORD_REQUIRED' | 'SOFTWARE_TOKEN_MFA';

/** Somebody who is known, but has yet to choose a password of their own or to show a second factor. */
export interface Challenge {
  readonly name: ChallengeName;
  readonly session: string;
  readonly user: User;
}

interface OpenChallenge {
  readonly name: ChallengeName;
  readonly client: Resource;
  readonly sub: string;
  readonly expires: number;
}

/** A sign-in by SRP, half-way. */
interface OpenExchange {
  readonly opened: Exchange;
  readonly client: Resource;
  /** Undefined for somebody who does not exist. */
  readonly sub: string | undefined;
  readonly expires: number;
}

/** Either somebody who has shown all that is asked for, or what is asked for next. */
export type Proof = { readonly user: User } | { readonly challenge: Challenge };

const challengeMilliseconds = 3 * 60_000;

/** Signing in with a password, the challenges that may come of it, and refreshing. */
export class SignIn {
  readonly #pools: Pools;
  readonly #clock: Clock;
  readonly #challenges = new Map<string, OpenChallenge>();
  /** By the block that the app sends back. */
  readonly #exchanges = new Map<string, OpenExchange>();

  constructor(pools: Pools, clock: Clock) {
    this.#pools = pools;
    this.#clock = clock;
  }

  async initiate(input: any): Promise<object> {
    const { pool, client } = this.#pools.client(input.ClientId);
    const flow: string = input.AuthFlow === 'REFRESH_TOKEN' ? 'REFRESH_TOKEN_AUTH' : input.AuthFlow;
    if (!['USER_PASSWORD_AUTH', 'USER_SRP_AUTH', 'REFRESH_TOKEN_AUTH'].includes(flow))
      throw notEmulated(flow);
    demandFlow(client, flow);
    const { USERNAME, PASSWORD, SRP_A, REFRESH_TOKEN } = input.AuthParameters ?? {};
    if (flow === 'USER_SRP_AUTH') return this.#beginSrp(pool, client, USERNAME, SRP_A);
    return flow === 'REFRESH_TOKEN_AUTH'
      ? { AuthenticationResult: await this.refreshed(pool, client, REFRESH_TOKEN), ChallengeParameters: {} }
      : answerOf(pool, client, await this.prove(pool, client, USERNAME, PASSWORD));
  }

  async adminInitiate(input: any, caller: Caller): Promise<object> {
    const { pool, client } = this.#pools.client(input.ClientId);
    const flow = input.AuthFlow === 'ADMIN_NO_SRP_AUTH' ? 'ADMIN_USER_PASSWORD_AUTH' : input.AuthFlow;
    if (flow !== 'ADMIN_USER_PASSWORD_AUTH') throw notEmulated(flow);
    // The operator signs in demo and test accounts whichever flows the template allows its clients, and without
    // their authenticator apps: what the accounts may do depends on their having one, not on who holds it.
    const isOperator = caller.kind === 'operator';
    if (!isOperator) demandFlow(client, flow);
    const { USERNAME, PASSWORD } = input.AuthParameters ?? {};
    const proof = await this.prove(pool, client, USERNAME, PASSWORD);
    const waived = isOperator && 'challenge' in proof && proof.challenge.name === 'SOFTWARE_TOKEN_MFA';
    return answerOf(pool, client, waived ? { user: proof.challenge.user } : proof);
  }

  async respond(input: any): Promise<object> {
    const { pool, client } = this.#pools.client(input.ClientId);
    const { ChallengeName: name, ChallengeResponses: responses } = input;
    const proof =
      name === 'PASSWORD_VERIFIER'
        ? this.#endSrp(pool, client, responses)
        : await this.answer(pool, client, name, input.Session, responses);
    return answerOf(pool, client, proof);
  }

  /** The operation in place of the flow REFRESH_TOKEN_AUTH where a client rotates its refresh tokens. */
  async fromRefreshToken(input: any): Promise<object> {
    const { pool, client } = this.#pools.client(input.ClientId);
    return { AuthenticationResult: await this.refreshed(pool, client, input.RefreshToken) };
  }

  /** @throws AwsError `NotAuthorizedException`, `RefreshTokenReuseException` */
  async refreshed(
    pool: Pool,
    client: Resource,
    refreshToken: string | undefined,
  ): Promise<AuthenticationResult> {
    const session = pool.tokens.sessionOf(refreshToken ?? '', client);
    const user = pool.directory.find(session.sub);
    if (!user?.enabled) throw notAuthorized('Invalid Refresh Token');
    const groups = await pool.groupsIn(user, client, 'TokenGeneration_RefreshTokens');
    return pool.tokens.refresh(user, groups, client, session);
  }

  /** An unknown user gets a challenge as good as anybody's, where the client hides who exists. */
  #beginSrp(pool: Pool, client: Resource, name: string, clientA: string): object {
    const user = pool.directory.find(name);
    if (!user && client.properties.PreventUserExistenceErrors !== 'ENABLED') {
      throw new AwsError('UserNotFoundException', 'User does not exist.');
    }
    const identity = user ? identityOf(pool, user) : { poolId: pool.resource.ref, username: name ?? '' };
    const verifier = verifierIn(user?.password ?? null) ?? verifierOf(randomUUID(), identity);
    const opened = exchange(verifier, String(clientA ?? ''), identity);
    if (!opened) throw new AwsError('InvalidParameterException', 'Invalid SRP_A');
    const { B, salt, secretBlock } = opened;
    const expires = this.#clock.now() + challengeMilliseconds;
    this.#exchanges.set(secretBlock, { opened, client, sub: user?.sub, expires });
    return {
      ChallengeName: 'PASSWORD_VERIFIER',
      ChallengeParameters: {
        USERNAME: identity.username,
        USER_ID_FOR_SRP: identity.username,
        SRP_B: B,
        SALT: salt,
        SECRET_BLOCK: secretBlock,
      },
    };
  }

  #endSrp(pool: Pool, client: Resource, responses: any): Proof {
    const block = String(responses?.PASSWORD_CLAIM_SECRET_BLOCK ?? '');
    const open = this.#exchanges.get(block);
    this.#exchanges.delete(block);
    const { PASSWORD_CLAIM_SIGNATURE: signature = '', TIMESTAMP: timestamp = '' } = responses ?? {};
    const user = open?.sub === undefined ? undefined : pool.directory.find(open.sub);
    const proved = open?.opened.proves(String(signature), String(timestamp));
    if (!open || !user || !proved || open.client !== client || open.expires < this.#clock.now()) {
      throw notAuthorized('Incorrect username or password.');
    }
    return this.#afterPassword(pool, client, user);
  }

  /** @throws AwsError `NotAuthorizedException`, `UserNotFoundException`, `UserNotConfirmedException` */
  async prove(pool: Pool, client: Resource, name: string, password: string): Promise<Proof> {
    const user = pool.directory.find(name);
    if (!user && client.properties.PreventUserExistenceErrors !== 'ENABLED') {
      throw new AwsError('UserNotFoundException', 'User does not exist.');
    }
    // An unknown user takes as long to refuse as a known one.
    const matches = await passwordMatches(password ?? '', user?.password ?? null);
    if (!user || !matches) throw notAuthorized('Incorrect username or password.');
    return this.#afterPassword(pool, client, user);
  }

  /** @throws AwsError `NotAuthorizedException`, `UserNotConfirmedException` */
  #afterPassword(pool: Pool, client: Resource, user: User): Proof {
    if (!user.enabled) throw notAuthorized('User is disabled.');
    switch (user.status) {
      case 'UNCONFIRMED':
        throw new AwsError('UserNotConfirmedException', 'User is not confirmed.');
      case 'FORCE_CHANGE_PASSWORD':
        return this.#challenge('NEW_PASSWORD_REQUIRED', client, user);
      case 'CONFIRMED':
        return this.#withSecondFactor(pool, client, user);
    }
  }

  /** @throws AwsError `NotAuthorizedException`, `InvalidPasswordException`, `CodeMismatchException`, `ExpiredCodeException` */
  async answer(pool: Pool, client: Resource, name: string, session: string, responses: any): Promise<Proof> {
    if (name !== 'NEW_PASSWORD_REQUIRED' && name !== 'SOFTWARE_TOKEN_MFA') throw notEmulated(name);
    const open = this.#challenges.get(session);
    const user = open && pool.directory.find(open.sub);
    if (!user || open.client !== client || open.name !== name || open.expires < this.#clock.now()) {
      throw notAuthorized('Invalid session for the user, session is expired.');
    }
    if (name === 'SOFTWARE_TOKEN_MFA') {
      pool.secondFactors.demand(user, String(responses?.SOFTWARE_TOKEN_MFA_CODE ?? ''));
      this.#challenges.delete(session);
      return { user };
    }
    const chosen: string = responses?.NEW_PASSWORD ?? '';
    demandPassword(pool, chosen, 'PASSWORD_CHANGE');
    this.#challenges.delete(session);
    const password = await hashPassword(chosen, identityOf(pool, user));
    return this.#withSecondFactor(
      pool,
      client,
      pool.directory.update(user, { password, status: 'CONFIRMED' }),
    );
  }

  #withSecondFactor(pool: Pool, client: Resource, user: User): Proof {
    return pool.secondFactors.isEnabled(user)
      ? this.#challenge('SOFTWARE_TOKEN_MFA', client, user)
      : { user };
  }

  #challenge(name: ChallengeName, client: Resource, user: User): Proof {
    const session = randomUUID();
    const expires = this.#clock.now() + challengeMilliseconds;
    this.#challenges.set(session, { name, client, sub: user.sub, expires });
    return { challenge: { name, session, user } };
  }
}

async function answerOf(pool: Pool, client: Resource, proof: Proof): Promise<object> {
  if ('user' in proof) {
    const groups = await pool.groupsIn(proof.user, client, 'TokenGeneration_Authentication');
    return { AuthenticationResult: pool.tokens.begin(proof.user, groups, client), ChallengeParameters: {} };
  }
  const { name, session, user } = proof.challenge;
  const parameters = {
    NEW_PASSWORD_REQUIRED: { requiredAttributes: '[]', userAttributes: JSON.stringify(user.attributes) },
    SOFTWARE_TOKEN_MFA: {},
  };
  return {
    ChallengeName: name,
    Session: session,
    ChallengeParameters: { USER_ID_FOR_SRP: user.username, ...parameters[name] },
  };
}

function notEmulated(what: string): AwsError {
  return new AwsError('InvalidParameterException', `${what} is not emulated`);
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
