import { createHmac, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { claimsOf, isSigned, signingKey, signToken } from '../../../functions/admission/domain/token.ts';
import { verifyAdmission } from '../../../functions/admission/published.ts';

function keys() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    key: signingKey(privateKey.export({ format: 'der', type: 'pkcs8' })),
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
  };
}

const { key, publicKey } = keys();
const claims = { drop: 'drp_A', sub: 'customer-1', position: 7, ticket: 'tkt_A', exp: 1_000 };
const drop = { dropId: 'drp_A', publicKey };
const refusal = (token: string, customer = 'customer-1', now = 999_999) => {
  try {
    verifyAdmission(token, drop, customer, now);
    return 'taken';
  } catch (error) {
    return (error as { code?: string }).code;
  }
};
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('an admission token', () => {
  it('admits the shopper it was given to, until it runs out', () => {
    const token = signToken(claims, key);
    expect(verifyAdmission(token, drop, 'customer-1', 999_999)).toEqual(claims);
    expect(refusal(token, 'customer-1', 1_000_000)).toBe('admission-invalid');
    expect(refusal(token, 'customer-2')).toBe('admission-invalid');
  });

  it('is refused when it is forged, changed, or of another drop', () => {
    const token = signToken(claims, key);
    const [head, body, signature] = token.split('.') as [string, string, string];
    expect(refusal(signToken(claims, keys().key))).toBe('admission-invalid');
    expect(refusal(signToken({ ...claims, drop: 'drp_B' }, key))).toBe('admission-invalid');
    expect(refusal([head, encode({ ...claims, position: 1 }), signature].join('.'))).toBe(
      'admission-invalid',
    );
    expect(refusal(`${token}.more`)).toBe('admission-invalid');
    expect(refusal([head, body, ''].join('.'))).toBe('admission-invalid');
    for (const nonsense of ['', '.', 'a.b.c', 'null', encode(claims)]) {
      expect(refusal(nonsense)).toBe('admission-invalid');
      expect(isSigned(nonsense, publicKey)).toBe(false);
    }
  });

  it('is refused under any other algorithm', () => {
    for (const alg of ['none', 'HS256', 'ES256 ']) {
      const signed = `${encode({ alg, typ: 'JWT' })}.${encode(claims)}`;
      const mac = createHmac('sha256', Buffer.from(publicKey, 'base64')).update(signed).digest('base64url');
      expect(refusal(`${signed}.${mac}`)).toBe('admission-invalid');
      expect(refusal(`${signed}.`)).toBe('admission-invalid');
    }
  });

  it('has positions from 1 and whole seconds', () => {
    expect(claimsOf(signToken({ ...claims, position: 0 }, key))).toBeUndefined();
    expect(claimsOf(signToken({ ...claims, exp: 1.5 }, key))).toBeUndefined();
  });
});
