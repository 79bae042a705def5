import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/*
 * Time-based one-time passwords: RFC 6238 with SHA-1, 30 seconds and six digits, which is what every authenticator
 * app and Cognito understand; secrets in base32 (RFC 4648), as the apps take them.
 */

const stepSeconds = 30;
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** 160 bits, as RFC 4226 recommends. */
export function newTotpSecret(): string {
  return Array.from(randomBytes(32), (byte) => alphabet[byte % 32]).join('');
}

/** The code that an app with this secret shows at `now` (milliseconds since the epoch). */
export function totp(secret: string, now: number): string {
  return codeAt(secret, stepOf(now));
}

/**
 * The time step that the code is of; undefined when it is of none. One step to either side is taken, for clocks that
 * are not quite right (RFC 6238 §5.2).
 */
export function totpStep(secret: string, code: string, now: number): number | undefined {
  const step = stepOf(now);
  return [step, step - 1, step + 1].find((one) => same(codeAt(secret, one), code));
}

function stepOf(now: number): number {
  return Math.floor(now / 1000 / stepSeconds);
}

/** RFC 4226 §5.3: dynamic truncation. */
function codeAt(secret: string, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac('sha1', bytesOf(secret)).update(counter).digest();
  const offset = digest[digest.length - 1]! & 0xf;
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

function bytesOf(base32: string): Buffer {
  const bits = Array.from(base32.replace(/=+$/, '').toUpperCase(), (letter) =>
    alphabet.indexOf(letter).toString(2).padStart(5, '0'),
  ).join('');
  return Buffer.from(bits.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? []);
}

function same(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
