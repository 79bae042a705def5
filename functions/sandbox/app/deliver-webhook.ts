import { createHmac } from 'node:crypto';
import type { Now } from '../../kernel/clock.ts';
import { signatureHeader } from '../contract.ts';
import { webhooksOf } from '../domain/webhooks.ts';

interface Ports {
  /** Sends a POST with a JSON body. @returns the status of the answer */
  readonly post: (headers: Readonly<Record<string, string>>, body: string) => Promise<number>;
  /** The newest one, by which webhooks are signed. */
  readonly secret: () => Promise<string>;
  readonly now: Now;
}

/**
 * Tells the merchant of a change, one webhook after the other. The queue tries again, a bounded number of times, what
 * the merchant does not take; a provider gives up at some point, and whoever relies on webhooks alone is lost then.
 * @throws Error when one was not answered with a 2xx
 */
export const deliverWebhook =
  ({ post, secret, now }: Ports) =>
  async (due: { chargeId: string; reference: string; change: number }): Promise<void> => {
    for (const webhook of webhooksOf(due.chargeId, due.reference, due.change)) {
      const body = JSON.stringify(webhook);
      const time = Math.floor(now() / 1000);
      const signature = createHmac('sha256', await secret())
        .update(`${time}.${body}`)
        .digest('hex');
      const status = await post({ [signatureHeader]: `t=${time},v1=${signature}` }, body);
      if (status < 200 || status > 299) throw new Error(`the merchant answered ${status}`);
    }
  };
