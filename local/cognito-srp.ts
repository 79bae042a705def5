import { createHash, createHmac, getDiffieHellman, randomBytes, timingSafeEqual } from 'node:crypto';

/*
 * Secure remote password (SRP-6a, RFC 2945 and 5054) as Cognito has it: the group of 3,072 bits of RFC 3526, SHA-256,
 * and a key derived with HKDF under a name of its own. The password never leaves the app, and the pool keeps a
 * verifier from which it cannot be had without guessing.
 */

const N = BigInt(`0x${getDiffieHellman('modp15').getPrime('hex')}`);
const g = 2n;
const k = hashOf(padded(N), padded(g));

/** What the pool keeps in place of a password. Hexadecimal. */
interface Verifier {
  readonly salt: string;
  readonly verifier: string;
}

/** Whose password it is: both go into the verifier. */
export interface Identity {
  /** As in `<region>_<pool name>`. */
  readonly poolId: string;
  readonly username: string;
}

export function verifierOf(password: string, identity: Identity): Verifier {
  const salt = BigInt(`0x${randomBytes(16).toString('hex')}`);
  const inner = createHash('sha256')
    .update(`${poolName(identity)}${identity.username}:${password}`)
    .digest();
  const x = hashOf(padded(salt), inner);
  return { salt: salt.toString(16), verifier: powerOfG(x).toString(16) };
}

/** The pool's side of one sign-in. */
export interface Exchange {
  /** For the app: its half of the secret, and the salt. */
  readonly B: string;
  readonly salt: string;
  readonly secretBlock: string;
  /** Whether the app has shown, with this signature, that it knows the password. */
  proves(signature: string, timestamp: string): boolean;
}

/** @param clientA the app's public half, hexadecimal. Undefined when it is none (RFC 5054 §2.5.4: A mod N is 0) */
export function exchange(
  { salt, verifier }: Verifier,
  clientA: string,
  identity: Identity,
): Exchange | undefined {
  if (!/^[0-9a-f]{1,1024}$/i.test(clientA)) return undefined;
  const A = BigInt(`0x${clientA}`);
  if (A % N === 0n) return undefined;
  const v = BigInt(`0x${verifier}`);
  const b = BigInt(`0x${randomBytes(64).toString('hex')}`);
  const B = (k * v + power(g, b)) % N;
  const u = hashOf(padded(A), padded(B));
  const secret = power((A * power(v, u)) % N, b);
  const key = sessionKey(secret, u);
  const secretBlock = randomBytes(64);
  return {
    B: B.toString(16),
    salt,
    secretBlock: secretBlock.toString('base64'),
    proves: (signature, timestamp) => {
      const wanted = createHmac('sha256', key)
        .update(poolName(identity) + identity.username)
        .update(secretBlock)
        .update(timestamp)
        .digest();
      const given = Buffer.from(signature, 'base64');
      return given.length === wanted.length && timingSafeEqual(given, wanted);
    },
  };
}

function poolName({ poolId }: Identity): string {
  return poolId.slice(poolId.indexOf('_') + 1);
}

/** HKDF (RFC 5869) with one block, of which 16 bytes are the key. */
function sessionKey(secret: bigint, u: bigint): Buffer {
  const extracted = createHmac('sha256', padded(u)).update(padded(secret)).digest();
  return createHmac('sha256', extracted).update('Caldera Derived Key\u0001').digest().subarray(0, 16);
}

/** As Java writes a positive BigInteger: a zero byte before one whose first bit is set. */
function padded(number: bigint): Buffer {
  const hex = number.toString(16);
  const even = hex.length % 2 === 1 ? `0${hex}` : hex;
  return Buffer.from(/^[89a-f]/.test(even) ? `00${even}` : even, 'hex');
}

function hashOf(...parts: readonly Buffer[]): bigint {
  return BigInt(`0x${createHash('sha256').update(Buffer.concat(parts)).digest('hex')}`);
}

/** For each hexadecimal digit of an exponent of 256 bits, what g comes to for each value of the digit. */
let powersOfG: readonly (readonly bigint[])[] | undefined;

/** g to a hash: every account has its verifier made, and squaring anew each time was what signing up cost most. */
function powerOfG(exponent: bigint): bigint {
  powersOfG ??= Array.from({ length: 64 }, (_, digit) => {
    const base = power(g, 1n << BigInt(4 * digit));
    return Array.from({ length: 16 }).reduce<bigint[]>((all) => [...all, (all.at(-1)! * base) % N], [1n]);
  });
  const digits = [...exponent.toString(16)].reverse();
  return digits.reduce(
    (product, digit, at) => (product * powersOfG![at]![Number.parseInt(digit, 16)]!) % N,
    1n,
  );
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let factor = base % N;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * factor) % N;
    factor = (factor * factor) % N;
  }
  return result;
}
