import { beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { charge } from '../../../functions/sandbox/contract.ts';
import { memoryBook } from './memory-book.ts';
import { apiKey, sandboxOn } from './sandbox-client.ts';

let sandbox: ReturnType<typeof sandboxOn>;
beforeEach(() => {
  sandbox = sandboxOn(memoryBook());
});

const order = { reference: 'ord_A-1', amount: 1000, currency: 'KWD', method: 'card', token: 'tok_approve' };

describe('the API key', () => {
  const request = { method: 'GET', path: '/charges', query: {}, idempotencyKey: undefined, body: '' };

  it.each([undefined, '', 'Bearer', 'Bearer wrong', `bearer ${apiKey}`, apiKey, `Bearer ${apiKey}x`])(
    'is missing or wrong in %s',
    async (authorization) => {
      const { status, body } = await sandbox.answer({ ...request, authorization });
      expect([status, JSON.parse(body).error.code]).toEqual([401, 'unauthorized']);
    },
  );

  it('opens the book', async () => {
    expect((await sandbox.answer({ ...request, authorization: `Bearer ${apiKey}` })).status).toBe(200);
  });
});

describe('an authorisation', () => {
  it.each([
    ['tok_approve', 'authorized', undefined, 0],
    ['tok_decline', 'declined', 'declined', 0],
    ['tok_insufficient_funds', 'declined', 'insufficient-funds', 0],
    ['tok_requires_action', 'requires_action', undefined, 0],
    ['tok_capture_fails_once', 'authorized', undefined, 0],
    ['tok_capture_fails', 'authorized', undefined, 0],
    ['tok_slow', 'authorized', undefined, 2_000],
    ['tok_timeout_then_approved', 'authorized', undefined, 10_000],
    ['tok_timeout_then_declined', 'declined', 'declined', 10_000],
  ])('with %s is %s', async (token, status, reason, held) => {
    const answer = await sandbox.post('/authorizations', { ...order, token });
    expect(answer.status).toBe(201);
    expect(answer.body.status).toBe(status);
    expect(answer.body.reason).toBe(reason);
    expect(sandbox.naps).toEqual([held]);
  });

  it('shows order, reference and money as the book has them', async () => {
    const { body } = await sandbox.post('/authorizations', order);
    expect(z.parse(charge, body)).toEqual(body);
    expect(body).toMatchObject({
      orderId: 'ord_A',
      reference: 'ord_A-1',
      amount: { amount: 1000, currency: 'KWD' },
    });
  });

  it('is found by id and by reference', async () => {
    const { body } = await sandbox.post('/authorizations', order);
    expect((await sandbox.get(`/authorizations/${body.id}`)).body).toEqual(body);
    expect((await sandbox.get('/authorizations?reference=ord_A-1')).body).toEqual({ items: [body] });
    expect((await sandbox.get('/authorizations?reference=ord_A-2')).body).toEqual({ items: [] });
    expect((await sandbox.get('/authorizations/aut_nothing')).status).toBe(404);
  });

  it('exists once for a reference, whatever the key', async () => {
    await sandbox.post('/authorizations', order);
    const second = await sandbox.post('/authorizations', order);
    expect([second.status, second.body.error.code]).toEqual([409, 'reference-used']);
  });

  it('with an unknown token names those that there are', async () => {
    const { status, body } = await sandbox.post('/authorizations', { ...order, token: 'toString' });
    expect([status, body.error.code]).toEqual([422, 'unknown-token']);
    expect(body.error.message).toContain('tok_approve');
  });

  it.each([
    ['no amount', { amount: 0 }],
    ['a negative amount', { amount: -1 }],
    ['a fraction', { amount: 1.5 }],
    ['another currency', { currency: 'XXX' }],
    ['an unknown field', { note: 'x' }],
    ['no reference', { reference: '' }],
  ])('with %s is not valid', async (_, change) => {
    const { status, body } = await sandbox.post('/authorizations', { ...order, ...change });
    expect([status, body.error.code]).toEqual([422, 'validation-failed']);
  });
});

describe('what follows an authorisation', () => {
  const authorised = async (token = 'tok_approve') =>
    (await sandbox.post('/authorizations', { ...order, token })).body.id as string;
  const captured = async () =>
    (await sandbox.post(`/authorizations/${await authorised()}/captures`, { amount: 1000 })).body
      .captureId as string;

  it('is captured, then refunded in parts', async () => {
    const refunds = `/captures/${await captured()}/refunds`;
    const first = await sandbox.post(refunds, { amount: 300, reference: 'rfd_1' });
    expect(first.body).toMatchObject({ status: 'partially_refunded', refunded: { amount: 300 } });
    const second = await sandbox.post(refunds, { amount: 700, reference: 'rfd_2' });
    expect(second.body).toMatchObject({ status: 'refunded', refunded: { amount: 1000 } });
    expect(second.body.refunds).toHaveLength(2);
  });

  it('is not captured twice, above what was authorised, or after a void', async () => {
    const id = await authorised();
    const captures = `/authorizations/${id}/captures`;
    expect((await sandbox.post(captures, { amount: 1001 })).body.error.code).toBe('amount-too-large');
    await sandbox.post(captures, { amount: 1000 });
    expect((await sandbox.post(captures, { amount: 1000 })).body.error.code).toBe('not-capturable');
    const other = (await sandbox.authorise('ord_B-1')).body.id;
    await sandbox.post(`/authorizations/${other}/voids`, {});
    expect((await sandbox.post(`/authorizations/${other}/captures`, { amount: 1 })).status).toBe(409);
    expect((await sandbox.get(`/authorizations/${other}`)).body.status).toBe('voided');
  });

  it('is neither captured nor voided when declined', async () => {
    const id = await authorised('tok_decline');
    expect((await sandbox.post(`/authorizations/${id}/captures`, { amount: 1 })).status).toBe(409);
    expect((await sandbox.post(`/authorizations/${id}/voids`, {})).status).toBe(409);
  });

  it('is not voided once captured', async () => {
    const id = (await captured()).replace('cap_', 'aut_');
    expect((await sandbox.post(`/authorizations/${id}/voids`, {})).body.error.code).toBe('not-voidable');
  });

  it('stays authorised when the bank refuses the capture', async () => {
    const id = await authorised('tok_capture_fails');
    const answer = await sandbox.post(`/authorizations/${id}/captures`, { amount: 1000 });
    expect([answer.status, answer.body.error.code]).toEqual([402, 'capture-failed']);
    expect((await sandbox.get(`/authorizations/${id}`)).body.status).toBe('authorized');
  });

  it('is not refunded above the capture, twice for a reference, or before it', async () => {
    const refunds = `/captures/${await captured()}/refunds`;
    await sandbox.post(refunds, { amount: 600, reference: 'rfd_1' });
    expect((await sandbox.post(refunds, { amount: 401, reference: 'rfd_2' })).body.error.code).toBe(
      'amount-too-large',
    );
    expect((await sandbox.post(refunds, { amount: 1, reference: 'rfd_1' })).body.error.code).toBe(
      'reference-used',
    );
    const held = (await sandbox.authorise('ord_B-1')).body.id.replace('aut_', 'cap_');
    expect((await sandbox.post(`/captures/${held}/refunds`, { amount: 1, reference: 'rfd_3' })).status).toBe(
      409,
    );
  });
});

describe('a capture for which the bank cannot be reached', () => {
  it('did nothing and is not kept: the same call again captures, also in parallel', async () => {
    const { id } = (await sandbox.authorise('ord_A-1', 1000, 'tok_capture_fails_once')).body;
    const capture = () => sandbox.post(`/authorizations/${id}/captures`, { amount: 1000 }, 'capture');
    const first = await capture();
    expect([first.status, first.body.error.code]).toEqual([502, 'bank-unreachable']);
    expect((await sandbox.get(`/authorizations/${id}`)).body.status).toBe('authorized');
    const again = await Promise.all([capture(), capture()]);
    expect(again.map(({ status, body }) => [status, body.status])).toEqual([
      [201, 'captured'],
      [201, 'captured'],
    ]);
  });
});

describe('a shopper whom the bank asks', () => {
  const asked = async () => (await sandbox.authorise('ord_A-1', 1000, 'tok_requires_action')).body;
  const seen = async (id: string) => (await sandbox.get(`/authorizations/${id}`)).body;

  it('is sent to a page of the sandbox, and nothing is captured before', async () => {
    const { id, nextAction } = await asked();
    expect(nextAction).toEqual({ type: 'redirect', url: `https://sandbox.example/actions/${id}` });
    expect((await sandbox.browser('GET', `/actions/${id}`)).body).toContain(`/authorizations/${id}/confirm`);
    expect((await sandbox.post(`/authorizations/${id}/captures`, { amount: 1000 })).status).toBe(409);
  });

  it('confirms without an API key, however often', async () => {
    const { id } = await asked();
    for (let times = 0; times < 3; times++) {
      expect((await sandbox.browser('POST', `/authorizations/${id}/confirm`)).status).toBe(201);
    }
    expect(await seen(id)).toMatchObject({ status: 'authorized' });
    expect((await seen(id)).nextAction).toBeUndefined();
    expect((await sandbox.browser('POST', `/authorizations/${id}/fail`)).status).toBe(409);
  });

  it('refuses, and that is a decline', async () => {
    const { id } = await asked();
    await sandbox.browser('POST', `/authorizations/${id}/fail`);
    expect(await seen(id)).toMatchObject({ status: 'declined', reason: 'action-failed' });
  });

  it('who does not act for 15 minutes has declined', async () => {
    const { id } = await asked();
    sandbox.wait(15 * 60_000 - 1);
    expect((await seen(id)).status).toBe('requires_action');
    sandbox.wait(1);
    expect(await seen(id)).toMatchObject({ status: 'declined', reason: 'action-expired' });
    expect((await sandbox.browser('POST', `/authorizations/${id}/confirm`)).status).toBe(409);
    expect((await sandbox.post(`/authorizations/${id}/voids`, {})).status).toBe(409);
  });

  it('is let go by a void', async () => {
    const { id } = await asked();
    expect((await sandbox.post(`/authorizations/${id}/voids`, {})).body.status).toBe('voided');
    expect((await sandbox.browser('POST', `/authorizations/${id}/confirm`)).status).toBe(409);
  });

  it('finds no page of a payment that there is not', async () => {
    expect((await sandbox.browser('GET', '/actions/aut_nothing')).status).toBe(404);
  });
});

describe('a payment key', () => {
  const wanted = { orderId: 'ord_A', amount: 1000, currency: 'USD', token: 'tok_approve' };
  const keyFor = async (change: object = {}) =>
    (await sandbox.browser('POST', '/payment-keys', { ...wanted, ...change })).body.paymentKey as string;
  const confirm = (paymentKey: string, change: object = {}, key?: string) =>
    sandbox.post(
      '/payments',
      { paymentKey, reference: 'ord_A-1', amount: 1000, currency: 'USD', ...change },
      key,
    );

  it('is charged whole by one confirmation', async () => {
    const paymentKey = await keyFor();
    const { status, body } = await confirm(paymentKey);
    expect([status, body.status, body.captured.amount]).toEqual([201, 'captured', 1000]);
    expect((await confirm(paymentKey, { reference: 'ord_A-2' })).body.error.code).toBe('payment-key-used');
    const refunded = await sandbox.post(`/captures/${body.captureId}/refunds`, {
      amount: 1000,
      reference: 'rfd_1',
    });
    expect(refunded.body.status).toBe('refunded');
  });

  it('of parallel confirmations for two references charges one', async () => {
    const paymentKey = await keyFor();
    const answers = await Promise.all(
      [1, 2, 3, 4].map((n) => confirm(paymentKey, { reference: `ord_A-${n}` })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
  });

  it.each([
    ['another amount', { amount: 1001 }, 'amount-mismatch'],
    ['another currency', { currency: 'KRW' }, 'amount-mismatch'],
    ['another order', { reference: 'ord_AB-1' }, 'order-mismatch'],
    ['a key that there is not', { paymentKey: 'pmk_nothing' }, 'not-found'],
  ])('with %s charges nothing', async (_, change, code) => {
    expect((await confirm(await keyFor(), change)).body.error.code).toBe(code);
    expect((await sandbox.get('/authorizations?reference=ord_A-1')).body.items).toEqual([]);
  });

  it('is good for 15 minutes', async () => {
    const paymentKey = await keyFor();
    sandbox.wait(15 * 60_000);
    expect((await confirm(paymentKey)).body.error.code).toBe('payment-key-expired');
  });

  it('needs a card that there is; a declined one declines', async () => {
    expect((await sandbox.browser('POST', '/payment-keys', { ...wanted, token: 'tok_x' })).status).toBe(422);
    const { body } = await confirm(await keyFor({ token: 'tok_insufficient_funds' }));
    expect(body).toMatchObject({ status: 'declined', reason: 'insufficient-funds', captured: { amount: 0 } });
  });

  it('is confirmed by the merchant alone', async () => {
    const body = { paymentKey: await keyFor(), reference: 'ord_A-1', amount: 1000, currency: 'USD' };
    expect((await sandbox.browser('POST', '/payments', body)).status).toBe(401);
  });
});

describe('the Idempotency-Key', () => {
  it('is needed', async () => {
    const { status, body } = await sandbox.post('/authorizations', order, '');
    expect([status, body.error.code]).toEqual([400, 'idempotency-key-missing']);
  });

  it('gives the kept answer, at once, however the charge has moved on', async () => {
    const slow = { ...order, token: 'tok_slow' };
    const first = await sandbox.post('/authorizations', slow, 'k');
    await sandbox.post(`/authorizations/${first.body.id}/voids`, {});
    const again = await sandbox.post('/authorizations', slow, 'k');
    expect(again).toEqual({ ...first, replayed: true });
    expect(sandbox.naps).toEqual([2_000, 0]);
  });

  it('of another request is refused', async () => {
    await sandbox.post('/authorizations', order, 'k');
    const other = await sandbox.post('/authorizations', { ...order, amount: 999 }, 'k');
    expect([other.status, other.body.error.code]).toEqual([422, 'idempotency-key-reused']);
  });

  it('keeps a refusal by the bank, not a fault of the request', async () => {
    const { id } = (await sandbox.post('/authorizations', { ...order, token: 'tok_capture_fails' })).body;
    const captures = `/authorizations/${id}/captures`;
    expect((await sandbox.post(captures, { amount: 5000 }, 'k')).status).toBe(402);
    expect((await sandbox.post(captures, { amount: 5000 }, 'k')).replayed).toBe(true);
    expect(
      (await sandbox.post('/authorizations', { ...order, reference: 'ord_B-1', token: 'tok_x' }, 'l')).status,
    ).toBe(422);
    expect((await sandbox.post('/authorizations', { ...order, reference: 'ord_B-1' }, 'l')).status).toBe(201);
  });

  it('gives 20 parallel calls one effect and one answer', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => sandbox.post('/authorizations', order, 'k')),
    );
    expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body])))).toHaveLength(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
  });
});

