import { systemNow } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { rotatedSecret } from '../../kernel/secret.ts';
import { webhookVerifiers } from '../../payment/published.ts';
import { changePorts } from '../adapters/change-ports.ts';
import { receiveWebhook } from '../app/receive-webhook.ts';
import { receivePaymentWebhook as route } from '../contract.ts';

const { ORDER_TABLE: order, WEBHOOK_SECRET_ARN } = environment('ORDER_TABLE', 'WEBHOOK_SECRET_ARN');
const verifiers = webhookVerifiers({ sandbox: rotatedSecret(WEBHOOK_SECRET_ARN, systemNow).valid });
const receive = receiveWebhook({ ...changePorts({ order }), verifiers });

export const handler = httpHandler(route, async ({ params, body, headers }) => {
  await receive(params.provider, { body, headers });
  return { status: 200, body: { received: true } };
});
