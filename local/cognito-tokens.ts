import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  randomUUID,
} from 'node:crypto';
import type { User } from './cognito-directory.ts';
import { type Claims, signJwt, signJwtBeside, verifyJwt } from './jwt.ts';
import { AwsError, type Resource, type Runtime } from './types.ts';

export interface AuthenticationResult {
  readonly AccessToken: string;
  readonly IdToken: string;
  readonly RefreshToken?: string;
  /** Seconds. */
  readonly ExpiresIn: number;
  readonly TokenType: 'Bearer';
}

export interface Session {
  readonly originJti: string;
  /** Seconds since the epoch, as everything in a token. */
  readonly authTime: number;
  readonly scopes: readonly string[];
  /** Of the app's request, for its first ID token alone. */
  readonly nonce?: string;
}

/** What signing in through Cognito's API gives; it is for one's own account. */
export const accountScope = 'aws.cognito.signin.user.admin';

const secondsOf: Readonly<Record<string, number>> = { seconds: 1, minutes: 60, hours: 3600, days: 86_400 };

/** Issues and checks the tokens of one user pool. Its key pair and its sessions are durable. */
export class PoolTokens {
  readonly #runtime: Runtime;
  readonly #poolId: string;
  readonly #issuer: string;
  readonly #kid: string;
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;

  constructor(runtime: Runtime, poolId: string) {
    this.#runtime = runtime;
    this.#poolId = poolId;
    this.#issuer = `https://cognito-idp.${runtime.region}.amazonaws.com/${poolId}`;
    runtime.db.exec(`
      CREATE TABLE IF NOT EXISTS cognito_keys (pool TEXT PRIMARY KEY, kid TEXT NOT NULL, pem TEXT NOT NULL) STRICT;
      CREATE TABLE IF NOT EXISTS cognito_sessions (
        refresh_hash TEXT PRIMARY KEY, pool TEXT NOT NULL, client TEXT NOT NULL, sub TEXT NOT NULL,
        origin_jti TEXT NOT NULL UNIQUE, auth_time INTEGER NOT NULL, expires INTEGER NOT NULL,
        revoked INTEGER NOT NULL DEFAULT 0) STRICT`);
    addColumn(runtime, 'cognito_sessions', `scope TEXT NOT NULL DEFAULT '${accountScope}'`);
    runtime.db.exec(`
      CREATE TABLE IF NOT EXISTS cognito_replaced_tokens (
        refresh_hash TEXT PRIMARY KEY, origin_jti TEXT NOT NULL, until INTEGER NOT NULL) STRICT`);
    const { kid, pem } = this.#keyPair();
    this.#kid = kid;
    this.#privateKey = createPrivateKey(pem);
    this.#publicKey = createPublicKey(pem);
  }

  get issuer(): string {
    return this.#issuer;
  }

