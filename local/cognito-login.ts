import { randomBytes } from 'node:crypto';
import type { AuthorizationCodes } from './cognito-codes.ts';
import type { User } from './cognito-directory.ts';
import { page, signInPage } from './cognito-pages.ts';
import type { Pool, Pools } from './cognito-pool.ts';
import type { Proof, SignIn } from './cognito-sign-in.ts';
import { AwsError, type AwsRequest, type AwsResponse, type Resource, type Runtime } from './types.ts';

/** Milliseconds that the browser of somebody who signed in is known, as Cognito has it. */
const sessionLength = 3_600_000;
const sessionCookie = 'cognito';
const csrfCookie = 'XSRF-TOKEN';

/** What an app asks the server for, checked. */
interface Request {
  readonly pool: Pool;
  readonly client: Resource;
  readonly redirectUri: string;
  readonly state: string | null;
  readonly scopes: readonly string[];
  readonly nonce?: string;
  readonly challenge?: string;
}

/** The pages of a pool's domain: where an app sends the shopper's browser, and whence it comes back with a code. */
export class SignInSite {
  readonly #runtime: Runtime;
  readonly #pools: Pools;
  readonly #signIn: SignIn;
  readonly #codes: AuthorizationCodes;
  /** By the browser's cookie. */
  readonly #sessions = new Map<string, { readonly sub: string; readonly expires: number }>();

  constructor(runtime: Runtime, pools: Pools, signIn: SignIn, codes: AuthorizationCodes) {
    this.#runtime = runtime;
    this.#pools = pools;
    this.#signIn = signIn;
    this.#codes = codes;
  }

  async handle(request: AwsRequest): Promise<AwsResponse | undefined> {
    switch (`${request.method} ${request.path}`) {
      case 'GET /oauth2/authorize':
        return this.#checked(request, (asked) => this.#authorize(request, asked));
      case 'GET /login':
        return this.#checked(request, () => this.#form(200, {}, 'password'));
      case 'POST /login':
        return this.#checked(request, (asked) => this.#login(request, asked));
      case 'GET /logout':
        return this.#logout(request);
      default:
        return undefined;
    }
  }

  /** Who is known already goes back with a code at once; everybody else sees the page. */
  #authorize(request: AwsRequest, asked: Request): AwsResponse {
    const user = this.#userOf(request, asked.pool);
    return user ? this.#back(asked, user) : found(`/login?${request.query}`);
  }

  async #login(request: AwsRequest, asked: Request): Promise<AwsResponse> {
    const typed = new URLSearchParams(request.body.toString());
    const csrf = cookieOf(request, csrfCookie);
    if (!csrf || csrf !== typed.get('_csrf')) {
      return this.#form(403, {}, 'password', 'The form was too old. Please try again.');
    }
    const session = typed.get('session');
    try {
      const proof = await this.#proof(asked, typed, session);
      if ('user' in proof) return this.#back(asked, proof.user, this.#remember(proof.user));
      const { challenge } = proof;
      if (challenge.name === 'SOFTWARE_TOKEN_MFA') {
        return this.#form(200, { session: challenge.session }, 'code');
      }
      return this.#form(400, {}, 'password', 'Choose a password of your own in the app first.');
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      const again = session && error.code !== 'NotAuthorizedException';
      return again
        ? this.#form(400, { session }, 'code', error.message)
        : this.#form(400, {}, 'password', error.message);
    }
  }

  #proof({ pool, client }: Request, typed: URLSearchParams, session: string | null): Promise<Proof> {
    if (session === null) {
      return this.#signIn.prove(pool, client, typed.get('username') ?? '', typed.get('password') ?? '');
    }
    const responses = { SOFTWARE_TOKEN_MFA_CODE: typed.get('code') ?? '' };
    return this.#signIn.answer(pool, client, 'SOFTWARE_TOKEN_MFA', session, responses);
  }

  /** Forgets the browser, and sends it where the client may be sent. */
  #logout(request: AwsRequest): AwsResponse {
    const { query } = request;
    const client = this.#pools.findClient(query.get('client_id') ?? '')?.client;
    const to = query.get('logout_uri') ?? '';
    if (!client?.properties.LogoutURLs?.includes(to)) return mistaken('invalid_request');
    this.#sessions.delete(cookieOf(request, sessionCookie) ?? '');
    return found(to, { 'set-cookie': `${sessionCookie}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0` });
  }

  /** A mistake about client or address stays here: nobody is sent to an address that nobody registered. */
  async #checked(
    { query }: AwsRequest,
    run: (asked: Request) => AwsResponse | Promise<AwsResponse>,
  ): Promise<AwsResponse> {
    const known = this.#pools.findClient(query.get('client_id') ?? '');
    if (!known?.client.properties.AllowedOAuthFlowsUserPoolClient) return mistaken('invalid_request');
    const redirectUri = query.get('redirect_uri') ?? '';
    if (!known.client.properties.CallbackURLs?.includes(redirectUri)) return mistaken('redirect_mismatch');
    const asked = requestOf(known, redirectUri, query);
    if (typeof asked !== 'string') return run(asked);
    return found(withQuery(redirectUri, { error: asked, ...stateOf(query.get('state')) }));
  }

  #back(
    { client, redirectUri, state, scopes, nonce, challenge }: Request,
    user: User,
    cookie = {},
  ): AwsResponse {
    const grant = {
      sub: user.sub,
      redirectUri,
      scopes,
      ...(nonce !== undefined && { nonce }),
      ...(challenge !== undefined && { challenge }),
    };
    return found(
      withQuery(redirectUri, { code: this.#codes.issue(client, grant), ...stateOf(state) }),
      cookie,
    );
  }

  #form(
    status: number,
    hidden: Record<string, string>,
    asks: 'password' | 'code',
    trouble?: string,
  ): AwsResponse {
    const csrf = randomBytes(16).toString('hex');
    const cookie = `${csrfCookie}=${csrf}; Path=/; HttpOnly; SameSite=Lax`;
    return signInPage({ status, csrf, hidden, asks, trouble, headers: { 'set-cookie': cookie } });
  }

  #remember(user: User): Record<string, string> {
    const id = randomBytes(32).toString('base64url');
    this.#sessions.set(id, { sub: user.sub, expires: this.#runtime.clock.now() + sessionLength });
    return { 'set-cookie': `${sessionCookie}=${id}; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600` };
  }

  #userOf(request: AwsRequest, pool: Pool): User | undefined {
    const session = this.#sessions.get(cookieOf(request, sessionCookie) ?? '');
    if (!session || session.expires < this.#runtime.clock.now()) return undefined;
    const user = pool.directory.find(session.sub);
    return user?.enabled ? user : undefined;
  }
}

