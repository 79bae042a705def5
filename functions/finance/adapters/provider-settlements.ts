import { outbound } from '../../kernel/outbound.ts';
import { type ValidTexts, withValidKey } from '../../kernel/valid-key.ts';

/** Milliseconds: a day's file can be long. */
const timeout = 60_000;

/**
 * The sandbox provider's settlement files.
 * @param baseUrl of its API; a slash at the end does not matter
 * @param apiKeys those that are valid, newest first
 * @throws Error when the provider does not answer, or with another status than 200 and 404
 */
export function providerSettlements(baseUrl: string, apiKeys: ValidTexts) {
  return async (date: string): Promise<Uint8Array | undefined> => {
    const response = await withValidKey(apiKeys, (key) =>
      outbound(`${baseUrl.replace(/\/$/, '')}/settlements/${date}`, {
        headers: { authorization: `Bearer ${key}` },
        redirect: 'error',
        signal: AbortSignal.timeout(timeout),
      }),
    );
    if (response.status === 404) return undefined;
    if (!response.ok) throw new Error(`the provider answered ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  };
}
