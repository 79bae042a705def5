import { expect, it } from 'vitest';
import { newTotpSecret, totp, totpStep } from '../../local/totp.ts';

/** RFC 6238, appendix B, for SHA-1: its secret in base32, and the last six of its eight digits. */
const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

it.each([
  [59, '287082'],
  [1_111_111_109, '081804'],
  [1_111_111_111, '050471'],
  [1_234_567_890, '005924'],
  [2_000_000_000, '279037'],
  [20_000_000_000, '353130'],
])('at %d seconds the code is the one of RFC 6238', (seconds, code) => {
  expect(totp(secret, seconds * 1_000)).toBe(code);
});

it('a code is good in its own step and in those beside it', () => {
  const now = 1_111_111_111_000;
  const step = totpStep(secret, totp(secret, now), now)!;
  expect(totpStep(secret, totp(secret, now - 30_000), now)).toBe(step - 1);
  expect(totpStep(secret, totp(secret, now + 30_000), now)).toBe(step + 1);
  expect(totpStep(secret, totp(secret, now + 60_000), now)).toBeUndefined();
  expect(totpStep(secret, '', now)).toBeUndefined();
});

it('a secret has 160 bits of its own', () => {
  const secrets = new Set(Array.from({ length: 50 }, newTotpSecret));
  expect(secrets.size).toBe(50);
  for (const one of secrets) expect(one).toMatch(/^[A-Z2-7]{32}$/);
});
