import { randomUUID } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import {
  type Goods,
  order,
  type Store,
  sell,
  settled,
  timeOf,
  totalOf,
  until,
} from '../../../bench/store.ts';
import { sharedStore } from './shared-store.ts';

/*
 * A small drop from its announcement to its end: two units, four shoppers, one unit each. What one test leaves behind
 * is what the next begins with.
 */
let store: Store;
let goods: Goods;
let total: { amount: number; currency: string };
let dropId: string;
let line: { sku: string; quantity: number };
const holdSeconds = 30;

interface Shopper {
  readonly token: string;
  ticketId: string;
  position: number;
}
let shoppers: Shopper[] = [];

beforeAll(async () => {
  store = await sharedStore();
  goods = await sell(store, { stock: 2 });
  line = { sku: goods.sku, quantity: 1 };
  total = await totalOf(store, [line]);
  const accounts = await Promise.all(Array.from({ length: 4 }, () => store.account()));
  shoppers = accounts.map(({ token }) => ({ token, ticketId: '', position: 0 }));
});

const advance = (advanceSeconds: number) =>
  store.request('POST', '/_local/clock', { json: { advanceSeconds } });
const take = ({ token }: { token: string }) =>
  store.request('POST', `/v1/drops/${dropId}/tickets`, { token });
const ticketOf = ({ token, ticketId }: Shopper) =>
  store.request('GET', `/v1/drops/${dropId}/tickets/${ticketId}`, { token });
const buy = ({ token }: { token: string }, admission?: string, key: string = randomUUID()) =>
  order(store, { token, lines: [line], total, key, payWith: null, ...(admission && { admission }) });
const operate = async (method: string, path: string, json?: unknown, headers = {}) =>
  store.request(method, path, { token: await store.operator(), json, headers });

/** Lets time pass in steps so small that the drop counts as conducted all the while. */
async function pass(seconds: number): Promise<void> {
  for (let passed = 0; passed < seconds; passed += 7) {
    await advance(7);
    await until('the drop is conducted', async () => {
      const { body } = await operate('GET', `/v1/admin/drops/${dropId}`);
      return Date.parse(body.queue.at) > (await timeOf(store)) - 3_000;
    });
  }
}

/** Waits until the shopper's ticket is in `state`. */
const inState = (shopper: Shopper, state: string) =>
  until(`position ${shopper.position} is ${state}`, async () => {
    const { status, body, text } = await ticketOf(shopper);
    if (status !== 200) throw new Error(`${status} ${text}`);
    return body.state === state && body;
  });

it('is announced, and gives out no tickets before it opens', async () => {
  const now = await timeOf(store);
  const at = (seconds: number) => new Date(now + seconds * 1_000).toISOString();
  const announce = (opensAt?: string) =>
    operate(
      'POST',
      '/v1/admin/drops',
      {
        name: 'Celadon, two cups',
        skus: [goods.sku],
        ...(opensAt && { opensAt }),
        closesAt: at(7_200),
        perCustomerLimit: 1,
        admission: 'as-fast-as-payment',
        fallbackPerSecond: 1,
        holdSeconds,
        arrivalShards: 4,
      },
      { 'idempotency-key': 'celadon' },
    );
  expect(await announce(at(100))).toMatchObject({
    status: 422,
    body: { errors: [{ pointer: '#/opensAt' }] },
  });
  const announced = await announce();
  expect(announced).toMatchObject({
    status: 201,
    body: { state: 'scheduled', stock: [{ available: 2, shards: 1 }] },
  });
  dropId = announced.body.id;
  expect(await take(shoppers[0]!)).toMatchObject({ status: 409, body: { opensAt: announced.body.opensAt } });
  const early = await buy(shoppers[0]!);
  expect(early).toMatchObject({ status: 409, body: { type: expect.stringMatching('drop-not-open') } });
  expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(0);
});

