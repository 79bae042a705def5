import { createHmac, timingSafeEqual } from 'node:crypto';
import * as z from 'zod/mini';
import { signatureHeader, webhook } from '../../sandbox/contract.ts';
import type { VerifyWebhook } from '../domain/provider.ts';

/** Seconds between a webhook's signature and now, either way. */
const tolerance = 300;

/** Milliseconds after which an unknown signature is reason enough to look whether the secret was rotated. */
const rereadAfter = 10_000;

/**
 * Webhooks of the sandbox provider: HMAC-SHA-256 over time and raw body, by the newest secret or the one before it.
 * @param secrets those that are valid, known for at most so many milliseconds
 */
export function sandboxWebhooks(secrets: (maxAge?: number) => Promise<readonly string[]>): VerifyWebhook {
  return async ({ body, headers }, now) => {
    const [, time = '', given = ''] =
      /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(headers[signatureHeader] ?? '') ?? [];
    if (given === '' || Math.abs(now / 1000 - Number(time)) > tolerance) return undefined;
    const fits = (secret: string) =>
      timingSafeEqual(
        Buffer.from(given, 'hex'),
        createHmac('sha256', secret).update(`${time}.${body}`).digest(),
      );
    if (!(await secrets()).some(fits) && !(await secrets(rereadAfter)).some(fits)) return undefined;
    const said = z.safeParse(webhook, jsonIn(body)).data;
    return said && { id: said.id, reference: said.reference };
  };
}

/** Undefined when it is not JSON. */
function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
