import { createHash, randomBytes } from 'node:crypto';

/** Every id prefix of the public API. */
export type IdPrefix = 'prd' | 'sku' | 'crt' | 'ord' | 'pay' | 'rfd' | 'drp' | 'tkt' | 'evt';

/** Crockford's base 32: no I, L, O, U. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

function base32(bytes: Uint8Array, length: number): string {
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  let text = '';
  for (let index = 0; index < length; index++) {
    text = alphabet[Number(bits & 31n)]! + text;
    bits >>= 5n;
  }
  return text;
}

/** A fresh id with 130 random bits. */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${base32(randomBytes(17), 26)}`;
}

/** The same id for the same parts, always: 130 bits of their SHA-256. The parts cannot run into each other. */
export function derivedId(prefix: IdPrefix, ...parts: readonly string[]): string {
  return `${prefix}_${base32(sha256(JSON.stringify(parts)), 26)}`;
}

/** SHA-256 of UTF-8 text, as bytes. */
function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** SHA-256 of UTF-8 text or of bytes, in lower-case hexadecimal. */
export function digest(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** A number from 0 to `buckets - 1` that `text` always falls into; evenly spread. */
export function bucketOf(text: string, buckets: number): number {
  return sha256(text).readUInt32BE(0) % buckets;
}

/** JSON with sorted keys: equal values give equal text (after RFC 8785, for the JSON that we accept). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}
