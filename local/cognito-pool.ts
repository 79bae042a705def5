import type { Directory, User } from './cognito-directory.ts';
import type { PoolTokens } from './cognito-tokens.ts';
import { AwsError, type Resource, type Runtime } from './types.ts';

/** A user pool with everything that belongs to it. */
export interface Pool {
  readonly resource: Resource;
  readonly directory: Directory;
  readonly tokens: PoolTokens;
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
    const client = this.#runtime.resources('AWS::Cognito::UserPoolClient').find(({ ref }) => ref === id);
    if (!client) throw new AwsError('ResourceNotFoundException', `User pool client ${id} does not exist.`);
    return { pool: this.pool(client.properties.UserPoolId), client };
  }

  /** The pool whose tokens carry this issuer. */
  issuedBy(issuer: unknown): Pool | undefined {
    return [...this.#byId.values()].find(({ tokens }) => tokens.issuer === issuer);
  }
}

/** @throws AwsError `UserNotFoundException` */
export function userNamed(pool: Pool, name: string): User {
  const user = pool.directory.find(name);
  if (!user) throw new AwsError('UserNotFoundException', 'User does not exist.');
  return user;
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
