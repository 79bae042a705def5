import { createHash } from 'node:crypto';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod/mini';
import { AwsRefusal } from '../../../functions/kernel/aws-request.ts';
import { authenticate } from '../../../functions/kernel/caller.ts';
import { id, page, type Route, route } from '../../../functions/kernel/contract.ts';
import { DomainError, type ProblemCode } from '../../../functions/kernel/errors.ts';
import { type HttpRequest, httpHandler } from '../../../functions/kernel/http.ts';
import { count, log, trail } from '../../../functions/kernel/log.ts';

vi.mock('../../../functions/kernel/caller.ts', async (original) => {
  const actual = await original<typeof import('../../../functions/kernel/caller.ts')>();
  return { ...actual, authenticate: vi.fn(actual.authenticate) };
});
vi.mock('../../../functions/kernel/log.ts', () => ({
  log: { error: vi.fn(), warn: vi.fn() },
  count: vi.fn(),
  trail: vi.fn(),
}));

const putThing = route({
  id: 'putThing',
  method: 'PUT',
  path: '/v1/things/{thingId}',
  audience: 'all',
  summary: 'A thing',
  priority: 'operate',
  params: z.object({ thingId: id('prd') }),
  query: z.object({ limit: page.limit, note: z.optional(z.string()) }),
  body: z.object({ name: z.string().check(z.minLength(2)), tags: z.optional(z.array(z.string())) }),
  idempotent: true,
  conditional: true,
  responses: { 200: z.object({ name: z.string() }), 204: 'empty' },
});

const getThing = route({
  id: 'getThing',
  method: 'GET',
  path: '/v1/things',
  audience: 'all',
  summary: 'Things',
  priority: 'browse',
  responses: { 200: z.object({ ok: z.boolean() }) },
});

interface Sent {
  path?: string;
  query?: Record<string, string>;
  rawQuery?: string;
  params?: Record<string, string>;
  headers?: Record<string, string>;
  body?: string;
  base64?: boolean;
}

const good: Sent = {
  path: '/v1/things/prd_1',
  params: { thingId: 'prd_1' },
  headers: {
    'content-type': 'application/json',
    'idempotency-key': 'k',
    'if-match': '"1"',
    host: 'shop.test',
  },
  body: '{"name":"lamp"}',
};

async function send<R extends Route>(
  to: R,
  sent: Sent,
  run: (request: HttpRequest<R>) => Promise<any> = async () => ({ status: 200, body: { name: 'x' } }),
) {
  const event = {
    rawPath: sent.path ?? '/v1/things',
    rawQueryString: sent.rawQuery ?? new URLSearchParams(sent.query).toString(),
    queryStringParameters: sent.query,
    pathParameters: sent.params,
    headers: sent.headers ?? {},
    body: sent.base64 ? Buffer.from(sent.body ?? '').toString('base64') : sent.body,
    isBase64Encoded: sent.base64 ?? false,
    requestContext: { requestId: 'gateway-id', domainName: 'api.test' },
  } as unknown as APIGatewayProxyEventV2;
  const { statusCode, headers = {}, body } = await httpHandler(to, run)(event, {} as Context);
  return { status: statusCode, headers, json: body === undefined ? undefined : JSON.parse(body) };
}

const nested = (levels: number, name: string) =>
  `{"name":"${name}","note":${'['.repeat(levels)}${']'.repeat(levels)}}`;

const securityHeaders = {
  'x-content-type-options': 'nosniff',
  'strict-transport-security': 'max-age=63072000; includeSubDomains',
  'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
  'referrer-policy': 'no-referrer',
};

const refusedAs = (code: ProblemCode) => ({
  json: expect.objectContaining({ type: `https://floodgate.dev/problems/${code}` }),
});

afterEach(() => {
  vi.clearAllMocks();
});

