import { randomUUID } from 'node:crypto';
import type { ClientSecrets } from './cognito-clients.ts';
import { AuthorizationCodes } from './cognito-codes.ts';
import type { User } from './cognito-directory.ts';
import { SignInSite } from './cognito-login.ts';
import type { Pool, Pools } from './cognito-pool.ts';
import type { SignIn } from './cognito-sign-in.ts';
import { type AuthenticationResult, accountScope } from './cognito-tokens.ts';
import { AwsError, type AwsRequest, type AwsResponse, type Resource, type Runtime } from './types.ts';

/*
 * The authorisation server of a pool's domain: /oauth2/authorize, /login, /oauth2/token, /oauth2/revoke,
 * /oauth2/userInfo and /logout.
 * https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-userpools-server-contract-reference.html
 */

/** A refusal of the token endpoint (RFC 6749 §5.2), always with status 400 as Cognito has it. */
class OAuthError extends Error {
  readonly code: string;
  constructor(
    code:
      | 'invalid_request'
      | 'invalid_client'
      | 'invalid_grant'
      | 'unauthorized_client'
      | 'unsupported_grant_type'
      | 'invalid_scope',
  ) {
    super(code);
    this.code = code;
  }
}

export class OAuthServer {
  readonly #pools: Pools;
  readonly #secrets: ClientSecrets;
  readonly #signIn: SignIn;
  readonly #codes: AuthorizationCodes;
  readonly #site: SignInSite;

  constructor(runtime: Runtime, pools: Pools, secrets: ClientSecrets, signIn: SignIn) {
    this.#pools = pools;
    this.#secrets = secrets;
    this.#signIn = signIn;
    this.#codes = new AuthorizationCodes(runtime);
    this.#site = new SignInSite(runtime, pools, signIn, this.#codes);
  }

  /** Undefined for a path that is none of the server's. */
  async handle(request: AwsRequest): Promise<AwsResponse | undefined> {
    const site = await this.#site.handle(request);
    if (site) return site;
    const routes: Readonly<Record<string, () => Promise<AwsResponse>>> = {
      'POST /oauth2/token': () => this.#token(request),
      'POST /oauth2/revoke': () => this.#revoke(request),
      'GET /oauth2/userInfo': async () => this.#userInfo(request),
      'POST /oauth2/userInfo': async () => this.#userInfo(request),
    };
    const run = routes[`${request.method} ${request.path}`];
    if (run) return withCors(await run());
    if (!request.path.startsWith('/oauth2/')) return undefined;
    if (request.method === 'OPTIONS') return withCors({ status: 204 });
    return json(405, { error: 'invalid_request' });
  }

  async #token(request: AwsRequest): Promise<AwsResponse> {
    try {
      const form = formOf(request);
      const { pool, client } = this.#client(request, form);
      switch (form.get('grant_type')) {
        case 'authorization_code':
          return tokens(await this.#exchange(pool, client, form));
        case 'refresh_token':
          return tokens(await this.#refresh(pool, client, form));
        case 'client_credentials':
          return this.#machine(pool, client, form);
        case null:
          throw new OAuthError('invalid_request');
        default:
          throw new OAuthError('unsupported_grant_type');
      }
    } catch (error) {
      return refusal(error);
    }
  }

  async #exchange(pool: Pool, client: Resource, form: URLSearchParams): Promise<Issued> {
    demandGrant(client, 'code');
    const [code, redirectUri] = [form.get('code'), form.get('redirect_uri')];
    if (code === null || redirectUri === null) throw new OAuthError('invalid_request');
    const verifier = form.get('code_verifier') ?? undefined;
    const grant = this.#codes.redeem(client, code, { redirectUri, verifier });
    const user = grant && pool.directory.find(grant.sub);
    if (!user?.enabled) throw new OAuthError('invalid_grant');
    const groups = await pool.groupsIn(user, client, 'TokenGeneration_HostedAuth');
    return { result: pool.tokens.begin(user, groups, client, grant), scopes: grant!.scopes };
  }

  async #refresh(pool: Pool, client: Resource, form: URLSearchParams): Promise<Issued> {
    demandGrant(client, 'code');
    const token = form.get('refresh_token');
    if (token === null) throw new OAuthError('invalid_request');
    try {
      const { scopes } = pool.tokens.sessionOf(token, client);
      return { result: await this.#signIn.refreshed(pool, client, token), scopes };
    } catch (error) {
      throw error instanceof AwsError ? new OAuthError('invalid_grant') : error;
    }
  }

