import { createHash, createHmac, getDiffieHellman, hkdfSync, randomBytes } from 'node:crypto';

/*
 * The app's side of signing in by secure remote password, as Cognito has it (SRP-6a with the 3,072-bit group of RFC
 * 3526 and a key by HKDF): the password stays here.
 */

/** An operation of Cognito's, as its JSON protocol has it. @throws when it is refused */
export type Ask = (operation: string, input: object) => Promise<any>;

const N = BigInt(`0x${getDiffieHellman('modp15').getPrime('hex')}`);
const g = 2n;

/** @returns tokens, or the next challenge */
export async function signInBySrp(
  ask: Ask,
  {
    clientId,
    userPoolId,
    ...account
  }: {
    readonly clientId: string;
    readonly userPoolId: string;
    readonly username: string;
    readonly password: string;
  },
): Promise<any> {
  const a = numberOf(randomBytes(32));
  const A = power(g, a);
  const begun = await ask('InitiateAuth', {
    ClientId: clientId,
    AuthFlow: 'USER_SRP_AUTH',
    AuthParameters: { USERNAME: account.username, SRP_A: A.toString(16) },
  });
  const { USER_ID_FOR_SRP: user, SRP_B, SALT, SECRET_BLOCK: block } = begun.ChallengeParameters;
  const B = BigInt(`0x${SRP_B}`);
  const pool = userPoolId.split('_')[1];
  const u = numberOf(hash(padded(A), padded(B)));
  const x = numberOf(hash(padded(BigInt(`0x${SALT}`)), hash(`${pool}${user}:${account.password}`)));
  const k = numberOf(hash(padded(N), padded(g)));
  const secret = power((((B - k * power(g, x)) % N) + N) % N, a + u * x);
  const key = Buffer.from(hkdfSync('sha256', padded(secret), padded(u), 'Caldera Derived Key', 16));
  const timestamp = timestampOf(new Date());
  const signature = createHmac('sha256', key)
    .update(`${pool}${user}`)
    .update(Buffer.from(block, 'base64'))
    .update(timestamp)
    .digest('base64');
  return ask('RespondToAuthChallenge', {
    ClientId: clientId,
    ChallengeName: 'PASSWORD_VERIFIER',
    ChallengeResponses: {
      USERNAME: user,
      PASSWORD_CLAIM_SECRET_BLOCK: block,
      PASSWORD_CLAIM_SIGNATURE: signature,
      TIMESTAMP: timestamp,
    },
  });
}

/** `Thu Nov 26 08:05:09 UTC 2026`, the day without a zero before it. */
function timestampOf(time: Date): string {
  const [weekday, day, month, year, clock] = time.toUTCString().replace(',', '').split(' ');
  return `${weekday} ${month} ${Number(day)} ${clock} UTC ${year}`;
}

function hash(...parts: readonly (Buffer | string)[]): Buffer {
  return parts.reduce((sum, part) => sum.update(part), createHash('sha256')).digest();
}

/** Big-endian, with a zero before a first bit that is set: as numbers with a sign are written. */
function padded(number: bigint): Buffer {
  const hex = number.toString(16);
  const even = hex.length % 2 ? `0${hex}` : hex;
  return Buffer.from(/^[89a-f]/.test(even) ? `00${even}` : even, 'hex');
}

function numberOf(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`);
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n, square = (square * square) % N) {
    if (rest & 1n) result = (result * square) % N;
  }
  return result;
}