describe('a request that passes', () => {
  it('reaches the use case parsed', async () => {
    const run = vi.fn(async (_: HttpRequest<typeof putThing>) => ({ status: 200, body: { name: 'lamp' } }));
    const answer = await send(putThing, { ...good, query: { limit: '7' } }, run);
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ name: 'lamp' });
    expect(run.mock.calls[0]![0]).toMatchObject({
      params: { thingId: 'prd_1' },
      query: { limit: 7 },
      body: { name: 'lamp' },
      idempotencyKey: 'k',
      ifMatch: '"1"',
      locale: 'en',
      requestId: 'gateway-id',
    });
  });

  it('may be encoded, and may leave defaults out', async () => {
    const run = vi.fn(async () => ({ status: 204 }));
    const answer = await send(putThing, { ...good, base64: true }, run);
    expect(answer).toMatchObject({ status: 204, json: undefined });
    expect(run).toHaveBeenCalledWith(expect.objectContaining({ query: { limit: 20 } }));
  });

  it('may escape a character in two halves', async () => {
    const run = vi.fn(async () => ({ status: 204 }));
    await send(putThing, { ...good, body: '{"name":"\\ud83d\\ude00 \\\\ud800"}' }, run);
    expect(run).toHaveBeenCalledWith(expect.objectContaining({ body: { name: '😀 \\ud800' } }));
  });

  it('may nest JSON a little, and hold any number of brackets in its text', async () => {
    const run = vi.fn(async () => ({ status: 204 }));
    const answer = await send(putThing, { ...good, body: nested(31, `lamp ${'[{\\"'.repeat(99)}`) }, run);
    expect(answer.status).toBe(204);
  });

  it.each([32, 50_000])('may not nest it %i levels deeper', async (levels) => {
    const run = vi.fn(async () => ({ status: 204 }));
    expect(await send(putThing, { ...good, body: nested(levels, 'lamp') }, run)).toMatchObject({
      status: 400,
      ...refusedAs('malformed-request'),
    });
    expect(run).not.toHaveBeenCalled();
  });

  it('is answered without being stored, unless the route says for how long', async () => {
    const ok = async () => ({ status: 200, body: { ok: true } });
    expect((await send(getThing, {}, ok)).headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-request-id': 'gateway-id',
      ...securityHeaders,
    });
    const cached = await send({ ...getThing, cacheSeconds: 30 }, {}, ok);
    expect(cached.headers['cache-control']).toBe('public, max-age=30');
  });

  it('takes the first words of a body as text where the route says so', async () => {
    const run = vi.fn(async () => ({ status: 200, body: { ok: true } }));
    await send({ ...getThing, method: 'POST', body: 'text' }, { body: 'a,b\n1,2' }, run);
    expect(run).toHaveBeenCalledWith(expect.objectContaining({ body: 'a,b\n1,2' }));
  });
});

