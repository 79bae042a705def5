import { endpointFromEnvironment, refusalOf, sendSigned } from '../../kernel/aws-request.ts';
import { environment } from '../../kernel/env.ts';
import type { Ports } from '../app/send-mail.ts';

/** Milliseconds. */
const timeout = 10_000;

/**
 * Sends through Amazon SES (API v2, SendEmail). Asked once only: SES knows no idempotency key, so a second
 * request after a lost answer would be a second e-mail. Its rate, like the day's number, is refused as too many.
 * @param from the verified sender
 */
export function emailService(from: string): Ports['send'] {
  return async ({ to, subject, text, html, orderId, type, traceId }) => {
    const { AWS_REGION } = environment('AWS_REGION');
    const endpoint = endpointFromEnvironment('SESV2') ?? `https://email.${AWS_REGION}.amazonaws.com`;
    const content = (Data: string) => ({ Data, Charset: 'UTF-8' });
    const response = await sendSigned(
      {
        service: 'ses',
        method: 'POST',
        url: new URL('/v2/email/outbound-emails', endpoint),
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          FromEmailAddress: from,
          Destination: { ToAddresses: [to] },
          Content: {
            Simple: { Subject: content(subject), Body: { Text: content(text), Html: content(html) } },
          },
          // A tag takes letters, digits, - and _ only.
          EmailTags: [
            { Name: 'event', Value: type.replace(/\W/g, '_') },
            { Name: 'order', Value: orderId },
            ...(traceId ? [{ Name: 'trace', Value: traceId }] : []),
          ],
        }),
      },
      timeout,
    );
    if (response.ok) {
      const { MessageId } = (await response.json()) as { MessageId: string };
      return { accepted: true, messageId: MessageId };
    }
    const refusal = await refusalOf(response);
    // A 4xx was not accepted; a 5xx may have been.
    if (refusal.status < 500) {
      const tooMany = refusal.status === 429 || /Throttl|TooManyRequests/.test(refusal.name);
      return { accepted: false, code: refusal.name, tooMany };
    }
    throw refusal;
  };
}
