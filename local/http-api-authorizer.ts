import { createPublicKey, type KeyObject } from 'node:crypto';
import { type Claims, verifyJwt } from './jwt.ts';
import type { Resource, Runtime } from './types.ts';

/** What a JWT authorizer passes on to the function, in `requestContext.authorizer`. */
export interface Authorization {
  readonly jwt: { readonly claims: Readonly<Record<string, string>>; readonly scopes: string[] | null };
}

export type AuthorizerAnswer =
  | { readonly outcome: 'allowed'; readonly authorization: Authorization }
  | { readonly outcome: 'unauthorized'; readonly challenge: string }
  | { readonly outcome: 'forbidden'; readonly challenge: string };

/** A signature costs more than all else here; a crowd of shoppers is remembered. */
const rememberedTokens = 50_000;

/** A JWT authorizer of an HTTP API. Like AWS's, it accepts access and ID tokens alike. */
export class JwtAuthorizer {
  readonly #runtime: Runtime;
  readonly #issuer: string;
  readonly #audience: readonly string[];
  readonly #header: string;
  #keys = new Map<string, KeyObject>();
  /** Tokens whose signature was found good. Times are looked at with every request. */
  readonly #verified = new Map<string, Claims>();

  constructor(authorizer: Resource, runtime: Runtime) {
    const { JwtConfiguration, IdentitySource } = authorizer.properties;
    this.#runtime = runtime;
    this.#issuer = JwtConfiguration.Issuer;
    this.#audience = JwtConfiguration.Audience ?? [];
    this.#header = String(IdentitySource?.[0] ?? '$request.header.Authorization')
      .replace(/^\$request\.header\./, '')
      .toLowerCase();
  }

  /** @param routeScopes the route's AuthorizationScopes: the token needs one of them */
  async authorize(
    headers: Readonly<Record<string, string>>,
    routeScopes: readonly string[],
  ): Promise<AuthorizerAnswer> {
    const token = headers[this.#header]?.replace(/^bearer\s+/i, '');
    if (!token) return unauthorized();
    const claims = await this.#verify(token);
    if (!claims) return unauthorized('the token is not valid');
    const now = this.#runtime.clock.now() / 1000;
    if (claims.iss !== this.#issuer) return unauthorized('the issuer is not valid');
    if (typeof claims.exp !== 'number' || claims.exp <= now) return unauthorized('the token has expired');
    if (typeof claims.nbf === 'number' && claims.nbf > now) return unauthorized('the token is not yet valid');
    if (!this.#isForUs(claims)) return unauthorized('the audience is not valid');
    const scopes = String(claims.scope ?? claims.scp ?? '').split(' ');
    if (routeScopes.length > 0 && !routeScopes.some((scope) => scopes.includes(scope))) {
      const challenge = `Bearer scope="${routeScopes.join(' ')}" error="insufficient_scope"`;
      return { outcome: 'forbidden', challenge };
    }
    return {
      outcome: 'allowed',
      authorization: { jwt: { claims: asText(claims), scopes: routeScopes.length > 0 ? scopes : null } },
    };
  }

  /** `aud` decides where the token has one, else `client_id`. */
  #isForUs(claims: Claims): boolean {
    const audience = claims.aud === undefined ? [claims.client_id] : [claims.aud].flat();
    return audience.some((value) => this.#audience.includes(String(value)));
  }

  async #verify(token: string): Promise<Claims | undefined> {
    const seen = this.#verified.get(token);
    if (seen) return seen;
    if (this.#keys.size === 0) await this.#fetchKeys();
    const claims = verifyJwt(token, (kid) => this.#keys.get(kid));
    if (claims) {
      if (this.#verified.size >= rememberedTokens) this.#verified.clear();
      this.#verified.set(token, claims);
    }
    return claims;
  }

  async #fetchKeys(): Promise<void> {
    const poolId = this.#issuer.slice(this.#issuer.lastIndexOf('/') + 1);
    const caller = { kind: 'operator' } as const;
    const { keys } = await this.#runtime.call('cognito-idp', 'GetJwks', { UserPoolId: poolId }, caller);
    this.#keys = new Map(
      keys.map((jwk: { kid: string }) => [jwk.kid, createPublicKey({ key: jwk as any, format: 'jwk' })]),
    );
  }
}

function unauthorized(description?: string): AuthorizerAnswer {
  const challenge = description
    ? `Bearer scope="" error="invalid_token" error_description="${description}"`
    : 'Bearer';
  return { outcome: 'unauthorized', challenge };
}

/** API Gateway hands every claim on as text; a list becomes its items between brackets, divided by spaces. */
function asText(claims: Claims): Record<string, string> {
  return Object.fromEntries(
    Object.entries(claims).map(([name, value]) => [
      name,
      Array.isArray(value)
        ? `[${value.join(' ')}]`
        : typeof value === 'object'
          ? JSON.stringify(value)
          : String(value),
    ]),
  );
}
