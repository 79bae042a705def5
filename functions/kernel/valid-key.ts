import { createHash, timingSafeEqual } from 'node:crypto';

/** The texts of a rotated secret, newest first, known for at most so many milliseconds. */
export type ValidTexts = (maxAge?: number) => Promise<readonly string[]>;

/** Milliseconds; strangers must not be able to have the secret read with each request. */
const readAgainAfter = 10_000;

/** Whether `given` is one of the valid keys. One that is not known may be newer than what was read. */
export async function isValidKey(valid: ValidTexts, given: string): Promise<boolean> {
  return isOneOf(await valid(), given) || isOneOf(await valid(readAgainAfter), given);
}

/**
 * Sends with the newest key. Where it is refused (401: nothing was done), the other side does not know it yet, or
 * has forgotten it since it was read here: then each other key that is valid now is tried once.
 */
export async function withValidKey(
  valid: ValidTexts,
  send: (key: string) => Promise<Response>,
): Promise<Response> {
  const [newest = ''] = await valid();
  let response = await send(newest);
  if (response.status !== 401) return response;
  for (const key of (await valid(readAgainAfter)).filter((one) => one !== newest)) {
    await response.body?.cancel();
    response = await send(key);
    if (response.status !== 401) break;
  }
  return response;
}

/** Compares with each, so that the time tells nothing; digests have one length, as the comparison needs. */
function isOneOf(keys: readonly string[], given: string): boolean {
  const wanted = digestOf(given);
  return keys.filter((key) => timingSafeEqual(digestOf(key), wanted)).length > 0;
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