describe('the book', () => {
  it('lists every charge once over its pages', async () => {
    for (let n = 1; n <= 5; n++) await sandbox.authorise(`ord_${n}-1`);
    const references: string[] = [];
    let target = '/charges?limit=2';
    for (let page = 0; page < 4 && target; page++) {
      const { items, next } = (await sandbox.get(target)).body;
      references.push(...items.map((item: { reference: string }) => item.reference));
      target = next && `/charges?limit=2&cursor=${next}`;
    }
    expect(references.sort()).toEqual(['ord_1-1', 'ord_2-1', 'ord_3-1', 'ord_4-1', 'ord_5-1']);
  });
});

describe('requests that make no sense', () => {
  it.each([
    ['GET', '/nothing', '', 404],
    ['PUT', '/charges', '', 404],
    ['POST', '/charges', '{}', 404],
    ['POST', '/authorizations', '{', 400],
    ['GET', '/charges', '', 422, { limit: '0' }],
  ] as [string, string, string, number, Record<string, string>?][])(
    '%s %s %s',
    async (method, path, body, status, query = {}) => {
      const authorization = `Bearer ${apiKey}`;
      const answer = await sandbox.answer({ method, path, query, authorization, idempotencyKey: 'k', body });
      expect(answer.status).toBe(status);
      expect(JSON.parse(answer.body).error.message).not.toBe('');
    },
  );
});