/**
 * The name of the error, where the app asks for what it may not have. PKCE is demanded of clients without a secret,
 * which Cognito leaves to them, so that an app that forgot it is noticed here.
 */
function requestOf(
  { pool, client }: { pool: Pool; client: Resource },
  redirectUri: string,
  query: URLSearchParams,
): Request | string {
  const { AllowedOAuthFlows = [], AllowedOAuthScopes = [], GenerateSecret } = client.properties;
  const type = query.get('response_type');
  if (type !== 'code') return type === 'token' ? 'unauthorized_client' : 'invalid_request';
  if (!AllowedOAuthFlows.includes('code')) return 'unauthorized_client';
  const scopes = query.get('scope')?.split(' ').filter(Boolean) ?? AllowedOAuthScopes;
  if (!scopes.every((scope: string) => AllowedOAuthScopes.includes(scope))) return 'invalid_scope';
  const [challenge, method] = [query.get('code_challenge'), query.get('code_challenge_method')];
  const proves = challenge !== null && method === 'S256' && /^[\w-]{43}$/.test(challenge);
  if (!proves && (!GenerateSecret || challenge !== null || method !== null)) return 'invalid_request';
  const nonce = query.get('nonce');
  return {
    pool,
    client,
    redirectUri,
    state: query.get('state'),
    scopes,
    ...(nonce !== null && { nonce }),
    ...(challenge !== null && { challenge }),
  };
}

function stateOf(state: string | null): Record<string, string> {
  return state === null ? {} : { state };
}

function mistaken(error: string): AwsResponse {
  return page(400, 'An error was encountered with the requested page', `<p>${error}</p>`);
}

function found(location: string, headers: Record<string, string> = {}): AwsResponse {
  return { status: 302, headers: { location, 'cache-control': 'no-store', ...headers } };
}

function withQuery(address: string, parameters: Record<string, string>): string {
  const url = new URL(address);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.append(name, value);
  return url.href;
}

function cookieOf({ headers }: AwsRequest, name: string): string | undefined {
  const cookies = (headers.cookie ?? '').split(/;\s*/).map((pair) => pair.split('='));
  return cookies.find(([key]) => key === name)?.[1];
}
