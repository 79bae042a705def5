import { randomUUID } from 'node:crypto';
import type { User } from './cognito-directory.ts';
import { checkPassword, hashPassword, passwordMatches } from './cognito-passwords.ts';
import type { Pool, Pools } from './cognito-pool.ts';
import { type AuthenticationResult, notAuthorized } from './cognito-tokens.ts';
import { AwsError, type Caller, type Clock, type Resource } from './types.ts';

/** A user who has proved a temporary password and must choose their own. */
interface OpenChallenge {
  readonly client: Resource;
  readonly sub: string;
  readonly expires: number;
}

const challengeMilliseconds = 3 * 60_000;

/** Signing in with a password, the challenge that may come of it, and refreshing. */
export class SignIn {
  readonly #pools: Pools;
  readonly #clock: Clock;
  readonly #challenges = new Map<string, OpenChallenge>();

  constructor(pools: Pools, clock: Clock) {
    this.#pools = pools;
    this.#clock = clock;
  }

  async initiate(input: any): Promise<object> {
    const { pool, client } = this.#pools.client(input.ClientId);
    const flow: string = input.AuthFlow === 'REFRESH_TOKEN' ? 'REFRESH_TOKEN_AUTH' : input.AuthFlow;
    if (flow !== 'USER_PASSWORD_AUTH' && flow !== 'REFRESH_TOKEN_AUTH') throw notEmulated(flow);
    demandFlow(client, flow);
    return flow === 'REFRESH_TOKEN_AUTH'
      ? this.#refresh(pool, client, input.AuthParameters)
      : this.#withPassword(pool, client, input.AuthParameters);
  }

  async adminInitiate(input: any, caller: Caller): Promise<object> {
    const { pool, client } = this.#pools.client(input.ClientId);
    const flow = input.AuthFlow === 'ADMIN_NO_SRP_AUTH' ? 'ADMIN_USER_PASSWORD_AUTH' : input.AuthFlow;
    if (flow !== 'ADMIN_USER_PASSWORD_AUTH') throw notEmulated(flow);
    // The operator signs in demo and test accounts whichever flows the template allows its clients.
    if (caller.kind !== 'operator') demandFlow(client, flow);
    return this.#withPassword(pool, client, input.AuthParameters);
  }

  async respond(input: any): Promise<object> {
    const { pool, client } = this.#pools.client(input.ClientId);
    if (input.ChallengeName !== 'NEW_PASSWORD_REQUIRED') throw notEmulated(input.ChallengeName);
    const open = this.#challenges.get(input.Session);
    const user = open && pool.directory.find(open.sub);
    if (!user || open.client !== client || open.expires < this.#clock.now()) {
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

  async #withPassword(pool: Pool, client: Resource, parameters: any): Promise<object> {
    const user = pool.directory.find(parameters?.USERNAME);
    if (!user && client.properties.PreventUserExistenceErrors !== 'ENABLED') {
      throw new AwsError('UserNotFoundException', 'User does not exist.');
    }
    // An unknown user takes as long to refuse as a known one.
    const matches = await passwordMatches(parameters?.PASSWORD ?? '', user?.password ?? null);
    if (!user || !matches) throw notAuthorized('Incorrect username or password.');
    if (!user.enabled) throw notAuthorized('User is disabled.');
    switch (user.status) {
      case 'UNCONFIRMED':
        throw new AwsError('UserNotConfirmedException', 'User is not confirmed.');
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
    const expires = this.#clock.now() + challengeMilliseconds;
    this.#challenges.set(session, { client, sub: user.sub, expires });
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
}

function signedIn(result: AuthenticationResult): object {
  return { AuthenticationResult: result, ChallengeParameters: {} };
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
