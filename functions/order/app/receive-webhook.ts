import { DomainError } from '../../kernel/errors.ts';
import type { VerifyWebhook } from '../../payment/published.ts';
import { decideHint } from '../domain/hint.ts';
import { type ChangePorts, changeOrder } from './change-order.ts';

interface Ports extends ChangePorts {
  /** By provider. */
  readonly verifiers: Readonly<Record<string, VerifyWebhook>>;
}

/** Bytes; what a provider says in a webhook is short. */
const longest = 64 * 1024;

/**
 * Takes the provider's word that a payment has changed.
 * 1. The signature must fit the raw body; nothing is read before.
 * 2. If something of that order is outstanding, the order notes that it is time to ask, and a run of the saga asks.
 * 3. Everything else, however late, doubled or unknown, changes nothing and is answered the same.
 * @throws DomainError `signature-invalid`, `payload-too-large`, `temporary-reduced-capacity`
 */
export const receiveWebhook =
  (ports: Ports) =>
  async (
    provider: string,
    webhook: { readonly body: string; readonly headers: Readonly<Record<string, string | undefined>> },
  ): Promise<void> => {
    if (webhook.body.length > longest) throw new DomainError('payload-too-large', 'A webhook takes 64 KB.');
    const notification = await ports.verifiers[provider]?.(webhook, ports.now());
    if (!notification) {
      throw new DomainError('signature-invalid', 'The signature is missing, too old, or not of this body.');
    }
    const [, orderId] = /^(ord_[0-9A-Za-z-]{1,64})-\d{1,6}$/.exec(notification.reference) ?? [];
    if (orderId === undefined) return;
    await changeOrder(ports, orderId, (order) => decideHint(order, notification, ports.now()));
  };
