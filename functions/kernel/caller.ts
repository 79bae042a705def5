import { JwtVerifier } from 'aws-jwt-verify';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';
import { systemNow } from './clock.ts';
import {
  type Audience,
  type MachineScope,
  type Route,
  resourceServer,
  staffSessionSeconds,
} from './contract.ts';
import { environment } from './env.ts';
import { DomainError, errorName, isDomainError } from './errors.ts';
import { digest } from './ids.ts';
import { log } from './log.ts';
import { outbound } from './outbound.ts';

/** Who is calling, from a verified Cognito access token. */
export interface Caller {
  /** The pool's `sub`: stable for the life of the account. */
  readonly customerId: string;
  readonly groups: readonly string[];
  /** The sign-in that the token comes of, through all refreshing. */
  readonly session: {
    readonly id: string;
    /** When this token was made: seconds since the epoch. */
    readonly issuedAt: number;
  };
}

/** A system with a token of its own, by the client credentials grant. It is no customer and in no group. */
export interface Machine {
  readonly clientId: string;
  /** Without the resource server's name. */
  readonly scopes: readonly string[];
}

/**
 * Who, for the log: the same for everything that an account does, and found by whoever knows the account. Nobody finds
 * the account by it: its id has 122 random bits, too many to try. A system's id is no secret.
 */
export function referenceOf(caller: Caller | Machine): string {
  return 'clientId' in caller ? caller.clientId : digest(caller.customerId).slice(0, 16);
}

type Verifier = { verify(token: string): Promise<Record<string, unknown>> };
let verifier: Verifier | undefined;

/** Undefined when it cannot be had in time. */
async function fetchKeySet(uri: string): Promise<ArrayBuffer | undefined> {
  try {
    const response = await outbound(uri, { redirect: 'error', signal: AbortSignal.timeout(3_000) });
    if (response.ok) return await response.arrayBuffer();
    log.error('key set unavailable', { status: response.status });
  } catch (error) {
    log.error('key set unavailable', { error: errorName(error) });
  }
  return undefined;
}

/** The gateway lets ID tokens through, so the token is verified again: issuer, use, signature and time. */
function tokenVerifier(): Verifier {
  if (verifier) return verifier;
  const { TOKEN_ISSUER, JWKS_URI } = environment('TOKEN_ISSUER', 'JWKS_URI');
  const fetcher = {
    fetch: async (uri: string) => {
      // Once more: what an environment asks first is also what waits for name, connection and processor.
      const keySet = (await fetchKeySet(uri)) ?? (await fetchKeySet(uri));
      // The token may well be good.
      if (!keySet)
        throw new DomainError(
          'temporary-reduced-capacity',
          'Tokens cannot be verified now. Please try again.',
        );
      return keySet;
    },
  };
  verifier = JwtVerifier.create(
    {
      issuer: TOKEN_ISSUER,
      jwksUri: JWKS_URI,
      audience: null,
      customJwtCheck: ({ payload }) => {
        if (payload.token_use !== 'access') throw new Error('not an access token');
      },
    },
    { jwksCache: new SimpleJwksCache({ fetcher }) },
  );
  return verifier;
}

/**
 * The caller that the route asks for; undefined where none is needed and none was given.
 * @throws DomainError `unauthorized` (no or a bad token, or one of a sign-in too long ago), `forbidden` (not in the group,
 *   or without the scope),
 *   `temporary-reduced-capacity` (the key set cannot be had)
 */
export async function authenticate(
  { audience, machineScope }: Pick<Route, 'audience' | 'machineScope'>,
  authorization: string | undefined,
): Promise<Caller | Machine | undefined> {
  if (audience === 'all' || audience === 'provider') return undefined;
  if (authorization === undefined && audience === 'guest') return undefined;
  const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
  if (!token) throw new DomainError('unauthorized', 'Send Authorization: Bearer with an access token.');
  const payload = await verified(token);
  const { TOKEN_CLIENT_ID } = environment('TOKEN_CLIENT_ID');
  if (payload.client_id === TOKEN_CLIENT_ID)
    return inAudience(personOf(payload), audience, Number(payload.auth_time));
  if (machineScope && isMachine(payload)) return withScope(machineOf(payload), machineScope);
  throw badToken();
}

async function verified(token: string): Promise<Record<string, unknown>> {
  try {
    return await tokenVerifier().verify(token);
  } catch (error) {
    throw isDomainError(error) ? error : badToken();
  }
}

function badToken(): DomainError {
  return new DomainError('unauthorized', 'The access token is not valid or has expired. Sign in again.');
}

/** Cognito names the user and the session in every access token of one; a system's has neither. */
function personOf(payload: Record<string, unknown>): Caller {
  const { sub, iat, username, origin_jti: session, 'cognito:groups': groups } = payload;
  if (typeof username !== 'string' || typeof session !== 'string') throw badToken();
  return {
    customerId: String(sub),
    groups: Array.isArray(groups) ? groups.map(String) : [],
    session: { id: session, issuedAt: Number(iat) },
  };
}

/** @param signedInAt seconds since the epoch, the same through all refreshing */
function inAudience(caller: Caller, audience: Audience, signedInAt: number): Caller {
  if (audience !== 'operators' && audience !== 'finance') return caller;
  if (!caller.groups.includes(audience)) {
    throw new DomainError('forbidden', `This needs an account of the group ${audience}.`);
  }
  const recent = systemNow() / 1_000 - signedInAt < staffSessionSeconds;
  if (!recent) {
    const hours = staffSessionSeconds / 3_600;
    throw new DomainError(
      'unauthorized',
      `Accounts of the group ${audience} sign in every ${hours} hours. Sign in again.`,
    );
  }
  return caller;
}

/** A client that signs people in must not pass as a system, whoever set it up, nor one that nobody named. */
function isMachine({ client_id: clientId, sub, username }: Record<string, unknown>): boolean {
  const { MACHINE_CLIENT_IDS = '' } = process.env;
  return (
    MACHINE_CLIENT_IDS.split(' ').includes(String(clientId)) && sub === clientId && username === undefined
  );
}

function machineOf({ client_id: clientId, scope }: Record<string, unknown>): Machine {
  const own = `${resourceServer}/`;
  const scopes = String(scope ?? '').split(' ');
  return {
    clientId: String(clientId),
    scopes: scopes.filter((name) => name.startsWith(own)).map((name) => name.slice(own.length)),
  };
}

function withScope(machine: Machine, scope: MachineScope): Machine {
  if (machine.scopes.includes(scope)) return machine;
  throw new DomainError('forbidden', `This needs the scope ${resourceServer}/${scope}.`);
}
