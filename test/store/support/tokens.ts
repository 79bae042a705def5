import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import type { Store } from '../../../bench/store.ts';
import { staffSessionSeconds } from '../../../functions/kernel/contract.ts';
import { signJwt } from '../../../local/jwt.ts';

/** Tokens of one shopper that must open nothing. All would, were they believed. */
export interface BadTokens {
  /** Refused by the gateway's authorizer too. */
  readonly atTheGateway: Readonly<Record<string, string>>;
  /** Genuine, but no access token: the gateway lets it through. */
  readonly idToken: string;
  /** Genuine, of a sign-in so long ago that operators and finance have to sign in again. */
  readonly oldSignIn: string;
  /** Genuine in all, but of what has ended. */
  readonly inOurCode: Readonly<Record<string, string>>;
}

/** Tokens of a system, as the client credentials grant gives them, and what must not pass for one. */
export interface MachineTokens {
  readonly withScope: string;
  readonly withoutScope: string;
  /** Refused by the gateway's authorizer, also where a system may call. */
  readonly atTheGateway: Readonly<Record<string, string>>;
  /** Of the right client and signed, yet not what a system's access token is. */
  readonly inOurCode: Readonly<Record<string, string>>;
}

/** From the authorisation server itself, and changed. */
export async function machineTokens(store: Store): Promise<MachineTokens> {
  const { body } = await store.request('GET', '/_local');
  const { clientId, clientSecret, scopes } = body.machines[0];
  const response = await fetch(body.signIn.token, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: scopes.join(' ') }),
  });
  if (!response.ok) throw new Error(`no token: ${response.status} ${await response.text()}`);
  const { access_token: withScope } = (await response.json()) as { access_token: string };
  const [head, payload, signature] = withScope.split('.') as [string, string, string];
  const claims = claimsIn(payload);
  const { kid, pem } = keyOf(store);
  const genuine = (changes: object) => signJwt({ ...claims, ...changes }, kid, createPrivateKey(pem));
  const otherKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const hourAgo = Math.floor(store.cloud.runtime.clock.now() / 1000) - 3_600;
  return {
    withScope,
    withoutScope: genuine({ scope: 'floodgate/another' }),
    atTheGateway: {
      'system, forged signature': signJwt(claims, kid, otherKey),
      'system, no signature': `${encoded({ alg: 'none', kid })}.${payload}.`,
      'system, public key as a secret': withSecret(kid, payload, pem),
      'system, other claims': [head, encoded({ ...claims, scope: 'floodgate/all' }), signature].join('.'),
      'system, expired': genuine({ iat: hourAgo - 60, auth_time: hourAgo - 60, exp: hourAgo }),
      'system, another issuer': genuine({ iss: `${claims.iss}x` }),
      'system, another client': genuine({ client_id: 'another', sub: 'another' }),
    },
    inOurCode: {
      'system, wrong use': genuine({ token_use: 'id' }),
      'system with a user': genuine({ username: randomUUID() }),
      'system as somebody else': genuine({ sub: randomUUID() }),
    },
  };
}

function keyOf(store: Store): { readonly kid: string; readonly pem: string } {
  return store.cloud.runtime.db.prepare('SELECT kid, pem FROM cognito_keys').get() as {
    kid: string;
    pem: string;
  };
}

export function claimsIn(payload: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(payload, 'base64url').toString());
}

/** @param group that the tokens claim membership of */
export async function badTokens(store: Store, group: string): Promise<BadTokens> {
  const { accessToken, idToken } = await member(store, group);
  const [head, payload, signature] = accessToken.split('.') as [string, string, string];
  const claims = claimsIn(payload);
  const { kid, pem } = keyOf(store);
  const genuineKey = createPrivateKey(pem);
  const otherKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const hourAgo = Math.floor(store.cloud.runtime.clock.now() / 1000) - 3_600;
  const genuine = (changes: object) => signJwt({ ...claims, ...changes }, kid, genuineKey);
  return {
    atTheGateway: {
      'forged signature': signJwt(claims, kid, otherKey),
      'unknown key': signJwt(claims, randomUUID(), otherKey),
      'no signature': `${encoded({ alg: 'none', kid })}.${payload}.`,
      'public key as a secret': withSecret(kid, payload, pem),
      'other claims': [head, encoded({ ...claims, sub: randomUUID() }), signature].join('.'),
      expired: genuine({ iat: hourAgo - 60, auth_time: hourAgo - 60, exp: hourAgo }),
      'another issuer': genuine({ iss: `${claims.iss}x` }),
      'another client': genuine({ client_id: 'another' }),
      'no token at all': 'guest',
    },
    idToken,
    oldSignIn: genuine({ auth_time: Number(claims.auth_time) - staffSessionSeconds }),
    inOurCode: {
      'ended session': await ended(store, await member(store, group), false),
      'ended with all sessions': await ended(store, await member(store, group), true),
    },
  };
}

async function member(
  store: Store,
  group: string,
): Promise<{ accessToken: string; idToken: string; refreshToken: string }> {
  const { status, body } = await store.request('POST', '/_local/users', {
    json: { email: `${randomUUID()}@example.com`, password: `Aa1-${randomUUID()}`, groups: [group] },
  });
  if (status !== 201) throw new Error(`no account: ${status}`);
  return body;
}

/** The access token, signed out. Functions know of it once they look again: the clock has to move. */
async function ended(
  store: Store,
  { accessToken, refreshToken }: { accessToken: string; refreshToken: string },
  everywhere: boolean,
): Promise<string> {
  const { status, text } = await store.request('POST', '/v1/account/sign-out', {
    token: accessToken,
    json: everywhere ? { everywhere } : { refreshToken },
  });
  if (status !== 204) throw new Error(`not signed out: ${status} ${text}`);
  return accessToken;
}

/** HS256 under the published key: taken by verifiers that believe the header's `alg`. */
function withSecret(kid: string, payload: string, pem: string): string {
  const secret = createPublicKey(pem).export({ type: 'spki', format: 'pem' });
  const signed = `${encoded({ alg: 'HS256', kid })}.${payload}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
