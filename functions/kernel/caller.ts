import { JwtVerifier } from 'aws-jwt-verify';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';
import type { Audience } from './contract.ts';
import { environment } from './env.ts';
import { DomainError, isDomainError } from './errors.ts';
import { log } from './log.ts';

/** Who is calling, from a verified Cognito access token. */
export interface Caller {
  /** The pool's `sub`: stable for the life of the account. */
  readonly customerId: string;
  readonly groups: readonly string[];
}

type Verifier = { verify(token: string): Promise<Record<string, unknown>> };
let verifier: Verifier | undefined;

/** The gateway lets ID tokens through, so the token is verified again: issuer, client, use, signature and time. */
function tokenVerifier(): Verifier {
  if (verifier) return verifier;
  const { TOKEN_ISSUER, TOKEN_CLIENT_ID, JWKS_URI } = environment(
    'TOKEN_ISSUER',
    'TOKEN_CLIENT_ID',
    'JWKS_URI',
  );
  const fetcher = {
    fetch: async (uri: string) => {
      try {
        const response = await fetch(uri, { signal: AbortSignal.timeout(3_000) });
        if (response.ok) return await response.arrayBuffer();
        log.error('key set unavailable', { status: response.status });
      } catch (error) {
        log.error('key set unavailable', { error: error instanceof Error ? error.name : 'unknown' });
      }
      // The token may well be good.
      throw new DomainError('temporary-reduced-capacity', 'Tokens cannot be verified now. Please try again.');
    },
  };
  verifier = JwtVerifier.create(
    {
      issuer: TOKEN_ISSUER,
      jwksUri: JWKS_URI,
      audience: null,
      customJwtCheck: ({ payload }) => {
        if (payload.token_use !== 'access') throw new Error('not an access token');
        if (payload.client_id !== TOKEN_CLIENT_ID) throw new Error('not a token of this client');
      },
    },
    { jwksCache: new SimpleJwksCache({ fetcher }) },
  );
  return verifier;
}

/**
 * The caller that `audience` asks for; undefined where none is needed and none was given.
 * @throws DomainError `unauthorized` (no or a bad token), `forbidden` (not in the group),
 *   `temporary-reduced-capacity` (the key set cannot be had)
 */
export async function authenticate(
  audience: Audience,
  authorization: string | undefined,
): Promise<Caller | undefined> {
  if (audience === 'all' || audience === 'provider') return undefined;
  if (authorization === undefined && audience === 'guest') return undefined;
  const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
  if (!token) throw new DomainError('unauthorized', 'Send Authorization: Bearer with an access token.');
  const caller = callerOf(await verified(token));
  if ((audience === 'operators' || audience === 'finance') && !caller.groups.includes(audience)) {
    throw new DomainError('forbidden', `This needs an account of the group ${audience}.`);
  }
  return caller;
}

async function verified(token: string): Promise<Record<string, unknown>> {
  try {
    return await tokenVerifier().verify(token);
  } catch (error) {
    if (isDomainError(error)) throw error;
    throw new DomainError('unauthorized', 'The access token is not valid or has expired. Sign in again.');
  }
}

function callerOf(payload: Record<string, unknown>): Caller {
  const groups = payload['cognito:groups'];
  return { customerId: String(payload.sub), groups: Array.isArray(groups) ? groups.map(String) : [] };
}
