import type { Directory, User } from './cognito-directory.ts';
import { checkPassword, isObvious } from './cognito-passwords.ts';
import type { SecondFactors } from './cognito-second-factor.ts';
import type { Identity } from './cognito-srp.ts';
import type { PoolTokens } from './cognito-tokens.ts';
import type { TokenGeneration } from './cognito-triggers.ts';
import { AwsError, type Resource, type Runtime } from './types.ts';

/** A user pool with everything that belongs to it. */
export interface Pool {
  readonly resource: Resource;
  readonly directory: Directory;
  readonly secondFactors: SecondFactors;
  readonly tokens: PoolTokens;
  /** Whether passwords that are known from breaches are refused then. */
  refusesCompromised(event: 'SIGN_UP' | 'PASSWORD_CHANGE'): boolean;
  /** Those of the user's groups that the tokens are to name. */
  groupsIn(user: User, client: Resource, source: TokenGeneration): Promise<readonly string[]>;
}

/** The pools of the assembly, and the clients that lead to them. */
export class Pools {
  readonly #runtime: Runtime;
  readonly #byId: ReadonlyMap<string, Pool>;

  constructor(runtime: Runtime, pools: readonly Pool[]) {
    this.#runtime = runtime;
    this.#byId = new Map(pools.map((pool) => [pool.resource.ref, pool]));
  }

  /** @throws AwsError `ResourceNotFoundException` */
  pool(id: string): Pool {
    const pool = this.#byId.get(id);
    if (!pool) throw new AwsError('ResourceNotFoundException', `User pool ${id} does not exist.`);
    return pool;
  }

  /** @throws AwsError `ResourceNotFoundException` */
  client(id: string): { pool: Pool; client: Resource } {
    const found = this.findClient(id);
    if (!found) throw new AwsError('ResourceNotFoundException', `User pool client ${id} does not exist.`);
    return found;
  }

  findClient(id: string): { pool: Pool; client: Resource } | undefined {
    const client = this.#runtime.resources('AWS::Cognito::UserPoolClient').find(({ ref }) => ref === id);
    return client && { pool: this.pool(client.properties.UserPoolId), client };
  }

  /** The pool that the token says it is of. Not yet verified: it only chooses the key that must have signed it. */
  issuerOf(token: string): Pool | undefined {
    const issuer = issuerIn(token);
    return [...this.#byId.values()].find(({ tokens }) => tokens.issuer === issuer);
  }
}

function issuerIn(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString()).iss;
  } catch {
    return undefined;
  }
}

/**
 * What a user may choose as a password, here or there.
 * @throws AwsError `InvalidPasswordException`
 */
export function demandPassword(
  pool: Pool,
  password: string | undefined,
  event: 'SIGN_UP' | 'PASSWORD_CHANGE',
): void {
  checkPassword(password ?? '', pool.resource.properties.Policies?.PasswordPolicy);
  if (pool.refusesCompromised(event) && isObvious(password ?? '')) {
    throw new AwsError('InvalidPasswordException', 'Provided password cannot be used for security reasons.');
  }
}

/** Whether threat protection is enforced, and told to refuse what is known from breaches. */
export function compromisedRefuser(runtime: Runtime, pool: Resource): Pool['refusesCompromised'] {
  if (pool.properties.UserPoolAddOns?.AdvancedSecurityMode !== 'ENFORCED') return () => false;
  const configurations = runtime
    .resources('AWS::Cognito::UserPoolRiskConfigurationAttachment')
    .filter(({ properties }) => properties.UserPoolId === pool.ref && properties.ClientId === 'ALL')
    .map(({ properties }) => properties.CompromisedCredentialsRiskConfiguration ?? {});
  return (event) =>
    configurations.some(
      ({ Actions, EventFilter }) =>
        Actions?.EventAction === 'BLOCK' && (EventFilter === undefined || EventFilter.includes(event)),
    );
}

/** @throws AwsError `UserNotFoundException` */
export function userNamed(pool: Pool, name: string): User {
  const user = pool.directory.find(name);
  if (!user) throw new AwsError('UserNotFoundException', 'User does not exist.');
  return user;
}

/** Whose password it is. */
export function identityOf(pool: Pool, { username }: User): Identity {
  return { poolId: pool.resource.ref, username };
}

interface Attribute {
  readonly Name: string;
  readonly Value: string;
}

export function attributesFrom(list: readonly Attribute[] | undefined): Record<string, string> {
  return Object.fromEntries((list ?? []).map(({ Name, Value }) => [Name, String(Value)]));
}

export function attributeList(user: User): Attribute[] {
  return Object.entries(user.attributes).map(([Name, Value]) => ({ Name, Value }));
}

/** As GetUser and AdminGetUser tell it; nothing where there is none. */
export function secondFactorOf(pool: Pool, user: User): object {
  if (!pool.secondFactors.isEnabled(user)) return {};
  return { PreferredMfaSetting: 'SOFTWARE_TOKEN_MFA', UserMFASettingList: ['SOFTWARE_TOKEN_MFA'] };
}
