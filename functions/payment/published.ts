/** What other contexts may use of the payment providers: the verification of their webhooks. */
import { sandboxWebhooks } from './adapters/sandbox-webhooks.ts';
import type { VerifyWebhook } from './domain/provider.ts';

export type { VerifyWebhook } from './domain/provider.ts';

/**
 * By the provider's name in the webhook's address.
 * @param secrets of each: those that are valid, known for at most so many milliseconds
 */
export function webhookVerifiers(secrets: {
  readonly sandbox: (maxAge?: number) => Promise<readonly string[]>;
}): Readonly<Record<'sandbox', VerifyWebhook>> {
  return { sandbox: sandboxWebhooks(secrets.sandbox) };
}