  #machine(pool: Pool, client: Resource, form: URLSearchParams): AwsResponse {
    demandGrant(client, 'client_credentials');
    const allowed: readonly string[] = client.properties.AllowedOAuthScopes ?? [];
    const asked = form.get('scope')?.split(' ').filter(Boolean) ?? [];
    if (!asked.every((scope) => allowed.includes(scope))) throw new OAuthError('invalid_scope');
    const { token, expiresIn } = pool.tokens.machine(client, asked.length > 0 ? asked : allowed);
    return json(200, { access_token: token, expires_in: expiresIn, token_type: 'Bearer' });
  }

  async #revoke(request: AwsRequest): Promise<AwsResponse> {
    try {
      const form = formOf(request);
      const { pool, client } = this.#client(request, form);
      const token = form.get('token');
      if (token === null) throw new OAuthError('invalid_request');
      if (token.split('.').length === 3) return json(400, { error: 'unsupported_token_type' });
      pool.tokens.revoke(token, client);
      return { status: 200 };
    } catch (error) {
      return refusal(error);
    }
  }

  #userInfo({ headers }: AwsRequest): AwsResponse {
    const token = /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
    const pool = this.#pools.issuerOf(token);
    try {
      const claims = pool?.tokens.verifyAccess(token, 'openid');
      const user = pool?.directory.find(String(claims?.sub));
      if (user) return json(200, infoOf(user, String(claims?.scope).split(' ')));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
    }
    const description = 'Access token is invalid, expired, or disabled, or user is disabled.';
    const refused = json(401, { error: 'invalid_token' });
    const challenge = `Bearer error="invalid_token", error_description="${description}"`;
    return { ...refused, headers: { ...refused.headers, 'www-authenticate': challenge } };
  }

  /** By HTTP Basic or in the form, never both ways at once. @throws OAuthError `invalid_client` */
  #client({ headers }: AwsRequest, form: URLSearchParams): { pool: Pool; client: Resource } {
    const basic = /^Basic (\S+)$/i.exec(headers.authorization ?? '')?.[1];
    const [id, secret] = basic
      ? Buffer.from(basic, 'base64').toString().split(/:(.*)/s)
      : [form.get('client_id'), form.get('client_secret') ?? undefined];
    if (!id) throw new OAuthError('invalid_request');
    const named = form.get('client_id');
    const found = named === null || named === id ? this.#pools.findClient(id) : undefined;
    if (!found || !this.#secrets.accepts(found.client, secret)) throw new OAuthError('invalid_client');
    return found;
  }
}

interface Issued {
  readonly result: AuthenticationResult;
  readonly scopes: readonly string[];
}

function tokens({ result, scopes }: Issued): AwsResponse {
  return json(200, {
    ...(scopes.includes('openid') && { id_token: result.IdToken }),
    access_token: result.AccessToken,
    ...(result.RefreshToken !== undefined && { refresh_token: result.RefreshToken }),
    expires_in: result.ExpiresIn,
    token_type: result.TokenType,
  });
}

/** What the scopes of the token open of the user's attributes (OpenID Connect Core §5.4). */
function infoOf(user: User, scopes: readonly string[]): object {
  const { sub, email, email_verified: verified, ...others } = user.attributes;
  const all = scopes.includes('profile') || scopes.includes(accountScope) ? others : {};
  return {
    sub,
    ...all,
    ...(scopes.includes('email') && { email, email_verified: verified }),
    username: user.username,
  };
}

/** @throws OAuthError `unauthorized_client` */
function demandGrant(client: Resource, flow: 'code' | 'client_credentials'): void {
  const { AllowedOAuthFlowsUserPoolClient: oauth, AllowedOAuthFlows = [] } = client.properties;
  if (!oauth || !AllowedOAuthFlows.includes(flow)) throw new OAuthError('unauthorized_client');
}

function formOf({ headers, body }: AwsRequest): URLSearchParams {
  if (!/^application\/x-www-form-urlencoded\b/i.test(headers['content-type'] ?? '')) {
    throw new OAuthError('invalid_request');
  }
  return new URLSearchParams(body.toString());
}

function refusal(error: unknown): AwsResponse {
  if (error instanceof OAuthError) return json(400, { error: error.code });
  // The pool's function would not have it, or somebody has gone meanwhile.
  if (error instanceof AwsError)
    return json(400, { error: 'invalid_grant', error_description: error.message });
  throw error;
}

function json(status: number, body: object): AwsResponse {
  return {
    status,
    headers: {
      'content-type': 'application/json;charset=UTF-8',
      'cache-control': 'no-store',
      pragma: 'no-cache',
    },
    body: JSON.stringify(body),
  };
}

/** Apps in a browser exchange their codes themselves; no cookie is looked at here. */
function withCors(response: AwsResponse): AwsResponse {
  return {
    ...response,
    headers: {
      'access-control-allow-origin': '*',
      'access-control-allow-headers': 'authorization,content-type',
      'access-control-allow-methods': 'GET,POST',
      'x-amz-cognito-request-id': randomUUID(),
      ...response.headers,
    },
  };
}
