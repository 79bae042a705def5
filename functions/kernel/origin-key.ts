import { createHash, timingSafeEqual } from 'node:crypto';
import { systemNow } from './clock.ts';
import { DomainError } from './errors.ts';
import { log } from './log.ts';
import { rotatedSecret } from './secret.ts';

/** What CloudFront sends with every request, and nobody else knows. */
const originKeyHeader = 'x-origin-key';

let secret: ReturnType<typeof rotatedSecret> | undefined;

/**
 * Lets in what came through CloudFront and its WAF, in a stage that has them (`ORIGIN_KEY_SECRET_ARN`). The key before
 * the newest is good too: the distribution learns a new one minutes after it was put.
 * @throws DomainError `forbidden`, `temporary-reduced-capacity` (the key cannot be had)
 */
export async function requireOriginKey(headers: Readonly<Record<string, string | undefined>>): Promise<void> {
  const { ORIGIN_KEY_SECRET_ARN } = process.env;
  if (!ORIGIN_KEY_SECRET_ARN) return;
  secret ??= rotatedSecret(ORIGIN_KEY_SECRET_ARN, systemNow);
  const given = digestOf(headers[originKeyHeader] ?? '');
  // A key that is not known may be newer than what was read.
  if (isOneOf(await keysOf(secret), given) || isOneOf(await keysOf(secret, readAgainAfter), given)) return;
  throw new DomainError('forbidden', 'Use the public address of this API.');
}

/** Milliseconds; strangers must not be able to have the secret read with each request. */
const readAgainAfter = 10_000;

async function keysOf(
  { valid }: ReturnType<typeof rotatedSecret>,
  maxAge?: number,
): Promise<readonly string[]> {
  try {
    return await valid(maxAge);
  } catch (error) {
    log.error('origin key unavailable', { error: error instanceof Error ? error.name : 'unknown' });
    throw new DomainError('temporary-reduced-capacity', 'Please try again in a moment.');
  }
}

/** Compares with each, so that the time tells nothing. */
function isOneOf(keys: readonly string[], given: Buffer): boolean {
  return keys.filter((key) => timingSafeEqual(digestOf(key), given)).length > 0;
}

/** Of one length, as a comparison in constant time asks for. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
