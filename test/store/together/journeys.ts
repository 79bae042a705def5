import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  address,
  charges,
  left,
  order,
  type Store,
  sell,
  settled,
  totalOf,
  until,
} from '../../../bench/store.ts';
import { sharedStore } from './shared-store.ts';

let store: Store;
beforeAll(async () => {
  store = await sharedStore();
});

/** A shopper who has placed an order for one piece of something new. */
async function ordered(options: { payWith?: string | null; language?: string; stock?: number } = {}) {
  const { sku } = await sell(store, { stock: options.stock ?? 3 });
  const lines = [{ sku, quantity: 1 }];
  const total = await totalOf(store, lines);
  const { email, token } = await store.account();
  const placed = await order(store, { token, lines, total, ...options });
  expect(placed.status).toBe(201);
  return { sku, lines, total, email, token, orderId: placed.body.id as string };
}

const post = (token: string, path: string, json?: unknown) =>
  store.request('POST', path, {
    token,
    headers: { 'idempotency-key': randomUUID() },
    ...(json !== undefined && { json }),
  });

const mails = async (email: string) =>
  (await store.request('GET', `/_local/messages?to=${encodeURIComponent(email)}`)).body.items as {
    subject: string;
    text: string;
  }[];

const mailed = (email: string, subject: RegExp) =>
  until(`an e-mail with ${subject}`, async () =>
    (await mails(email)).find((mail) => subject.test(mail.subject)),
  );

const history = async (token: string, orderId: string) =>
  (await store.request('GET', `/v1/orders/${orderId}/events`, { token })).body.items.map(
    ({ type }: { type: string }) => type,
  );

const advance = (seconds: number) =>
  store.request('POST', '/_local/clock', { json: { advanceSeconds: seconds } });

/** Runs the sweep of due reservations now. */
const sweep = () => store.request('POST', '/_local/schedules/sweep-due/run', { json: {} });

describe('a shopper whose card is declined', () => {
  it('hears why, and pays the same order with another card', async () => {
    const { email, token, orderId } = await ordered({ payWith: 'tok_insufficient_funds' });
    await settled(store, token, orderId, { status: 'placed', payment: 'declined' });
    await mailed(email, /declined|not go through|payment/i);
    const again = await post(token, `/v1/orders/${orderId}/payments`, {
      method: 'card',
      token: 'tok_approve',
    });
    expect(again.status).toBe(202);
    const paid = await settled(store, token, orderId, { payment: 'captured' });
    expect(paid.status).toBe('paid');
    expect(await history(token, orderId)).toEqual([
      'order.placed',
      'payment.declined',
      'payment.requested',
      'capture.requested',
      'payment.captured',
    ]);
    const mine = (await charges(store)).filter((charge) => charge.orderId === orderId);
    expect(mine.map(({ status }) => status).sort()).toEqual(['captured', 'declined']);
  });
});

describe('a shopper who changes her mind', () => {
  it('cancels before paying: the unit is back, nothing was charged', async () => {
    const { sku, token, orderId } = await ordered({ payWith: null });
    expect(await left(store, sku)).toBe(2);
    const cancelled = await post(token, `/v1/orders/${orderId}/cancel`);
    expect(cancelled.status).toBe(202);
    expect(cancelled.body.status).toBe('cancelled');
    expect(await left(store, sku)).toBe(3);
    expect((await post(token, `/v1/orders/${orderId}/cancel`)).status).toBe(202);
    expect(await left(store, sku)).toBe(3);
    expect((await charges(store)).filter((charge) => charge.orderId === orderId)).toEqual([]);
  });

  it('cancels while the payment is under way: the order ends, and no money is kept', async () => {
    const { sku, token, orderId } = await ordered({ payWith: 'tok_slow' });
    expect((await post(token, `/v1/orders/${orderId}/cancel`)).status).toBe(202);
    await settled(store, token, orderId, { status: 'cancelled' });
    expect(await left(store, sku)).toBe(3);
    const [charge] = (await charges(store)).filter((one) => one.orderId === orderId);
    expect(charge?.status).toBe('voided');
  });

  it('cancels after paying: refunded in full, with an e-mail', async () => {
    const { sku, email, token, orderId } = await ordered({ language: 'ko' });
    await settled(store, token, orderId, { payment: 'captured' });
    await post(token, `/v1/orders/${orderId}/cancel`);
    const refunded = await settled(store, token, orderId, { status: 'cancelled', payment: 'refunded' });
    expect(refunded.payment.amountRefunded).toEqual(refunded.total);
    expect(await left(store, sku)).toBe(3);
    await mailed(email, /환불/);
  });
});