describe('a request is refused', () => {
  const never = vi.fn();
  const refuse = (sent: Sent) => send(putThing, sent, never);
  const without = (header: string) => ({
    ...good,
    headers: Object.fromEntries(Object.entries(good.headers!).filter(([name]) => name !== header)),
  });

  it.each<[string, Sent, number, ProblemCode]>([
    ['a path that no id has', { ...good, params: { thingId: 'x' } }, 404, 'not-found'],
    ['a query beyond its limits', { ...good, query: { limit: '101' } }, 422, 'validation-failed'],
    ['a query that is no number', { ...good, query: { limit: '1,2' } }, 422, 'validation-failed'],
    ['no JSON', { ...good, body: '{' }, 400, 'malformed-request'],
    ['half a character', { ...good, body: '{"name":"\\uD83D"}' }, 400, 'malformed-request'],
    ['the other half', { ...good, body: '{"name":"\\\\\\udE00"}' }, 400, 'malformed-request'],
    ['the wrong JSON', { ...good, body: '{"name":1}' }, 422, 'validation-failed'],
    ['JSON that is no object', { ...good, body: '[]' }, 422, 'validation-failed'],
    ['no body', { ...good, body: '' }, 422, 'validation-failed'],
    [
      'another type',
      { ...good, headers: { ...good.headers, 'content-type': 'text/plain' } },
      415,
      'unsupported-media-type',
    ],
    ['no type', without('content-type'), 415, 'unsupported-media-type'],
    ['no key', without('idempotency-key'), 400, 'idempotency-key-missing'],
    [
      'a key with a space',
      { ...good, headers: { ...good.headers, 'idempotency-key': 'a b' } },
      400,
      'idempotency-key-invalid',
    ],
    [
      'a key too long',
      { ...good, headers: { ...good.headers, 'idempotency-key': 'k'.repeat(256) } },
      400,
      'idempotency-key-invalid',
    ],
    ['no version', without('if-match'), 428, 'precondition-required'],
    ['a card in the body', { ...good, body: '{"name":"4111 1111 1111 1111"}' }, 422, 'card-number-refused'],
    [
      'a card in JSON escapes',
      { ...good, body: '{"name":"\\u0034111111111111111"}' },
      422,
      'card-number-refused',
    ],
    [
      'a card in a field that we ignore',
      { ...good, body: '{"name":"lamp","pan":4111111111111111}' },
      422,
      'card-number-refused',
    ],
    [
      'a card in the query',
      { ...good, query: { note: '4111 1111 1111 1111' }, rawQuery: 'note=4111%201111%201111%201111' },
      422,
      'card-number-refused',
    ],
    ['a card in the path', { ...good, path: '/v1/things/4111111111111111' }, 422, 'card-number-refused'],
  ])('with %s', async (_, sent, status, code) => {
    const answer = await refuse(sent);
    expect(answer.status).toBe(status);
    expect(answer).toMatchObject(refusedAs(code));
    expect(answer.headers).toMatchObject({ 'content-type': 'application/problem+json', ...securityHeaders });
    expect(answer.json).toMatchObject({
      status,
      // Of a path that holds a card number, the route's is told.
      instance: /\d{13}/.test(sent.path ?? '') ? putThing.path : sent.path,
      requestId: 'gateway-id',
      title: expect.any(String),
    });
    expect(never).not.toHaveBeenCalled();
  });

  it('with pointers to what is wrong', async () => {
    const { json } = await refuse({ ...good, body: '{"name":"x","tags":["a",2]}' });
    expect(json.errors).toEqual([
      { pointer: '#/name', message: expect.stringMatching(/2 characters/) },
      { pointer: '#/tags/1', message: expect.stringMatching(/expected string/) },
    ]);
    const query = await refuse({ ...good, query: { limit: '0' } });
    expect(query.json.errors[0].pointer).toBe('#/query/limit');
  });

  it('in one order: token, card number, path, query, body, key, version', async () => {
    const worst: Sent = {
      path: '/v1/things/x',
      params: { thingId: 'x' },
      query: { limit: '0' },
      body: '{"name":1,"pan":"4111111111111111"}',
      headers: { 'content-type': 'application/json' },
    };
    expect(await send({ ...putThing, audience: 'shopper' }, worst)).toMatchObject(refusedAs('unauthorized'));
    expect(await refuse(worst)).toMatchObject(refusedAs('card-number-refused'));
    const noCard = { ...worst, body: '{"name":1}' };
    expect(await refuse(noCard)).toMatchObject(refusedAs('not-found'));
    const found = { ...noCard, params: { thingId: 'prd_1' } };
    expect((await refuse(found)).json.errors[0].pointer).toBe('#/query/limit');
    const queried = { ...found, query: {} };
    expect((await refuse(queried)).json.errors[0].pointer).toBe('#/name');
    const named = { ...queried, body: '{"name":"lamp"}' };
    expect(await refuse(named)).toMatchObject(refusedAs('idempotency-key-missing'));
    const keyed = { ...named, headers: { ...named.headers, 'idempotency-key': 'k' } };
    expect(await refuse(keyed)).toMatchObject(refusedAs('precondition-required'));
  });

  it('without a token where one is needed, saying which', async () => {
    const answer = await send({ ...getThing, audience: 'shopper' }, {});
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  });

  it('and told to the log, where somebody may be trying what they may not, without what was sent', async () => {
    const told = vi.mocked(log.warn);
    told.mockClear();
    await send({ ...getThing, audience: 'shopper' }, { headers: { authorization: 'Bearer secret' } });
    await refuse({ ...good, query: { note: '4111111111111111' }, rawQuery: 'note=4111111111111111' });
    expect(told.mock.calls).toEqual([
      ['refused', { route: getThing.id, code: 'unauthorized', request: 'gateway-id' }],
      ['refused', { route: putThing.id, code: 'card-number-refused', request: 'gateway-id' }],
    ]);
    told.mockClear();
    await refuse({ ...good, body: '{' });
    expect(told).not.toHaveBeenCalled();
  });
});

