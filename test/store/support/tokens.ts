import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import type { Store } from '../../../bench/store.ts';
import { signJwt } from '../../../local/jwt.ts';

/** Tokens of one shopper that must open nothing. All would, were they believed. */
export interface BadTokens {
  /** Refused by the gateway's authorizer too. */
  readonly atTheGateway: Readonly<Record<string, string>>;
  /** Genuine, but no access token: the gateway lets it through. */
  readonly idToken: string;
}

/** @param group that the tokens claim membership of */
export async function badTokens(store: Store, group: string): Promise<BadTokens> {
  const { status, body } = await store.request('POST', '/_local/users', {
    json: { email: `${randomUUID()}@example.com`, password: `Aa1-${randomUUID()}`, groups: [group] },
  });
  if (status !== 201) throw new Error(`no account: ${status}`);
  const { accessToken, idToken } = body as { accessToken: string; idToken: string };
  const [head, payload, signature] = accessToken.split('.') as [string, string, string];
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());

  const { kid, pem } = store.cloud.runtime.db.prepare('SELECT kid, pem FROM cognito_keys').get() as {
    kid: string;
    pem: string;
  };
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
  };
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
