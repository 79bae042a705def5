import { randomUUID } from 'node:crypto';
import { AwsError, type Resource, type Runtime } from './types.ts';

export type UserStatus = 'UNCONFIRMED' | 'CONFIRMED' | 'FORCE_CHANGE_PASSWORD';

export interface User {
  readonly sub: string;
  readonly username: string;
  /** Every attribute as text, `sub` and `email_verified` included, as Cognito keeps them. */
  readonly attributes: Readonly<Record<string, string>>;
  /** As `hashPassword` writes it; null before the first one. */
  readonly password: string | null;
  readonly status: UserStatus;
  readonly enabled: boolean;
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly modified: number;
}

export type CodePurpose = 'sign-up' | 'forgot-password' | 'email';

/** Milliseconds that a code is good for. */
const codeValidity: Readonly<Record<CodePurpose, number>> = {
  'sign-up': 24 * 3_600_000,
  'forgot-password': 3_600_000,
  email: 24 * 3_600_000,
};

/** The users, group memberships and open codes of one pool. */
export class Directory {
  readonly #runtime: Runtime;
  readonly #pool: Resource;
  readonly #groupNames: readonly string[];

  constructor(runtime: Runtime, pool: Resource) {
    this.#runtime = runtime;
    this.#pool = pool;
    this.#groupNames = runtime
      .resources('AWS::Cognito::UserPoolGroup')
      .filter(({ properties }) => properties.UserPoolId === pool.ref)
      .sort((a, b) => Number(a.properties.Precedence ?? 0) - Number(b.properties.Precedence ?? 0))
      .map(({ properties }) => properties.GroupName);
    runtime.db.exec(`
      CREATE TABLE IF NOT EXISTS cognito_users (
        pool TEXT NOT NULL, sub TEXT NOT NULL, username TEXT NOT NULL, email TEXT, attributes TEXT NOT NULL,
        password TEXT, status TEXT NOT NULL, enabled INTEGER NOT NULL, created INTEGER NOT NULL,
        modified INTEGER NOT NULL, PRIMARY KEY (pool, sub), UNIQUE (pool, username)) STRICT;
      CREATE INDEX IF NOT EXISTS cognito_users_email ON cognito_users (pool, email);
      CREATE TABLE IF NOT EXISTS cognito_members (
        pool TEXT NOT NULL, sub TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (pool, sub, name)) STRICT;
      CREATE TABLE IF NOT EXISTS cognito_codes (
        pool TEXT NOT NULL, sub TEXT NOT NULL, purpose TEXT NOT NULL, code TEXT NOT NULL,
        expires INTEGER NOT NULL, address TEXT, PRIMARY KEY (pool, sub, purpose)) STRICT`);
  }