it('tells the log who it was, by what nobody can be found with', async () => {
  const customerId = '9a0364b9-e7f4-4a7e-8f0a-3f4b1c2d5e6f';
  const who = createHash('sha256').update(customerId).digest('hex').slice(0, 16);
  const person = { customerId, groups: [], session: { id: 'phone', issuedAt: 1 } };
  const traceparent = '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01';
  const sent = { ...good, headers: { ...good.headers, traceparent, 'x-request-id': 'theirs' } };
  const traces = { request: 'theirs', gateway: 'gateway-id', who };
  vi.mocked(authenticate).mockResolvedValueOnce(person);
  await send(putThing, sent);
  expect(trail).toHaveBeenCalledWith('answered', expect.objectContaining(traces));

  vi.mocked(authenticate).mockResolvedValueOnce(person);
  await send(putThing, { ...sent, body: '{"name":"4111111111111111"}' });
  expect(log.warn).toHaveBeenCalledWith('refused', expect.objectContaining(traces));

  vi.mocked(authenticate).mockResolvedValueOnce(person);
  await send(putThing, sent, async () => {
    throw new Error('broken');
  });
  const { request: requestId, ...rest } = traces;
  expect(log.error).toHaveBeenCalledWith('request failed', expect.objectContaining({ requestId, ...rest }));

  vi.mocked(authenticate).mockResolvedValueOnce({ clientId: 'ledger', scopes: [] });
  await send(putThing, sent);
  expect(trail).toHaveBeenLastCalledWith('answered', expect.objectContaining({ who: 'ledger' }));
  const told = [vi.mocked(trail).mock.calls, vi.mocked(log.warn).mock.calls, vi.mocked(log.error).mock.calls];
  expect(JSON.stringify(told)).not.toContain(customerId.slice(0, 8));
});

describe('what goes wrong inside', () => {
  const failing = (error: unknown) =>
    send(getThing, {}, async () => {
      throw error;
    });

  it('is the problem that the domain names, with its members', async () => {
    const answer = await failing(new DomainError('out-of-stock', 'One left.', { skus: [{ sku: 'sku_a' }] }));
    expect(answer.status).toBe(409);
    expect(answer.json).toEqual({
      type: 'https://floodgate.dev/problems/out-of-stock',
      title: 'Not enough stock',
      status: 409,
      detail: 'One left.',
      instance: '/v1/things',
      requestId: 'gateway-id',
      skus: [{ sku: 'sku_a' }],
    });
  });

  it('has a status of its own, whatever its members are called', async () => {
    const answer = await failing(new DomainError('order-state', 'Too late.', { status: 'paid' }));
    expect(answer.json).toMatchObject({ status: 409, detail: 'Too late.' });
  });

  it.each([
    new AwsRefusal('KMSInternalException', 500),
    Object.assign(new Error('no'), { name: 'ServiceUnavailable', $metadata: { httpStatusCode: 503 } }),
  ])('is 503 with Retry-After when AWS itself fails: $name', async (error) => {
    const answer = await failing(error);
    expect(answer).toMatchObject({ status: 503, ...refusedAs('temporary-reduced-capacity') });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  });

  it.each(['ThrottlingException', 'ProvisionedThroughputExceededException', 'TransactionConflictException'])(
    'is 503 with Retry-After when AWS says %s',
    async (name) => {
      const answer = await failing(Object.assign(new Error('no'), { name }));
      expect(answer.status).toBe(503);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      expect(answer).toMatchObject(refusedAs('temporary-reduced-capacity'));
    },
  );

  it.each(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded'])(
    'is 503 when a transaction is cancelled for %s',
    async (Code) => {
      const CancellationReasons = [{ Code: 'None' }, { Code }];
      const error = Object.assign(new Error('no'), {
        name: 'TransactionCanceledException',
        CancellationReasons,
      });
      expect(await failing(error)).toMatchObject({
        status: 503,
        ...refusedAs('temporary-reduced-capacity'),
      });
    },
  );

  it('is 429 with Retry-After over a quota', async () => {
    const answer = await failing(new DomainError('quota-exceeded', 'Slower.'));
    expect(answer.status).toBe(429);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  });

  it.each([[new Error('secret tok_approve of mina@example.com')], ['a string'], [undefined]])(
    'is 500 without a word of it outside or in the log: %s',
    async (error) => {
      const answer = await failing(error);
      expect(answer.status).toBe(500);
      expect(answer).toMatchObject(refusedAs('internal-error'));
      expect(JSON.stringify(answer)).not.toContain('tok_approve');
      expect(JSON.stringify(vi.mocked(log.error).mock.calls)).not.toContain('tok_approve');
    },
  );

  it('is logged, not hidden, when an answer breaks its contract', async () => {
    const answer = await send(getThing, {}, async () => ({ status: 200, body: { ok: 'yes' } }));
    expect(answer.status).toBe(200);
    expect(log.error).toHaveBeenCalledWith('response breaks its contract', {
      route: 'getThing',
      status: 200,
    });
    await send(getThing, {}, async () => ({ status: 201, body: { ok: true } }));
    expect(log.error).toHaveBeenCalledTimes(2);
    expect(count).toHaveBeenCalledWith('ContractViolation');
    await send(getThing, {}, async () => ({ status: 200, body: { ok: true } }));
    expect(log.error).toHaveBeenCalledTimes(2);
  });
});

