import { systemNow } from './clock.ts';
import { DomainError, errorName } from './errors.ts';
import { log } from './log.ts';
import { rotatedSecret } from './secret.ts';
import { isValidKey, type ValidTexts } from './valid-key.ts';

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
  if (await isKnown(secret.valid, headers[originKeyHeader] ?? '')) return;
  throw new DomainError('forbidden', 'Use the public address of this API.');
}

async function isKnown(valid: ValidTexts, given: string): Promise<boolean> {
  try {
    return await isValidKey(valid, given);
  } catch (error) {
    log.error('origin key unavailable', { error: errorName(error) });
    throw new DomainError('temporary-reduced-capacity', 'Please try again in a moment.');
  }
}
