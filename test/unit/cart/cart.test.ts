import { beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { claimCart } from '../../../functions/cart/app/claim-cart.ts';
import { createCart } from '../../../functions/cart/app/create-cart.ts';
import { deleteCartLine } from '../../../functions/cart/app/delete-cart-line.ts';
import { getCart } from '../../../functions/cart/app/get-cart.ts';
import { putCartLine } from '../../../functions/cart/app/put-cart-line.ts';
import * as contract from '../../../functions/cart/contract.ts';
import { MemoryCarts } from './memory-carts.ts';

const day = 24 * 60 * 60 * 1000;
let store: MemoryCarts;

beforeEach(() => {
  store = new MemoryCarts();
  store.sell('sku_lamp', 20_00);
  store.sell('sku_chair', 45_00, 'USD', 3);
  store.sell('sku_tea', 9_900, 'KRW');
});

type Query = { country?: string; shippingMethod?: 'standard' | 'express' };
type Body = { currency?: 'USD' | 'KRW'; country?: string; lines?: { sku: string; quantity: number }[] };

/** A client: a guest, or the shopper `customerId`. Every answer is held against the contract. */
function client(customerId?: string) {
  const request = (rest: object) =>
    ({
      caller: customerId && { customerId, groups: [] },
      query: { shippingMethod: 'standard' },
      ...rest,
    }) as never;
  const checked = async <A extends { body: unknown }>(answer: Promise<A>) => {
    const { body, ...rest } = await answer;
    return { ...rest, body: z.parse(contract.cart, body) };
  };
  return {
    create: (body: Body = {}) => checked(createCart(store)(request({ body }))),
    get: (cartId: string, query: Query = {}) =>
      checked(
        getCart(store)(request({ params: { cartId }, query: { shippingMethod: 'standard', ...query } })),
      ),
    put: (cartId: string, sku: string, quantity: number, ifMatch = '*') =>
      checked(putCartLine(store)(request({ params: { cartId, sku }, body: { quantity }, ifMatch }))),
    remove: (cartId: string, sku: string, ifMatch = '*') =>
      checked(deleteCartLine(store)(request({ params: { cartId, sku }, ifMatch }))),
    claim: (cartId: string) => checked(claimCart(store)(request({ params: { cartId } }))),
  };
}

const guest = client();
const mina = client('mina');
const jun = client('jun');
const refused = (code: string, members: object = {}) =>
  expect.objectContaining({ code, members: expect.objectContaining(members) });
const linesOf = ({ body }: { body: contract.Cart }) => body.lines.map(({ sku, quantity }) => [sku, quantity]);

describe('a new cart', () => {
  it('is empty and in dollars to the US, unless told', async () => {
    const { status, body, headers } = await guest.create();
    expect(status).toBe(201);
    expect(headers).toEqual({ etag: '"1"', location: `/v1/carts/${body.id}` });
    expect(body).toMatchObject({
      status: 'open',
      version: 1,
      currency: 'USD',
      country: 'US',
      lines: [],
      total: { amount: 0, currency: 'USD' },
      shipping: { amount: 0, currency: 'USD' },
      expiresAt: '2026-01-31T00:00:00.000Z',
    });
    expect((await guest.create({ currency: 'KRW', country: 'KR' })).body).toMatchObject({
      currency: 'KRW',
      country: 'KR',
      total: { amount: 0, currency: 'KRW' },
      taxIncluded: true,
    });
  });

  it('may begin with lines; what is sent twice adds up', async () => {
    const lines = [
      { sku: 'sku_lamp', quantity: 1 },
      { sku: 'sku_chair', quantity: 1 },
      { sku: 'sku_lamp', quantity: 2 },
    ];
    const answer = await guest.create({ lines });
    expect(linesOf(answer)).toEqual([
      ['sku_lamp', 3],
      ['sku_chair', 1],
    ]);
    expect(answer.body.total).toEqual({ amount: 105_00, currency: 'USD' });
  });

  it.each<[string, Body, object]>([
    [
      'a SKU that there is not',
      {
        lines: [
          { sku: 'sku_lamp', quantity: 1 },
          { sku: 'sku_x', quantity: 1 },
        ],
      },
      refused('validation-failed', {
        errors: [{ pointer: '#/lines/1/sku', message: expect.stringContaining('sku_x') }],
      }),
    ],
    [
      'two currencies',
      {
        lines: [
          { sku: 'sku_lamp', quantity: 1 },
          { sku: 'sku_tea', quantity: 1 },
        ],
      },
      refused('currency-mismatch', { currency: 'USD', skus: ['sku_tea'] }),
    ],
    [
      'a currency that its lines are not in',
      { currency: 'KRW', lines: [{ sku: 'sku_lamp', quantity: 1 }] },
      refused('currency-mismatch', { currency: 'KRW' }),
    ],
    [
      'more units than a line holds, in two goes',
      {
        lines: [
          { sku: 'sku_lamp', quantity: 999 },
          { sku: 'sku_lamp', quantity: 1 },
        ],
      },
      refused('validation-failed'),
    ],
    [
      'more than 50 SKUs',
      { lines: Array.from({ length: 51 }, (_, n) => ({ sku: `sku_${n}`, quantity: 1 })) },
      refused('too-many-lines'),
    ],
  ])('is refused with %s', async (_, body, error) => {
    await expect(guest.create(body)).rejects.toEqual(error);
    expect(store.carts.size).toBe(0);
  });
});

describe('the body of a line', () => {
  const { body } = contract.putCartLine;
  it.each([1, 999])('takes %d', (quantity) => {
    expect(z.safeParse(body, { quantity }).success).toBe(true);
  });

  it.each([0, -1, 1000, 1.5, '1', null])('does not take %s', (quantity) => {
    expect(z.safeParse(body, { quantity }).success).toBe(false);
  });

  it('advises to DELETE in place of 0', () => {
    expect(z.safeParse(body, { quantity: 0 }).error?.issues[0]?.message).toContain('DELETE');
  });
});

describe('a line', () => {
  it('is put in, changed in its place, and taken out', async () => {
    const { body } = await guest.create();
    await guest.put(body.id, 'sku_lamp', 1);
    await guest.put(body.id, 'sku_chair', 2);
    const changed = await guest.put(body.id, 'sku_lamp', 5);
    expect(linesOf(changed)).toEqual([
      ['sku_lamp', 5],
      ['sku_chair', 2],
    ]);
    expect(changed.headers.etag).toBe('"4"');
    const removed = await guest.remove(body.id, 'sku_lamp');
    expect(linesOf(removed)).toEqual([['sku_chair', 2]]);
    expect(linesOf(await guest.get(body.id))).toEqual([['sku_chair', 2]]);
  });

  it('that changes nothing writes nothing', async () => {
    const { body } = await guest.create({ lines: [{ sku: 'sku_lamp', quantity: 1 }] });
    const { writes } = store;
    expect((await guest.put(body.id, 'sku_lamp', 1)).headers.etag).toBe('"1"');
    expect((await guest.remove(body.id, 'sku_chair')).headers.etag).toBe('"1"');
    expect(store.writes).toBe(writes);
  });

  it('of a SKU that is not sold is refused by name', async () => {
    const { body } = await guest.create();
    await expect(guest.put(body.id, 'sku_x', 1)).rejects.toEqual(
      refused('validation-failed', {
        errors: [expect.objectContaining({ message: expect.stringContaining('sku_x') })],
      }),
    );
    store.prices.set('sku_lamp', { ...store.prices.get('sku_lamp')!, purchasable: false });
    await expect(guest.put(body.id, 'sku_lamp', 1)).rejects.toEqual(refused('validation-failed'));
  });

  it('gives the cart its currency, and is refused in another', async () => {
    const { body } = await guest.create();
    expect((await guest.put(body.id, 'sku_tea', 1)).body.currency).toBe('KRW');
    await expect(guest.put(body.id, 'sku_lamp', 1)).rejects.toEqual(
      refused('currency-mismatch', { currency: 'KRW' }),
    );
    await guest.remove(body.id, 'sku_tea');
    await expect(guest.put(body.id, 'sku_lamp', 1)).rejects.toEqual(refused('currency-mismatch'));
  });

  it('is not the 51st', async () => {
    const skus = Array.from({ length: 50 }, (_, n) => `sku_${n}`);
    for (const sku of skus) store.sell(sku, 1);
    const { body } = await guest.create({ lines: skus.map((sku) => ({ sku, quantity: 1 })) });
    await expect(guest.put(body.id, 'sku_lamp', 1)).rejects.toEqual(refused('too-many-lines'));
    expect((await guest.put(body.id, 'sku_7', 2)).body.lines).toHaveLength(50);
  });

  it('is not stored when its price is beyond what an amount can hold', async () => {
    store.sell('sku_lamp', Number.MAX_SAFE_INTEGER);
    const { body } = await guest.create();
    await expect(guest.put(body.id, 'sku_lamp', 2)).rejects.toEqual(refused('validation-failed'));
    expect((await guest.get(body.id)).body.lines).toEqual([]);
  });
});

describe('If-Match', () => {
  it('takes the version that was read, in a list too, and no other', async () => {
    const { body } = await guest.create();
    await guest.put(body.id, 'sku_lamp', 1, '"1"');
    for (const stale of ['"1"', 'W/"2"', '2', '"1", "3"']) {
      await expect(guest.put(body.id, 'sku_lamp', 2, stale)).rejects.toEqual(
        refused('precondition-failed', { etag: '"2"' }),
      );
      await expect(guest.remove(body.id, 'sku_lamp', stale)).rejects.toEqual(refused('precondition-failed'));
    }
    expect((await guest.put(body.id, 'sku_lamp', 2, '"1", "2"')).headers.etag).toBe('"3"');
  });

  it('holds against a change that comes between reading and writing', async () => {
    const { body } = await guest.create();
    const other = () => {
      const cart = store.carts.get(body.id)!;
      store.carts.set(body.id, {
        ...cart,
        version: cart.version + 1,
        lines: [{ sku: 'sku_chair', quantity: 1 }],
      });
    };
    store.meanwhile = other;
    await expect(guest.put(body.id, 'sku_lamp', 1, '"1"')).rejects.toEqual(refused('precondition-failed'));
    store.meanwhile = other;
    // With `*` both changes are in.
    expect(linesOf(await guest.put(body.id, 'sku_lamp', 1))).toEqual([
      ['sku_chair', 1],
      ['sku_lamp', 1],
    ]);
  });

  it('gives up when the cart never stands still', async () => {
    const { body } = await guest.create();
    const disturb = () => {
      const cart = store.carts.get(body.id)!;
      store.carts.set(body.id, { ...cart, version: cart.version + 1 });
      store.meanwhile = disturb;
    };
    store.meanwhile = disturb;
    await expect(guest.put(body.id, 'sku_lamp', 1)).rejects.toEqual(refused('temporary-reduced-capacity'));
  });
});

describe('a cart is priced now', () => {
  it('at the prices and the stock of the moment', async () => {
    const { body } = await guest.create({ lines: [{ sku: 'sku_chair', quantity: 3 }] });
    expect(body.lines[0]).toMatchObject({
      name: 'Name of sku_chair',
      unitPrice: { amount: 45_00, currency: 'USD' },
      total: { amount: 135_00, currency: 'USD' },
      availability: 'in_stock',
      enough: true,
      unavailable: false,
    });
    store.sell('sku_chair', 50_00, 'USD', 2);
    const later = await guest.get(body.id);
    expect(later.body.lines[0]).toMatchObject({ unitPrice: { amount: 50_00 }, enough: false });
    expect(later.headers.etag).toBe('"1"');
    store.stock.delete('sku_chair');
    expect((await guest.get(body.id)).body.lines[0]).toMatchObject({
      availability: 'sold_out',
      enough: false,
    });
  });

  it('for the destination that is asked for, or that of the cart', async () => {
    const { body } = await guest.create({ country: 'DE', lines: [{ sku: 'sku_lamp', quantity: 1 }] });
    expect(body).toMatchObject({
      country: 'DE',
      taxIncluded: true,
      tax: { amount: 3_19 },
      shipping: { amount: 5_99 },
    });
    const other = await guest.get(body.id, { country: 'US', shippingMethod: 'express' });
    expect(other.body).toMatchObject({ taxIncluded: false, tax: { amount: 0 }, shipping: { amount: 14_99 } });
  });

  it('without the lines that cannot be bought any more, which stay and are flagged', async () => {
    const lines = [
      { sku: 'sku_lamp', quantity: 1 },
      { sku: 'sku_chair', quantity: 1 },
    ];
    const { body } = await guest.create({ lines });
    store.prices.delete('sku_chair');
    const gone = await guest.get(body.id);
    expect(gone.body.lines[1]).toEqual({ sku: 'sku_chair', quantity: 1, unavailable: true });
    expect(gone.body.subtotal.amount).toBe(20_00);
    store.sell('sku_chair', 9_900, 'KRW');
    expect((await guest.get(body.id)).body.lines[1]).toEqual({
      sku: 'sku_chair',
      quantity: 1,
      unavailable: true,
    });
    store.prices.clear();
    expect((await guest.get(body.id)).body).toMatchObject({ total: { amount: 0 }, shipping: { amount: 0 } });
    // It can still be taken out.
    expect(linesOf(await guest.remove(body.id, 'sku_chair'))).toEqual([['sku_lamp', 1]]);
  });
});

describe('a cart is there', () => {
  it("for its owner, and a guest's for whoever knows its id", async () => {
    const own = await mina.create();
    const loose = await guest.create();
    expect((await mina.get(own.body.id)).status).toBe(200);
    for (const other of [guest, jun]) {
      await expect(other.get(own.body.id)).rejects.toEqual(refused('not-found'));
      await expect(other.put(own.body.id, 'sku_lamp', 1)).rejects.toEqual(refused('not-found'));
      await expect(other.remove(own.body.id, 'sku_lamp')).rejects.toEqual(refused('not-found'));
      expect((await other.get(loose.body.id)).status).toBe(200);
    }
    await expect(jun.claim(own.body.id)).rejects.toEqual(refused('not-found'));
    await expect(mina.get('crt_unknown')).rejects.toEqual(refused('not-found'));
  });

  it('until 30 days after its last change', async () => {
    const { body } = await guest.create();
    store.time += 29 * day;
    await guest.put(body.id, 'sku_lamp', 1);
    store.time += 30 * day - 1;
    expect((await guest.get(body.id)).status).toBe(200);
    store.time += 1;
    await expect(guest.get(body.id)).rejects.toEqual(refused('not-found'));
    await expect(guest.put(body.id, 'sku_lamp', 1)).rejects.toEqual(refused('not-found'));
    await expect(mina.claim(body.id)).rejects.toEqual(refused('not-found'));
  });
});

describe('an ordered cart', () => {
  it('can be read, and takes nothing more', async () => {
    const { body } = await mina.create({ lines: [{ sku: 'sku_lamp', quantity: 1 }] });
    store.order(body.id, 'ord_9');
    expect((await mina.get(body.id)).body).toMatchObject({ status: 'closed', orderId: 'ord_9' });
    // Closed is said before a stale version is.
    for (const ifMatch of ['*', '"1"']) {
      await expect(mina.put(body.id, 'sku_lamp', 2, ifMatch)).rejects.toEqual(
        refused('cart-closed', { orderId: 'ord_9' }),
      );
      await expect(mina.remove(body.id, 'sku_lamp', ifMatch)).rejects.toEqual(
        refused('cart-closed', { orderId: 'ord_9' }),
      );
    }
  });

  it('wins against a change that comes between', async () => {
    const { body } = await mina.create({ lines: [{ sku: 'sku_lamp', quantity: 1 }] });
    store.meanwhile = () => store.order(body.id, 'ord_9');
    await expect(mina.put(body.id, 'sku_lamp', 2)).rejects.toEqual(
      refused('cart-closed', { orderId: 'ord_9' }),
    );
    expect(store.carts.get(body.id)?.lines).toEqual([{ sku: 'sku_lamp', quantity: 1 }]);
  });
});

describe('claiming a guest cart', () => {
  const two = [
    { sku: 'sku_lamp', quantity: 2 },
    { sku: 'sku_chair', quantity: 1 },
  ];

  it("adds its lines to the shopper's own cart, once", async () => {
    const own = await mina.create({ lines: [{ sku: 'sku_lamp', quantity: 3 }] });
    const loose = await guest.create({ lines: two });
    const claimed = await mina.claim(loose.body.id);
    expect(claimed.body.id).toBe(own.body.id);
    expect(linesOf(claimed)).toEqual([
      ['sku_lamp', 5],
      ['sku_chair', 1],
    ]);
    const { writes } = store;
    expect(await mina.claim(loose.body.id)).toEqual(claimed);
    expect(store.writes).toBe(writes);
  });

  it('begins a cart for a shopper who has none, or whose own has been ordered or has expired', async () => {
    const first = await mina.claim((await guest.create({ country: 'KR', lines: two })).body.id);
    expect(first.body).toMatchObject({ version: 1, country: 'KR', status: 'open' });
    expect((await mina.get(first.body.id)).status).toBe(200);
    await expect(guest.get(first.body.id)).rejects.toEqual(refused('not-found'));

    store.order(first.body.id);
    const second = await mina.claim((await guest.create({ lines: two })).body.id);
    expect(second.body.id).not.toBe(first.body.id);
    expect(linesOf(second)).toEqual([
      ['sku_lamp', 2],
      ['sku_chair', 1],
    ]);

    store.time += 31 * day;
    const third = await mina.claim((await guest.create({ lines: two })).body.id);
    expect(third.body.id).not.toBe(second.body.id);
    expect(linesOf(await mina.claim((await guest.create({ lines: two })).body.id))).toEqual([
      ['sku_lamp', 4],
      ['sku_chair', 2],
    ]);
  });

  it('is remembered by the guest cart, which is the shopper’s from then on', async () => {
    const loose = await guest.create({ lines: two });
    const { body } = await mina.claim(loose.body.id);
    expect((await mina.get(loose.body.id)).body).toMatchObject({
      status: 'claimed',
      claimedBy: body.id,
      lines: [],
    });
    await expect(mina.put(loose.body.id, 'sku_lamp', 1)).rejects.toEqual(
      refused('cart-closed', { claimedBy: body.id }),
    );
    for (const other of [guest, jun])
      await expect(other.get(loose.body.id)).rejects.toEqual(refused('not-found'));
    await expect(jun.claim(loose.body.id)).rejects.toEqual(refused('not-found'));
  });

  it('of one’s own is no deed', async () => {
    const own = await mina.create({ lines: two });
    expect(await mina.claim(own.body.id)).toMatchObject({
      status: 200,
      body: { id: own.body.id, version: 1 },
    });
  });

  it('is refused when the cart has been ordered', async () => {
    const loose = await guest.create({ lines: two });
    store.order(loose.body.id, 'ord_9');
    await expect(mina.claim(loose.body.id)).rejects.toEqual(refused('cart-closed', { orderId: 'ord_9' }));
  });

  it('is refused in another currency, and loses nothing', async () => {
    const own = await mina.create({ lines: [{ sku: 'sku_tea', quantity: 1 }] });
    const loose = await guest.create({ lines: two });
    await expect(mina.claim(loose.body.id)).rejects.toEqual(
      refused('currency-mismatch', { currency: 'KRW' }),
    );
    expect(linesOf(await guest.get(loose.body.id))).toHaveLength(2);
    expect(linesOf(await mina.get(own.body.id))).toEqual([['sku_tea', 1]]);
    // An empty cart takes the currency of what comes into it.
    await jun.create({ currency: 'KRW' });
    expect((await jun.claim(loose.body.id)).body).toMatchObject({
      currency: 'USD',
      subtotal: { amount: 85_00 },
    });
  });

  it('is refused beyond 50 SKUs, and loses nothing', async () => {
    const skus = Array.from({ length: 49 }, (_, n) => `sku_${n}`);
    for (const sku of skus) store.sell(sku, 1);
    await mina.create({ lines: skus.map((sku) => ({ sku, quantity: 1 })) });
    const loose = await guest.create({ lines: two });
    await expect(mina.claim(loose.body.id)).rejects.toEqual(refused('too-many-lines'));
    expect(linesOf(await guest.get(loose.body.id))).toHaveLength(2);
  });

  it('cuts a line at what it may hold', async () => {
    await mina.create({ lines: [{ sku: 'sku_lamp', quantity: 998 }] });
    const loose = await guest.create({ lines: two });
    expect(linesOf(await mina.claim(loose.body.id))[0]).toEqual(['sku_lamp', 999]);
  });

  it('takes in what is changed meanwhile, on either side', async () => {
    const own = await mina.create({ currency: 'USD' });
    const loose = await guest.create({ lines: two });
    store.meanwhile = () => {
      for (const id of [own.body.id, loose.body.id]) {
        const cart = store.carts.get(id)!;
        const lines = [...cart.lines, { sku: 'sku_rug', quantity: 1 }];
        store.carts.set(id, { ...cart, version: cart.version + 1, lines });
      }
    };
    store.sell('sku_rug', 1_00);
    expect(linesOf(await mina.claim(loose.body.id)).sort()).toEqual([
      ['sku_chair', 1],
      ['sku_lamp', 2],
      ['sku_rug', 2],
    ]);
  });
});
