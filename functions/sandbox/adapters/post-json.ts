import { outbound } from '../../kernel/outbound.ts';

/** Milliseconds that a merchant may take. */
const answerWithin = 5_000;

/** Sends POSTs with a JSON body to `url`; answers the status. @throws Error when there is no answer */
export function postJson(url: string) {
  return async (headers: Readonly<Record<string, string>>, body: string): Promise<number> => {
    const response = await outbound(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(answerWithin),
    });
    await response.body?.cancel();
    return response.status;
  };
}
