import { createSign, createVerify, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';

const signBeside = promisify(sign);

export type Claims = Readonly<Record<string, unknown>>;

/** A signed RS256 token. `kid` names the key in the issuer's JWKS. */
export function signJwt(claims: Claims, kid: string, privateKey: KeyObject): string {
  const signed = `${encode({ kid, alg: 'RS256' })}.${encode(claims)}`;
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url')}`;
}

/** The same, signed by a thread of the pool: many at a time leave this one free. */
export async function signJwtBeside(claims: Claims, kid: string, privateKey: KeyObject): Promise<string> {
  const signed = `${encode({ kid, alg: 'RS256' })}.${encode(claims)}`;
  const signature = await signBeside('RSA-SHA256', Buffer.from(signed), privateKey);
  return `${signed}.${signature.toString('base64url')}`;
}

/**
 * The claims of a token whose RS256 signature is by the key that `keyOf` knows under the token's `kid`; undefined
 * for everything else. Issuer, audience and times are for the caller to check.
 */
export function verifyJwt(token: string, keyOf: (kid: string) => KeyObject | undefined): Claims | undefined {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  const [head, body, signature] = parts as [string, string, string];
  const header = decode(head);
  if (header?.alg !== 'RS256' || typeof header.kid !== 'string') return undefined;
  const key = keyOf(header.kid);
  if (!key) return undefined;
  const genuine = createVerify('RSA-SHA256').update(`${head}.${body}`).verify(key, signature, 'base64url');
  return genuine ? decode(body) : undefined;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null ? (value as Claims) : undefined;
  } catch {
    return undefined;
  }
}
