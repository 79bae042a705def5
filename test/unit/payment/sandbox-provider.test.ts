import { describe, expect, it } from 'vitest';
import { sandboxProvider } from '../../../functions/payment/adapters/sandbox.ts';
import { OutcomeUnknown } from '../../../functions/payment/domain/provider.ts';
import { behindHttpApi } from '../../../functions/sandbox/adapters/http-api.ts';
import { memoryBook } from '../sandbox/memory-book.ts';
import { apiKey, sandboxOn } from '../sandbox/sandbox-client.ts';
import { usd } from './memory-provider.ts';
import { providerContract } from './provider-contract.ts';

const baseUrl = 'https://sandbox.example/';
const key = async () => [apiKey];

/** The sandbox's own function in place of the network. */
function sandboxFetch(sandbox = sandboxOn(memoryBook())) {
  const handler = behindHttpApi(sandbox.answer);
  return async (target: string, init: RequestInit): Promise<Response> => {
    const url = new URL(target);
    const {
      statusCode = 200,
      body,
      headers,
    } = await handler({
      rawPath: url.pathname,
      queryStringParameters: Object.fromEntries(url.searchParams),
      headers: Object.fromEntries(new Headers(init.headers)),
      body: init.body,
      isBase64Encoded: false,
      requestContext: { http: { method: init.method ?? 'GET' } },
    } as never);
    return new Response(body ?? '', { status: statusCode, headers: headers as Record<string, string> });
  };
}

providerContract('sandbox', () => {
  const reach = sandboxFetch();
  let lost = false;
  const provider = sandboxProvider(baseUrl, key, async (url, init) => {
    const response = await reach(url, init);
    if (lost) throw new DOMException('The operation was aborted due to timeout', 'TimeoutError');
    return response;
  });
  return {
    provider,
    cards: { approved: 'tok_approve', declined: 'tok_decline', captureFails: 'tok_capture_fails' },
    loseAnswers: () => {
      lost = true;
    },
  };
});

const authorisation = {
  reference: 'ord_A-1',
  amount: usd(1000),
  source: { kind: 'token', token: 'tok_approve' },
  idempotencyKey: 'k',
} as const;
const answering = (status: number, body: string) =>
  sandboxProvider(baseUrl, key, async () => new Response(body, { status }));
const refusal = (code: string) => JSON.stringify({ error: { code, message: 'no' } });

describe('an answer of the sandbox', () => {
  it.each([
    [400, refusal('malformed-request')],
    [402, refusal('capture-failed')],
    [404, refusal('not-found')],
    [409, refusal('reference-used')],
    [422, refusal('unknown-token')],
  ])('%i %s is a refusal', async (status, body) => {
    const { code } = JSON.parse(body).error;
    const call = answering(status, body).authorise(authorisation);
    await expect(call).rejects.toMatchObject({ name: 'ProviderRefused', code });
  });

  it.each([
    [401, refusal('unauthorized')],
    [403, '{"message":"Forbidden"}'],
    [404, '{"message":"Not Found"}'],
    [422, refusal('idempotency-key-reused')],
    [429, '{"message":"Too Many Requests"}'],
    [500, refusal('internal-error')],
    [503, refusal('busy')],
    [504, '<html>'],
    [201, ''],
    [201, '{"id":"aut_1"}'],
  ])('%i %s leaves the outcome open', async (status, body) => {
    const call = answering(status, body).authorise(authorisation);
    await expect(call).rejects.toBeInstanceOf(OutcomeUnknown);
  });

  it('that never comes leaves the outcome open', async () => {
    const nobody = sandboxProvider('http://127.0.0.1:1', key);
    await expect(nobody.find('ord_A-1')).rejects.toBeInstanceOf(OutcomeUnknown);
  });

  it('is not asked for when the API key cannot be read', async () => {
    const locked = sandboxProvider(baseUrl, () => Promise.reject(new Error('no secret')), sandboxFetch());
    await expect(locked.authorise(authorisation)).rejects.toBeInstanceOf(OutcomeUnknown);
  });
});

describe('a request to the sandbox', () => {
  it('carries the API key, the idempotency key and a limit in time, and goes nowhere else', async () => {
    const sent: { url: string; init: RequestInit }[] = [];
    const reach = sandboxFetch();
    const provider = sandboxProvider(baseUrl, key, (url, init) => {
      sent.push({ url, init });
      return reach(url, init);
    });
    await provider.authorise(authorisation);
    expect(sent[0]?.url).toBe('https://sandbox.example/authorizations');
    const headers = new Headers(sent[0]?.init.headers);
    expect(headers.get('authorization')).toBe(`Bearer ${apiKey}`);
    expect(headers.get('idempotency-key')).toBe('k');
    expect(sent[0]?.init.signal).toBeInstanceOf(AbortSignal);
    expect(sent[0]?.init.redirect).toBe('error');
  });
});

describe('a payment that the shopper has authorised in the browser', () => {
  const keyFor = async (
    sandbox: ReturnType<typeof sandboxOn>,
    change: { amount?: number; token?: string } = {},
  ) => {
    const wanted = { orderId: 'ord_A', amount: 1000, currency: 'USD', token: 'tok_approve', ...change };
    const { status, body } = await sandbox.browser('POST', '/payment-keys', wanted);
    expect(status).toBe(201);
    return body.paymentKey as string;
  };
  const confirming = async (change: { amount?: number; token?: string } = {}) => {
    const sandbox = sandboxOn(memoryBook());
    const source = { kind: 'browser', paymentKey: await keyFor(sandbox, change) } as const;
    const provider = sandboxProvider(baseUrl, key, sandboxFetch(sandbox));
    return { provider, authorise: () => provider.authorise({ ...authorisation, source }) };
  };

  it('is charged by its confirmation, once', async () => {
    const { provider, authorise } = await confirming();
    const charge = await authorise();
    expect(charge).toMatchObject({ status: 'captured', captureId: expect.stringMatching(/^cap_/) });
    expect(await authorise()).toEqual(charge);
    expect(await provider.find('ord_A-1')).toEqual(charge);
  });

  it('for another amount is refused, and nothing is charged', async () => {
    const { provider, authorise } = await confirming({ amount: 999 });
    await expect(authorise()).rejects.toMatchObject({ name: 'ProviderRefused', code: 'amount-mismatch' });
    expect(await provider.find('ord_A-1')).toBeUndefined();
  });

  it('with a card that is declined is a declined charge', async () => {
    const { authorise } = await confirming({ token: 'tok_decline' });
    expect(await authorise()).toMatchObject({ status: 'declined', reason: 'declined' });
  });
});
