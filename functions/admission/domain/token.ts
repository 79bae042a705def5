import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import * as z from 'zod/mini';

/** What an admission token says: this shopper may order once in this drop, until then. */
const claims = z.object({
  drop: z.string(),
  sub: z.string(),
  position: z.int().check(z.minimum(1)),
  ticket: z.string(),
  /** Seconds since the epoch. */
  exp: z.int(),
});
export type AdmissionClaims = z.infer<typeof claims>;

/** ES256 (RFC 7518 §3.4): ECDSA over P-256 with SHA-256, the signature as r and s. */
const header = Buffer.from('{"alg":"ES256","typ":"JWT"}').toString('base64url');

/** @param pkcs8 the drop's private key in DER */
export function signingKey(pkcs8: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
}

/** @param spki the drop's public key in DER, base64 */
function verifyingKey(spki: string): KeyObject {
  return createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' });
}

/** A compact JWS (RFC 7515). */
export function signToken(content: AdmissionClaims, key: KeyObject): string {
  const signed = `${header}.${Buffer.from(JSON.stringify(content)).toString('base64url')}`;
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

/** What a token says, without any check: to learn whose key to check it with. */
export function claimsOf(token: string): AdmissionClaims | undefined {
  const [, body = ''] = token.split('.');
  try {
    const result = z.safeParse(claims, JSON.parse(Buffer.from(body, 'base64url').toString()));
    return result.success ? result.data : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the token was signed with the private key that belongs to `spki`. No other algorithm is accepted. */
export function isSigned(token: string, spki: string): boolean {
  const [head, body, signature, ...more] = token.split('.');
  if (head !== header || !body || !signature || more.length > 0) return false;
  const key = verifyingKey(spki);
  const bytes = Buffer.from(signature, 'base64url');
  return verify('sha256', Buffer.from(`${head}.${body}`), { key, dsaEncoding: 'ieee-p1363' }, bytes);
}