it('gives each shopper one place, and admits as many as there are units', async () => {
  await advance(132);
  const tickets = await Promise.all(shoppers.map(take));
  for (const [index, { status, body, text }] of tickets.entries()) {
    expect(status, text).toBe(201);
    shoppers[index]!.ticketId = body.id;
  }
  const again = await take(shoppers[0]!);
  expect(again.body.id).toBe(shoppers[0]!.ticketId);
  const foreign = { ...shoppers[1]!, ticketId: shoppers[0]!.ticketId };
  expect((await ticketOf(foreign)).status).toBe(404);

  await advance(7);
  for (const shopper of shoppers) {
    shopper.position = await until('a position', async () => (await ticketOf(shopper)).body.position);
  }
  shoppers.sort((a, b) => a.position - b.position);
  expect(shoppers.map(({ position }) => position)).toEqual([1, 2, 3, 4]);
  await inState(shoppers[0]!, 'admitted');
  await inState(shoppers[1]!, 'admitted');
  expect((await ticketOf(shoppers[2]!)).body.state).toBe('waiting');
  const shown = await store.request('GET', `/v1/drops/${dropId}`);
  expect(shown).toMatchObject({ status: 200, body: { state: 'open', serving: 2, soldOut: false } });
  expect(shown.headers.get('cache-control')).toBe('public, max-age=1');
});

it('sells to who was admitted, once and within the limit', async () => {
  const [first, second, third] = shoppers as [Shopper, Shopper, Shopper];
  const { admission } = await inState(first, 'admitted');
  const problem = async (answer: Promise<{ status: number; body: any }>) => {
    const { status, body } = await answer;
    return [status, body.type.split('/').at(-1)];
  };
  expect(await problem(buy(third))).toEqual([403, 'admission-required']);
  expect(await problem(buy(third, admission.token))).toEqual([403, 'admission-invalid']);
  const two = { ...line, quantity: 2 };
  const greedy = {
    lines: [two],
    total: await totalOf(store, [two]),
    payWith: null,
    admission: admission.token,
  };
  expect(await problem(order(store, { token: first.token, ...greedy }))).toEqual([409, 'customer-limit']);

  const key = randomUUID();
  const placed = await buy(first, admission.token, key);
  expect(placed.status, placed.text).toBe(201);
  const replayed = await buy(first, admission.token, key);
  expect(replayed).toMatchObject({ status: 201, body: { id: placed.body.id } });
  expect(replayed.headers.get('idempotent-replayed')).toBe('true');
  expect(await problem(buy(first, admission.token))).toEqual([409, 'admission-used']);
  await inState(first, 'used');
  expect((await take(first)).body.id).toBe(first.ticketId);
  expect((await ticketOf(second)).body.state).toBe('admitted');
});

it('admits the next when somebody does not come, and tells the queue when the stock is gone', async () => {
  const [first, second, third, last] = shoppers as [Shopper, Shopper, Shopper, Shopper];
  await pass(holdSeconds + 20);
  await inState(second, 'lapsed');
  const { admission } = await inState(third, 'admitted');
  const placed = await buy(third, admission.token);
  expect(placed.status, placed.text).toBe(201);
  await inState(last, 'sold_out');
  const shown = await until('sold out', async () => {
    const { body } = await store.request('GET', `/v1/drops/${dropId}`);
    return body.soldOut && body;
  });
  expect(shown.state).toBe('sold_out');

  // The unit comes back, and goes to the next in the queue; the shopper may buy again, from the end of it.
  const [orders] = (await store.request('GET', '/v1/orders', { token: first.token })).body.items;
  const cancelled = await store.request('POST', `/v1/orders/${orders.id}/cancel`, {
    token: first.token,
    headers: { 'idempotency-key': randomUUID() },
  });
  expect(cancelled.status).toBe(202);
  await settled(store, first.token, orders.id, { status: 'cancelled' });
  const turn = await inState(last, 'admitted');
  expect((await take(first)).body.id).not.toBe(first.ticketId);
  const sold = await buy(last, turn.admission.token);
  expect(sold.status, sold.text).toBe(201);
  await until('three admissions were used', async () => {
    const { body } = await operate('GET', `/v1/admin/drops/${dropId}`);
    return body.queue.used === 3 && body.stock[0].available === 0;
  });
});