describe('a trail', () => {
  const trace = '0af7651916cd43dd8448eb211c80319c';
  const traced = (flags: string) => ({
    ...good,
    headers: { ...good.headers, traceparent: `00-${trace}-b7ad6b7169203331-${flags}`, 'x-request-id': 'r1' },
  });
  const named = async () => ({ status: 200, body: { name: 'lamp' } });

  it('is left by a request that changes something, whether it is answered or refused', async () => {
    vi.mocked(trail).mockClear();
    await send(putThing, traced('01'), named);
    await send(putThing, { ...traced('01'), body: '{' }, named);
    expect(vi.mocked(trail).mock.calls).toEqual([
      ['answered', { route: 'putThing', status: 200, request: 'r1', gateway: 'gateway-id', trace }],
      ['answered', { route: 'putThing', status: 400, request: 'r1', gateway: 'gateway-id', trace }],
    ]);
  });

  it('is not left by a reading request, or against the caller’s wish', async () => {
    vi.mocked(trail).mockClear();
    await send(putThing, traced('00'), named);
    await send(getThing, traced('01'), async () => ({ status: 200, body: { ok: true } }));
    expect(trail).not.toHaveBeenCalled();
  });
});

describe('an ETag', () => {
  const tagged = async () => ({ status: 200, body: { ok: true }, headers: { etag: '"7"' } });
  const ask = (header: string, to: Route = getThing) =>
    send(to, { headers: { 'if-none-match': header } }, tagged);

  it.each(['"7"', 'W/"7"', '"6", "7"', '*'])('that the client has (%s) is answered 304', async (header) => {
    const answer = await ask(header);
    expect(answer).toMatchObject({ status: 304, json: undefined });
    expect(answer.headers.etag).toBe('"7"');
  });

  it.each(['"6"', '7', ''])('that is another (%s) is answered in full', async (header) => {
    expect((await ask(header)).status).toBe(200);
  });

  it('says nothing about what changes without it, or about a write', async () => {
    expect((await ask('"7"', { ...getThing, live: true })).status).toBe(200);
    expect((await ask('"7"', { ...getThing, method: 'POST' })).status).toBe(200);
  });
});

describe('the context of a request', () => {
  async function contextWith(headers: Record<string, string>) {
    let seen: HttpRequest | undefined;
    const { headers: answered } = await send(getThing, { headers }, async (request) => {
      seen = request;
      return { status: 200, body: { ok: true } };
    });
    return { ...seen!, answered };
  }

  it.each([
    ['ko', 'ko'],
    ['ko-KR,ko;q=0.9,en;q=0.8', 'ko'],
    ['en-US,ko;q=0.9', 'en'],
    ['fr, ko;q=0.2', 'ko'],
    ['en;q=0.1, KO;q=0.5', 'ko'],
    ['ko;q=0, fr', 'en'],
    ['fr', 'en'],
    ['', 'en'],
    [';;;,q=', 'en'],
  ])('reads the language of "%s" as %s', async (header, locale) => {
    expect((await contextWith({ 'accept-language': header })).locale).toBe(locale);
  });

  it('keeps a valid traceparent, and begins a trace otherwise', async () => {
    const given = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    expect((await contextWith({ traceparent: given })).traceparent).toBe(given);
    for (const bad of [
      '',
      'x',
      given.toUpperCase(),
      given.replace('b7ad6b7169203331', '0'.repeat(16)),
      `${given}-more`,
    ]) {
      const { traceparent } = await contextWith({ traceparent: bad });
      expect(traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      expect(traceparent).not.toBe(given);
    }
  });

  it("keeps the client's request id unless it is unfit for a header", async () => {
    expect((await contextWith({ 'x-request-id': 'abc-1' })).answered['x-request-id']).toBe('abc-1');
    expect((await contextWith({ 'x-request-id': 'a b' })).answered['x-request-id']).toBe('gateway-id');
    expect((await contextWith({ 'x-request-id': 'a'.repeat(129) })).answered['x-request-id']).toBe(
      'gateway-id',
    );
  });
});
