import * as z from 'zod/mini';
import { outbound } from '../../kernel/outbound.ts';
import { type ValidTexts, withValidKey } from '../../kernel/valid-key.ts';
import { charge as chargeView, failure } from '../../sandbox/contract.ts';
import { type Charge, OutcomeUnknown, type PaymentProvider, ProviderRefused } from '../domain/provider.ts';

/** Milliseconds that an answer may take. A call and the question after it fit into the function's time. */
const answerWithin = 5_000;

/** Statuses by which the sandbox says that it did nothing; anything else leaves the outcome open. */
const refusals = [400, 402, 404, 409, 422];

const found = z.object({ items: z.array(chargeView) });

/**
 * The sandbox provider over HTTP.
 * @param baseUrl of its API; a slash at the end does not matter
 * @param apiKeys those that are valid, newest first
 */
export function sandboxProvider(
  baseUrl: string,
  apiKeys: ValidTexts,
  request: (url: string, init: RequestInit) => Promise<Response> = outbound,
): PaymentProvider {
  async function call<T extends z.ZodMiniType>(
    schema: T,
    path: string,
    init: RequestInit = {},
  ): Promise<z.output<T>> {
    const { status, text } = await exchange(path, init);
    const body = jsonIn(text);
    const answer = z.safeParse(schema, body);
    if (status < 300 && answer.success) return answer.data;
    const refusal = z.safeParse(failure, body).data?.error;
    // A key that came with another request before: what that request did is not known here.
    if (refusal && refusals.includes(status) && refusal.code !== 'idempotency-key-reused') {
      throw new ProviderRefused(refusal.code, refusal.message);
    }
    throw new OutcomeUnknown(`answered ${status}`);
  }

  async function exchange(path: string, init: RequestInit): Promise<{ status: number; text: string }> {
    try {
      const signal = AbortSignal.timeout(answerWithin);
      const response = await withValidKey(apiKeys, (key) => {
        const headers = { ...init.headers, authorization: `Bearer ${key}` };
        // A provider that sends elsewhere is not the one that the key is for.
        return request(baseUrl.replace(/\/$/, '') + path, { ...init, headers, signal, redirect: 'error' });
      });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      throw new OutcomeUnknown(error instanceof Error ? error.name : 'no answer', { cause: error });
    }
  }

  async function send(path: string, idempotencyKey: string, body: object): Promise<Charge> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': idempotencyKey };
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    return chargeOf(await call(chargeView, path, init));
  }

  return {
    name: 'sandbox',
    authorise: async ({ reference, amount, source, idempotencyKey }) => {
      if (source.kind === 'browser') {
        const { paymentKey } = source;
        return send('/payments', idempotencyKey, { reference, ...amount, paymentKey });
      }
      const { token } = source;
      return send('/authorizations', idempotencyKey, { reference, ...amount, method: 'card', token });
    },
    capture: ({ authorizationId, amount, idempotencyKey }) =>
      send(`/authorizations/${encodeURIComponent(authorizationId)}/captures`, idempotencyKey, {
        amount: amount.amount,
      }),
    void: ({ authorizationId, idempotencyKey }) =>
      send(`/authorizations/${encodeURIComponent(authorizationId)}/voids`, idempotencyKey, {}),
    refund: ({ captureId, refundId, amount, idempotencyKey }) =>
      send(`/captures/${encodeURIComponent(captureId)}/refunds`, idempotencyKey, {
        amount: amount.amount,
        reference: refundId,
      }),
    find: async (reference) => {
      const query = new URLSearchParams({ reference });
      const [view] = (await call(found, `/authorizations?${query}`)).items;
      return view && chargeOf(view);
    },
  };
}

function chargeOf(view: z.output<typeof chargeView>): Charge {
  const { id, reference, amount, status, reason, nextAction, captureId } = view;
  if (status === 'requires_action' && !nextAction) throw new OutcomeUnknown('asks for an unknown action');
  return {
    id,
    reference,
    amount,
    status: status === 'partially_refunded' || status === 'refunded' ? 'captured' : status,
    reason,
    actionUrl: nextAction?.url,
    captureId,
    refunds: view.refunds.map((refund) => ({ ...refund, refundId: refund.reference })),
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