it('holds the terms of its goods still', async () => {
  const change = async (json: unknown) => {
    const answer = await operate('PATCH', `/v1/admin/products/${goods.productId}`, json, { 'if-match': '*' });
    return [answer.status, answer.body.type?.split('/').at(-1)];
  };
  expect(await change({ description: 'The last two.' })).toEqual([200, undefined]);
  expect(await change({ status: 'removed' })).toEqual([409, 'drop-open']);
  const variants = [{ sku: goods.sku, price: { ...goods.price, amount: goods.price.amount + 1 } }];
  expect(await change({ variants })).toEqual([409, 'drop-open']);
  await operate('PATCH', `/v1/admin/drops/${dropId}`, { state: 'paused' }, { 'if-match': '*' });
  expect(await change({ variants })).toEqual([409, 'drop-open']);
  await operate('PATCH', `/v1/admin/drops/${dropId}`, { state: 'open' }, { 'if-match': '*' });
});

it('is paused and resumed by operators', async () => {
  const { headers } = await operate('GET', `/v1/admin/drops/${dropId}`);
  const etag = { 'if-match': headers.get('etag')! };
  const paused = await operate('PATCH', `/v1/admin/drops/${dropId}`, { state: 'paused' }, etag);
  expect(paused).toMatchObject({ status: 200, body: { state: 'paused' } });
  expect((await operate('PATCH', `/v1/admin/drops/${dropId}`, { state: 'open' }, etag)).status).toBe(412);
  const resumed = await operate('PATCH', `/v1/admin/drops/${dropId}`, { state: 'open' }, { 'if-match': '*' });
  expect(resumed.status).toBe(200);
});

it('goes on at the fallback rate while nobody conducts it', async () => {
  const { runtime } = store.cloud;
  const conductor = runtime
    .resources('AWS::Lambda::Function')
    .find(({ properties }) => /admits, once a second/.test(properties.Description))!;
  const restore = runtime.iam.revoke(conductor.properties.Role);
  const late = await Promise.all(Array.from({ length: 3 }, () => store.account()));
  const waiting = late.map(({ token }) => ({ token, ticketId: '', position: 0 }));
  await advance(7);
  for (const shopper of waiting) shopper.ticketId = (await take(shopper)).body.id;
  await advance(12);
  const turns = await Promise.all(waiting.map((shopper) => inState(shopper, 'admitted')));
  expect(new Set(turns.map(({ position }) => position)).size).toBe(3);
  // Admitted, but of what is gone nobody gets anything.
  expect((await buy(waiting[0]!, turns[0].admission.token)).status).toBe(409);
  expect((await buy(late[0]!)).body.type).toMatch('admission-required');

  // Nobody counts arrivals either: orders come in without tickets, one a second.
  await operate(
    'PUT',
    `/v1/admin/stock/${goods.sku}`,
    { adjust: 5, reason: 'found more' },
    { 'idempotency-key': 'more' },
  );
  await advance(120);
  const newcomers = await Promise.all(Array.from({ length: 4 }, () => store.account()));
  const answers = await Promise.all(newcomers.map((one) => buy(one)));
  const accepted = answers.filter(({ status }) => status === 201);
  const refused = answers.filter(({ status }) => status === 503);
  expect(accepted.length + refused.length).toBe(4);
  expect(accepted.length).toBeGreaterThanOrEqual(1);
  expect(refused.length).toBeGreaterThanOrEqual(1);

  restore();
  await advance(60);
  await until('it is conducted again', async () => {
    const { body } = await operate('GET', `/v1/admin/drops/${dropId}`);
    return !body.queue.stale;
  });
  const ended = await operate('PATCH', `/v1/admin/drops/${dropId}`, { state: 'closed' }, { 'if-match': '*' });
  expect(ended.body.state).toBe('closed');
  expect((await take(late[0]!)).body.type).toMatch('drop-closed');
  expect((await buy(late[0]!)).status).toBe(201);

  const path = `/v1/admin/products/${goods.productId}`;
  const remove = () => operate('PATCH', path, { status: 'removed' }, { 'if-match': '*' });
  expect((await remove()).status).toBe(409);
  await advance(121);
  expect((await remove()).status).toBe(200);
});
