import { systemNow } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { eventConsumer } from '../../kernel/events.ts';
import { rotatedSecret } from '../../kernel/secret.ts';
import { postJson } from '../adapters/post-json.ts';
import { deliverWebhook } from '../app/deliver-webhook.ts';
import { webhookDue } from '../contract.ts';

const { API_URL, WEBHOOK_SECRET_ARN } = environment('API_URL', 'WEBHOOK_SECRET_ARN');
const { newest } = rotatedSecret(WEBHOOK_SECRET_ARN, systemNow);
const post = postJson(`${API_URL.replace(/\/$/, '')}/v1/webhooks/payments/sandbox`);
const deliver = deliverWebhook({ post, secret: newest, now: systemNow });

export const handler = eventConsumer([webhookDue], ({ body }) => deliver(body));