  /** The public key, as the pool's JWKS document holds it. */
  jwks(): { keys: object[] } {
    const jwk = this.#publicKey.export({ format: 'jwk' });
    return { keys: [{ ...jwk, alg: 'RS256', kid: this.#kid, use: 'sig' }] };
  }

  /** Tokens of a fresh sign-in. */
  begin(
    user: User,
    groups: readonly string[],
    client: Resource,
    options: Partial<Pick<Session, 'scopes' | 'nonce'>> = {},
  ): AuthenticationResult {
    const { session, refreshToken } = this.#open(user, client, options);
    return { ...this.#issue(user, groups, client, session), RefreshToken: refreshToken };
  }

  /** Access tokens of a fresh sign-in of each, in their order; they are in no group. */
  async beginAll(users: readonly User[], client: Resource): Promise<string[]> {
    const now = this.#seconds();
    const claims = users.map((user) =>
      this.#accessClaims(user, [], client, this.#open(user, client).session, now),
    );
    return Promise.all(claims.map((one) => signJwtBeside(one, this.#kid, this.#privateKey)));
  }

  #open(
    user: User,
    client: Resource,
    { scopes = [accountScope], nonce }: Partial<Pick<Session, 'scopes' | 'nonce'>> = {},
  ): { session: Session; refreshToken: string } {
    const now = this.#seconds();
    const session = { originJti: randomUUID(), authTime: now, scopes, ...(nonce !== undefined && { nonce }) };
    const refreshToken = newRefreshToken();
    this.#runtime.db
      .prepare(
        `INSERT INTO cognito_sessions (refresh_hash, pool, client, sub, origin_jti, auth_time, expires, scope)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        sha256(refreshToken),
        this.#poolId,
        client.ref,
        user.sub,
        session.originJti,
        now,
        now + validity(client, 'RefreshToken', 30, 'days'),
        scopes.join(' '),
      );
    return { session, refreshToken };
  }

  /** @throws AwsError `NotAuthorizedException`, `RefreshTokenReuseException` for one that another took the place of */
  sessionOf(refreshToken: string, client: Resource): Session & { sub: string } {
    const hash = sha256(refreshToken);
    const { db } = this.#runtime;
    const replaced = db.prepare('SELECT * FROM cognito_replaced_tokens WHERE refresh_hash = ?').get(hash);
    if (replaced && Number(replaced.until) <= this.#seconds()) {
      throw new AwsError('RefreshTokenReuseException', 'Refresh Token has been used already');
    }
    const row = db
      .prepare(
        'SELECT * FROM cognito_sessions WHERE (refresh_hash = ?1 OR origin_jti = ?2) AND pool = ?3 AND client = ?4',
      )
      .get(hash, replaced ? String(replaced.origin_jti) : '', this.#poolId, client.ref);
    if (!row) throw notAuthorized('Invalid Refresh Token');
    if (row.revoked) throw notAuthorized('Refresh Token has been revoked');
    if (Number(row.expires) <= this.#seconds()) throw notAuthorized('Refresh Token has expired');
    return {
      sub: String(row.sub),
      originJti: String(row.origin_jti),
      authTime: Number(row.auth_time),
      scopes: String(row.scope).split(' '),
    };
  }

  /** New tokens of the same session; where the client rotates them, the refresh token too, which ends no later. */
  refresh(user: User, groups: readonly string[], client: Resource, session: Session): AuthenticationResult {
    const tokens = this.#issue(user, groups, client, session);
    const { Feature, RetryGracePeriodSeconds = 0 } = client.properties.RefreshTokenRotation ?? {};
    if (Feature !== 'ENABLED') return tokens;
    const RefreshToken = newRefreshToken();
    const { db } = this.#runtime;
    db.prepare(
      `INSERT OR IGNORE INTO cognito_replaced_tokens
       SELECT refresh_hash, origin_jti, ? FROM cognito_sessions WHERE origin_jti = ?`,
    ).run(this.#seconds() + Number(RetryGracePeriodSeconds), session.originJti);
    db.prepare('UPDATE cognito_sessions SET refresh_hash = ? WHERE origin_jti = ?').run(
      sha256(RefreshToken),
      session.originJti,
    );
    return { ...tokens, RefreshToken };
  }

  /** The access token of a system: nobody's but its client's, and there is nothing to refresh it with. */
  machine(
    client: Resource,
    scopes: readonly string[],
  ): { readonly token: string; readonly expiresIn: number } {
    const now = this.#seconds();
    const expiresIn = validity(client, 'AccessToken', 60, 'minutes');
    const claims = {
      sub: client.ref,
      token_use: 'access',
      scope: scopes.join(' '),
      auth_time: now,
      iss: this.#issuer,
      exp: now + expiresIn,
      iat: now,
      version: 2,
      jti: randomUUID(),
      client_id: client.ref,
    };
    return { token: signJwt(claims, this.#kid, this.#privateKey), expiresIn };
  }

  /**
   * The claims of a user's valid access token.
   * @throws AwsError `NotAuthorizedException`
   */
  verifyAccess(token: string, scope: string): Claims & { readonly sub: string; readonly client_id: string } {
    const claims = verifyJwt(token ?? '', (kid) => (kid === this.#kid ? this.#publicKey : undefined));
    if (claims?.iss !== this.#issuer || claims.token_use !== 'access') {
      throw notAuthorized('Invalid Access Token');
    }
    if (Number(claims.exp) <= this.#seconds()) throw notAuthorized('Access Token has expired');
    const session = this.#runtime.db
      .prepare('SELECT revoked FROM cognito_sessions WHERE origin_jti = ?')
      .get(String(claims.origin_jti));
    if (session?.revoked !== 0) throw notAuthorized('Access Token has been revoked');
    if (!String(claims.scope).split(' ').includes(scope)) {
      throw notAuthorized('Access Token does not have required scopes');
    }
    return claims as Claims & { sub: string; client_id: string };
  }

  revoke(refreshToken: string, client: Resource): void {
    this.#runtime.db
      .prepare(
        `UPDATE cognito_sessions SET revoked = 1 WHERE pool = ?2 AND client = ?3 AND (refresh_hash = ?1
         OR origin_jti = (SELECT origin_jti FROM cognito_replaced_tokens WHERE refresh_hash = ?1))`,
      )
      .run(sha256(refreshToken), this.#poolId, client.ref);
  }

  /** Ends every session of the user. Tokens that are only verified offline stay good until they expire, as on AWS. */
  revokeAll(sub: string): void {
    this.#runtime.db
      .prepare('UPDATE cognito_sessions SET revoked = 1 WHERE pool = ? AND sub = ?')
      .run(this.#poolId, sub);
  }

  #commonClaims(user: User, groups: readonly string[], session: Session, now: number) {
    return {
      sub: user.sub,
      ...(groups.length > 0 && { 'cognito:groups': groups }),
      iss: this.#issuer,
      origin_jti: session.originJti,
      event_id: randomUUID(),
      auth_time: session.authTime,
      iat: now,
    };
  }

  #accessClaims(user: User, groups: readonly string[], client: Resource, session: Session, now: number) {
    return {
      ...this.#commonClaims(user, groups, session, now),
      client_id: client.ref,
      token_use: 'access',
      scope: session.scopes.join(' '),
      exp: now + validity(client, 'AccessToken', 60, 'minutes'),
      jti: randomUUID(),
      username: user.username,
    };
  }

  #issue(user: User, groups: readonly string[], client: Resource, session: Session): AuthenticationResult {
    const now = this.#seconds();
    const access = this.#accessClaims(user, groups, client, session, now);
    const { email_verified: emailVerified, ...attributes } = user.attributes;
    const id = {
      ...attributes,
      ...this.#commonClaims(user, groups, session, now),
      event_id: access.event_id,
      ...(emailVerified !== undefined && { email_verified: emailVerified === 'true' }),
      'cognito:username': user.username,
      aud: client.ref,
      ...(session.nonce !== undefined && { nonce: session.nonce }),
      token_use: 'id',
      exp: now + validity(client, 'IdToken', 60, 'minutes'),
      jti: randomUUID(),
    };
    return {
      AccessToken: signJwt(access, this.#kid, this.#privateKey),
      IdToken: signJwt(id, this.#kid, this.#privateKey),
      ExpiresIn: access.exp - now,
      TokenType: 'Bearer',
    };
  }

  #keyPair(): { kid: string; pem: string } {
    const { db } = this.#runtime;
    const stored = db.prepare('SELECT kid, pem FROM cognito_keys WHERE pool = ?').get(this.#poolId);
    if (stored) return stored as { kid: string; pem: string };
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const kid = randomBytes(32).toString('base64');
    db.prepare('INSERT INTO cognito_keys VALUES (?, ?, ?)').run(this.#poolId, kid, pem);
    return { kid, pem };
  }

  #seconds(): number {
    return Math.floor(this.#runtime.clock.now() / 1000);
  }
}

/** A home from before the column gets it at the next start. */
function addColumn({ db }: Runtime, table: string, definition: string): void {
  const [name = ''] = definition.split(' ');
  const known = db.prepare('SELECT 1 FROM pragma_table_info(?) WHERE name = ?').get(table, name);
  if (!known) db.exec(`ALTER TABLE ${table} ADD COLUMN ${definition}`);
}

function newRefreshToken(): string {
  return randomBytes(48).toString('base64url');
}

export function notAuthorized(message: string): AwsError {
  return new AwsError('NotAuthorizedException', message);
}

/** Seconds that a token of the client is valid. */
function validity(client: Resource, token: string, fallback: number, fallbackUnit: string): number {
  const { [`${token}Validity`]: amount, TokenValidityUnits: units } = client.properties;
  if (amount === undefined) return fallback * secondsOf[fallbackUnit]!;
  const unit = units?.[token] ?? (token === 'RefreshToken' ? 'days' : 'hours');
  return Number(amount) * secondsOf[unit]!;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
