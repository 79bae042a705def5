import { randomBytes, randomInt, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { type Identity, verifierOf } from './cognito-srp.ts';
import { AwsError } from './types.ts';

/** `Policies.PasswordPolicy` of an AWS::Cognito::UserPool. */
export interface PasswordPolicy {
  readonly MinimumLength?: number;
  readonly RequireLowercase?: boolean;
  readonly RequireUppercase?: boolean;
  readonly RequireNumbers?: boolean;
  readonly RequireSymbols?: boolean;
}

const derive = promisify<string, Buffer, number, { N: number }, Buffer>(scrypt);
// Far below what a public service needs: the accounts here are made up, and tests sign in hundreds of them.
const cost = { N: 4096 };

/** @throws AwsError `InvalidPasswordException` naming the rule that the password breaks */
export function checkPassword(password: string, policy: PasswordPolicy = {}): void {
  const minimum = Number(policy.MinimumLength ?? 8);
  const rules: [boolean, string][] = [
    [password.length >= minimum, 'Password not long enough'],
    [!policy.RequireUppercase || /\p{Lu}/u.test(password), 'Password must have uppercase characters'],
    [!policy.RequireLowercase || /\p{Ll}/u.test(password), 'Password must have lowercase characters'],
    [!policy.RequireNumbers || /\d/.test(password), 'Password must have numeric characters'],
    [
      !policy.RequireSymbols || /[\^$*.[\]{}()?"!@#%&/\\,><':;|_~`=+\- ]/.test(password),
      'Password must have symbol characters',
    ],
  ];
  const broken = rules.find(([kept]) => !kept);
  if (broken) {
    throw new AwsError('InvalidPasswordException', `Password did not conform with policy: ${broken[1]}`);
  }
}

/**
 * Whether anybody would think of it: one short text over and over, or a walk along the alphabet or the keyboard. It
 * stands for the passwords from breaches that AWS knows, of which there is no list here.
 */
export function isObvious(password: string): boolean {
  const text = password.toLowerCase();
  const repeats = (length: number) =>
    text.length >= 2 * length && [...text].every((one, at) => at < length || one === text[at - length]);
  const walks = ['abcdefghijklmnopqrstuvwxyz', '12345678901234567890', 'qwertyuiopasdfghjklzxcvbnm'];
  return [1, 2, 3, 4, 5, 6, 7, 8].some(repeats) || walks.some((walk) => `${walk}${walk}`.includes(text));
}

/** Salt and scrypt hash in base64, then salt and verifier for SRP in hexadecimal, divided by colons. */
export async function hashPassword(password: string, identity: Identity): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(password, salt, 32, cost);
  const srp = verifierOf(password, identity);
  return [salt.toString('base64'), hash.toString('base64'), srp.salt, srp.verifier].join(':');
}

/** Of a password as `hashPassword` writes it; undefined for one from before. */
export function verifierIn(stored: string | null): { salt: string; verifier: string } | undefined {
  const [, , salt, verifier] = (stored ?? '').split(':');
  return salt && verifier ? { salt, verifier } : undefined;
}

export async function passwordMatches(password: string, stored: string | null): Promise<boolean> {
  // An account without a password takes as long to refuse as one with a password.
  const [salt = '', hash = ''] = (stored ?? `${'A'.repeat(24)}:${'A'.repeat(44)}`).split(':');
  const actual = await derive(password, Buffer.from(salt, 'base64'), 32, cost);
  return timingSafeEqual(actual, Buffer.from(hash, 'base64').subarray(0, 32)) && stored !== null;
}

/** A password that satisfies every policy Cognito can express. */
export function temporaryPassword(): string {
  return `Aa1!${randomBytes(12).toString('base64url')}`;
}

/** Six digits, as Cognito sends them. */
export function confirmationCode(): string {
  return String(randomInt(1_000_000)).padStart(6, '0');
}