  /**
   * Stores a new user. Where the pool's user names are e-mail addresses, the user name becomes the sub.
   * @throws AwsError `UsernameExistsException`, `InvalidParameterException`
   */
  create(
    name: string,
    attributes: Readonly<Record<string, string>>,
    status: UserStatus,
    password: string | null,
  ): User {
    const byEmail: boolean = this.#pool.properties.UsernameAttributes?.includes('email') ?? false;
    if (byEmail && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(name)) {
      throw new AwsError('InvalidParameterException', 'Username should be an email.');
    }
    if (this.find(name)) {
      throw new AwsError(
        'UsernameExistsException',
        byEmail ? 'An account with the given email already exists.' : 'User already exists',
      );
    }
    const sub = randomUUID();
    const now = this.#runtime.clock.now();
    const user: User = {
      sub,
      username: byEmail ? sub : name,
      attributes: { ...attributes, ...(byEmail && { email: this.#fold(name) }), sub },
      password,
      status,
      enabled: true,
      created: now,
      modified: now,
    };
    this.#write(user);
    return user;
  }

  /** By user name, sub or, where the pool allows it, e-mail address. */
  find(name: string): User | undefined {
    const row = this.#runtime.db
      .prepare(
        // One look into an index each: with OR every user would be looked at, and a load has thousands.
        `SELECT * FROM cognito_users WHERE pool = ?1 AND username = ?2
         UNION ALL SELECT * FROM cognito_users WHERE pool = ?1 AND sub = ?2
         UNION ALL SELECT * FROM cognito_users WHERE ?4 AND pool = ?1 AND email = ?3
         LIMIT 1`,
      )
      .get(
        this.#pool.ref,
        name ?? '',
        this.#fold(name ?? ''),
        this.#pool.properties.UsernameAttributes?.includes('email') ? 1 : 0,
      );
    return row && userFrom(row);
  }

  /** Oldest first. */
  list(): User[] {
    return this.#runtime.db
      .prepare('SELECT * FROM cognito_users WHERE pool = ? ORDER BY created, sub')
      .all(this.#pool.ref)
      .map(userFrom);
  }

  /**
   * Replaces what is given, and answers the user as it then is.
   * @throws AwsError `AliasExistsException` when another user has the new e-mail address
   */
  update(user: User, change: Partial<Pick<User, 'attributes' | 'password' | 'status' | 'enabled'>>): User {
    const changed = { ...user, ...change, modified: this.#runtime.clock.now() };
    const email = changed.attributes.email;
    if (email !== undefined && email !== user.attributes.email) {
      const other = this.find(email);
      if (other && other.sub !== user.sub) {
        throw new AwsError('AliasExistsException', 'An account with the given email already exists.');
      }
    }
    this.#write(changed);
    return changed;
  }

  delete(user: User): void {
    const tables = ['users', 'members', 'codes', 'sessions', 'software_tokens'];
    for (const table of tables.map((name) => `cognito_${name}`)) {
      this.#runtime.db
        .prepare(`DELETE FROM ${table} WHERE pool = ? AND sub = ?`)
        .run(this.#pool.ref, user.sub);
    }
  }

  /** Names of the user's groups, by the groups' precedence. */
  groupsOf(user: User): string[] {
    const rows = this.#runtime.db
      .prepare('SELECT name FROM cognito_members WHERE pool = ? AND sub = ?')
      .all(this.#pool.ref, user.sub);
    const names = rows.map(({ name }) => String(name));
    return this.#groupNames.filter((name) => names.includes(name));
  }

  /** @throws AwsError `ResourceNotFoundException` for a group that the template does not have */
  join(user: User, group: string): void {
    this.#demandGroup(group);
    this.#runtime.db
      .prepare('INSERT OR IGNORE INTO cognito_members VALUES (?, ?, ?)')
      .run(this.#pool.ref, user.sub, group);
  }

  /** @throws AwsError `ResourceNotFoundException` for a group that the template does not have */
  leave(user: User, group: string): void {
    this.#demandGroup(group);
    this.#runtime.db
      .prepare('DELETE FROM cognito_members WHERE pool = ? AND sub = ? AND name = ?')
      .run(this.#pool.ref, user.sub, group);
  }

  /** @param address what the code proves, where it is to become the user's e-mail address only then */
  keepCode(user: User, purpose: CodePurpose, code: string, address?: string): void {
    const expires = this.#runtime.clock.now() + codeValidity[purpose];
    this.#runtime.db
      .prepare('INSERT OR REPLACE INTO cognito_codes VALUES (?, ?, ?, ?, ?, ?)')
      .run(this.#pool.ref, user.sub, purpose, code, expires, address ?? null);
  }

  /**
   * Uses up the user's code. Answers the address that it was kept with.
   * @throws AwsError `CodeMismatchException`, `ExpiredCodeException`
   */
  redeemCode(user: User, purpose: CodePurpose, code: string): string | undefined {
    const key = [this.#pool.ref, user.sub, purpose];
    const row = this.#runtime.db
      .prepare('SELECT code, expires, address FROM cognito_codes WHERE pool = ? AND sub = ? AND purpose = ?')
      .get(...key);
    if (!row || Number(row.expires) < this.#runtime.clock.now()) {
      throw new AwsError('ExpiredCodeException', 'Invalid code provided, please request a code again.');
    }
    if (row.code !== code) {
      throw new AwsError('CodeMismatchException', 'Invalid verification code provided, please try again.');
    }
    this.#runtime.db
      .prepare('DELETE FROM cognito_codes WHERE pool = ? AND sub = ? AND purpose = ?')
      .run(...key);
    return row.address === null ? undefined : String(row.address);
  }

  #demandGroup(group: string): void {
    if (!this.#groupNames.includes(group)) {
      throw new AwsError('ResourceNotFoundException', 'Group not found.');
    }
  }

  #write(user: User): void {
    this.#runtime.db
      .prepare(
        `INSERT INTO cognito_users VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (pool, sub) DO UPDATE SET email = excluded.email, attributes = excluded.attributes,
           password = excluded.password, status = excluded.status, enabled = excluded.enabled,
           modified = excluded.modified`,
      )
      .run(
        this.#pool.ref,
        user.sub,
        user.username,
        user.attributes.email ?? null,
        JSON.stringify(user.attributes),
        user.password,
        user.status,
        user.enabled ? 1 : 0,
        user.created,
        user.modified,
      );
  }

  #fold(name: string): string {
    return this.#pool.properties.UsernameConfiguration?.CaseSensitive === true ? name : name.toLowerCase();
  }
}

function userFrom(row: Record<string, unknown>): User {
  return {
    sub: String(row.sub),
    username: String(row.username),
    attributes: JSON.parse(String(row.attributes)),
    password: row.password === null ? null : String(row.password),
    status: row.status as UserStatus,
    enabled: row.enabled === 1,
    created: Number(row.created),
    modified: Number(row.modified),
  };
}
