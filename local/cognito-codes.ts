import { createHash, randomUUID } from 'node:crypto';
import type { Resource, Runtime } from './types.ts';

/** What a shopper agreed to on the sign-in page, until the app exchanges the code for tokens. */
export interface Grant {
  readonly sub: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly nonce?: string;
  /** SHA-256 of the app's verifier, base64url. */
  readonly challenge?: string;
}

/** Milliseconds, as Cognito has it. */
const validity = 5 * 60_000;

/** Authorization codes: each serves once, whatever comes of it. */
export class AuthorizationCodes {
  readonly #runtime: Runtime;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    runtime.db.exec(`
      CREATE TABLE IF NOT EXISTS cognito_authorization_codes (
        hash TEXT PRIMARY KEY, client TEXT NOT NULL, grant_json TEXT NOT NULL, expires INTEGER NOT NULL) STRICT`);
  }

  issue(client: Resource, grant: Grant): string {
    const now = this.#runtime.clock.now();
    const code = randomUUID();
    const { db } = this.#runtime;
    db.prepare('DELETE FROM cognito_authorization_codes WHERE expires < ?').run(now);
    db.prepare('INSERT INTO cognito_authorization_codes VALUES (?, ?, ?, ?)').run(
      digest(code),
      client.ref,
      JSON.stringify(grant),
      now + validity,
    );
    return code;
  }

  /** Uses the code up. Undefined when it is unknown, used, too old, another client's, or not this app's. */
  redeem(
    client: Resource,
    code: string,
    { redirectUri, verifier }: { readonly redirectUri: string; readonly verifier: string | undefined },
  ): Grant | undefined {
    const row = this.#runtime.db
      .prepare('DELETE FROM cognito_authorization_codes WHERE hash = ? RETURNING client, grant_json, expires')
      .get(digest(code));
    if (!row || row.client !== client.ref || Number(row.expires) < this.#runtime.clock.now())
      return undefined;
    const grant: Grant = JSON.parse(String(row.grant_json));
    const proved = grant.challenge === (verifier === undefined ? undefined : digest(verifier));
    return proved && grant.redirectUri === redirectUri ? grant : undefined;
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