describe('an order that nobody pays', () => {
  it('expires when its time is over, gives its unit back once, and cannot be paid any more', async () => {
    const { sku, email, token, orderId } = await ordered({ payWith: null });
    await sweep();
    expect(await history(token, orderId)).toEqual(['order.placed']);
    await advance(16 * 60);
    await sweep();
    await settled(store, token, orderId, { status: 'expired' });
    await sweep();
    expect(await left(store, sku)).toBe(3);
    await mailed(email, /expired/i);
    const late = await post(token, `/v1/orders/${orderId}/payments`, {
      method: 'card',
      token: 'tok_approve',
    });
    expect(late.status).toBe(409);
    expect(late.body.type).toBe('https://floodgate.dev/problems/order-state');
  });
});

describe('an operator who refunds', () => {
  it('gives a part back, then the rest, and not more', async () => {
    const { email, token, orderId } = await ordered();
    const paid = await settled(store, token, orderId, { payment: 'captured' });
    const operator = await store.operator();
    const refund = (json: object) => post(operator, `/v1/admin/orders/${orderId}/refunds`, json);
    const part = await refund({ amount: { amount: 500, currency: 'USD' }, reason: 'scratched' });
    expect(part.status).toBe(201);
    await settled(store, token, orderId, { payment: 'partially_refunded' });
    expect((await refund({ reason: 'returned' })).body.amount.amount).toBe(paid.total.amount - 500);
    await settled(store, token, orderId, { payment: 'refunded' });
    expect((await refund({ reason: 'again' })).status).toBe(409);
    await mailed(email, /refund/i);
    const [charge] = (await charges(store)).filter((one) => one.orderId === orderId);
    expect(charge).toMatchObject({ status: 'refunded', refunded: paid.total });
  });
});

describe('a guest who signs in', () => {
  it('takes her cart along, orders it once, and finds it closed afterwards', async () => {
    const { sku } = await sell(store, { stock: 5 });
    const { body: guest } = await store.request('POST', '/v1/carts', {
      json: { lines: [{ sku, quantity: 2 }] },
    });
    const { token } = await store.account();
    const claimed = await store.request('POST', `/v1/carts/${guest.id}/claim`, { token, json: {} });
    expect(claimed.status).toBe(200);
    const cart = await store.request('GET', `/v1/carts/${claimed.body.id}?country=${address.country}`, {
      token,
    });
    expect(cart.body.lines).toMatchObject([{ sku, quantity: 2, enough: true }]);
    const request = (key: string) =>
      store.request('POST', '/v1/orders', {
        token,
        headers: { 'idempotency-key': key },
        json: {
          cartId: claimed.body.id,
          shippingAddress: address,
          expectedTotal: cart.body.total,
          payment: { method: 'card', token: 'tok_approve' },
        },
      });
    const placed = await request('first');
    expect(placed.status).toBe(201);
    expect(placed.headers.get('location')).toBe(`/v1/orders/${placed.body.id}`);
    const second = await request('second');
    expect(second.status).toBe(409);
    expect(second.body).toMatchObject({
      type: 'https://floodgate.dev/problems/cart-closed',
      orderId: placed.body.id,
    });
    const repeated = await request('first');
    expect(repeated.status).toBe(201);
    expect(repeated.text).toBe(placed.text);
    expect(await left(store, sku)).toBe(3);
  });
});

describe('a shopper who writes Korean', () => {
  it('gets the confirmation in Korean, once', async () => {
    const { email, token, orderId } = await ordered({ language: 'ko-KR,ko;q=0.9,en;q=0.5' });
    const paid = await settled(store, token, orderId, { payment: 'captured' });
    const mail = await mailed(email, /결제/);
    expect(mail.text).toContain(paid.number);
    expect(await mails(email)).toHaveLength(1);
  });
});

describe('an order history', () => {
  it("is listed newest first, page by page, and is nobody else's business", async () => {
    const { token, orderId, lines, total } = await ordered({ stock: 5 });
    const second = await order(store, { token, lines, total });
    const first = await store.request('GET', '/v1/orders?limit=1', { token });
    expect(first.body.items.map(({ id }: { id: string }) => id)).toEqual([second.body.id]);
    const link = /<([^>]+)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    const rest = await store.request('GET', link, { token });
    expect(rest.body.items.map(({ id }: { id: string }) => id)).toEqual([orderId]);
    expect(rest.body.next).toBeUndefined();
    const stranger = await store.account();
    for (const path of [`/v1/orders/${orderId}`, `/v1/orders/${orderId}/events`]) {
      expect((await store.request('GET', path, stranger)).status).toBe(404);
    }
    const stolen = await store.request('GET', `/v1/orders?limit=1&cursor=${first.body.next}`, stranger);
    expect(stolen.status).toBe(400);
  });
});
