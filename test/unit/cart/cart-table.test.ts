import { PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cartTable } from '../../../functions/cart/adapters/cart-table.ts';
import { market } from '../../../functions/cart/adapters/market.ts';
import type { StoredCart } from '../../../functions/cart/domain/cart.ts';
import { closeCartItem, readCart } from '../../../functions/cart/published.ts';
import { cartTable as cartSpec } from '../../../functions/cart/table.infra.ts';
import { skuKey } from '../../../functions/catalog/keys.ts';
import { catalogTable } from '../../../functions/catalog/table.infra.ts';
import { headerKey, shardKey } from '../../../functions/inventory/keys.ts';
import { inventoryTable } from '../../../functions/inventory/table.infra.ts';
import { newId } from '../../../functions/kernel/ids.ts';
import { startDynamo, type TestDynamo } from '../../support/dynamo.ts';

let dynamo: TestDynamo;
let carts: ReturnType<typeof cartTable>;

beforeAll(async () => {
  dynamo = await startDynamo(cartSpec, catalogTable, inventoryTable);
  carts = cartTable(dynamo.documents, dynamo.table('cart'));
});
afterAll(() => dynamo?.stop());

const now = Date.UTC(2026, 0, 1);
const reader = { now };
const aCart = (changes: Partial<StoredCart> = {}): StoredCart => ({
  cartId: newId('crt'),
  version: 1,
  lines: [{ sku: 'sku_lamp', quantity: 2 }],
  currency: 'USD',
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  expiresAt: now / 1000 + 60,
  ...changes,
});
const next = (cart: StoredCart, changes: Partial<StoredCart> = {}): StoredCart => ({
  ...cart,
  version: cart.version + 1,
  ...changes,
});

describe('the cart table', () => {
  it('gives back what it was given', async () => {
    const cart = aCart();
    await carts.createCart(cart);
    expect(await carts.readCart(cart.cartId, reader)).toEqual(cart);
    expect(await carts.readCart('crt_none', reader)).toBeUndefined();
  });

  it('hides what has expired or is another shopper’s', async () => {
    const own = aCart({ ownerId: 'mina' });
    await carts.createCart(own);
    expect(await carts.readCart(own.cartId, reader)).toBeUndefined();
    expect(await carts.readCart(own.cartId, { now, customerId: 'jun' })).toBeUndefined();
    expect(await carts.readCart(own.cartId, { now, customerId: 'mina' })).toEqual(own);
    expect(await carts.readCart(own.cartId, { now: now + 60_000, customerId: 'mina' })).toBeUndefined();
    expect(await carts.currentCartId('mina')).toBe(own.cartId);
    expect(await carts.currentCartId('jun')).toBeUndefined();
  });

  it('lets one of many writers at the same version through', async () => {
    const cart = aCart();
    await carts.createCart(cart);
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        carts.replaceCart(next(cart, { lines: [{ sku: 'sku_lamp', quantity: n + 1 }] })),
      ),
    );
    expect(outcomes.filter(Boolean)).toHaveLength(1);
    const stored = await carts.readCart(cart.cartId, reader);
    expect(stored).toMatchObject({ version: 2, lines: [{ quantity: outcomes.indexOf(true) + 1 }] });
  });

  it('does not bring back a cart that is gone', async () => {
    expect(await carts.replaceCart(next(aCart()))).toBe(false);
  });

  it('claims in one go, or not at all', async () => {
    const guest = aCart();
    await carts.createCart(guest);
    const own = aCart({ ownerId: 'sori' });
    const marked = next(guest, { ownerId: 'sori', claimedBy: own.cartId, lines: [] });
    const claim = { guest: marked, own, customerId: 'sori', pointsTo: undefined };

    expect(await carts.storeClaim({ ...claim, pointsTo: 'crt_other' })).toBe(false);
    expect(await carts.storeClaim({ ...claim, guest: next(marked) })).toBe(false);
    expect(await carts.readCart(guest.cartId, reader)).toEqual(guest);
    expect(await carts.currentCartId('sori')).toBeUndefined();

    expect(await carts.storeClaim(claim)).toBe(true);
    expect(await carts.readCart(guest.cartId, { now, customerId: 'sori' })).toEqual(marked);
    expect(await carts.currentCartId('sori')).toBe(own.cartId);
    expect(await carts.storeClaim(claim)).toBe(false);
  });

  it('claims into no new cart when the shopper has begun another meanwhile', async () => {
    const [before, meanwhile, guest] = [aCart({ ownerId: 'yuna' }), aCart({ ownerId: 'yuna' }), aCart()];
    for (const cart of [before, meanwhile, guest]) await carts.createCart(cart);
    const own = aCart({ ownerId: 'yuna' });
    const marked = next(guest, { ownerId: 'yuna', claimedBy: own.cartId, lines: [] });
    const claim = { guest: marked, own, customerId: 'yuna' };
    expect(await carts.storeClaim({ ...claim, pointsTo: before.cartId })).toBe(false);
    expect(await carts.storeClaim({ ...claim, pointsTo: undefined })).toBe(false);
    expect(await carts.currentCartId('yuna')).toBe(meanwhile.cartId);
    expect(await carts.storeClaim({ ...claim, pointsTo: meanwhile.cartId })).toBe(true);
  });

  it('adds a claim to a cart that the pointer names already, unless that has been ordered', async () => {
    const own = aCart({ ownerId: 'hana' });
    const guest = aCart();
    await carts.createCart(own);
    await carts.createCart(guest);
    const marked = next(guest, { ownerId: 'hana', claimedBy: own.cartId, lines: [] });
    const claim = { guest: marked, own: next(own), customerId: 'hana', pointsTo: own.cartId };
    await close(own, 'ord_1');
    expect(await carts.storeClaim(claim)).toBe(false);
    expect(await carts.storeClaim({ ...claim, own: next(next(own)) })).toBe(false);
    expect(await carts.readCart(guest.cartId, reader)).toEqual(guest);
  });
});

async function close(cart: StoredCart, orderId: string, version = cart.version) {
  const item = closeCartItem(dynamo.table('cart'), { cartId: cart.cartId, version, orderId });
  await dynamo.documents.send(new TransactWriteCommand({ TransactItems: [item] }));
}

describe('closing a cart in an order’s transaction', () => {
  it('marks it, once and for all', async () => {
    const cart = aCart();
    await carts.createCart(cart);
    await close(cart, 'ord_1');
    const closed = await readCart(dynamo.documents, dynamo.table('cart'), cart.cartId, reader);
    expect(closed).toEqual({ ...cart, orderId: 'ord_1', version: 2 });
    expect(await carts.replaceCart(next(next(cart)))).toBe(false);
    await expect(close(cart, 'ord_2', 2)).rejects.toMatchObject({
      CancellationReasons: [{ Code: 'ConditionalCheckFailed', Item: { orderId: { S: 'ord_1' } } }],
    });
  });

  it('fails on another version, showing the cart as it is', async () => {
    const cart = aCart();
    await carts.createCart(cart);
    await carts.replaceCart(next(cart));
    await expect(close(cart, 'ord_1')).rejects.toMatchObject({
      CancellationReasons: [{ Code: 'ConditionalCheckFailed', Item: { version: { N: '2' } } }],
    });
    expect((await carts.readCart(cart.cartId, reader))?.orderId).toBeUndefined();
  });

  it('fails on a cart that is gone', async () => {
    await expect(close(aCart(), 'ord_1')).rejects.toMatchObject({
      CancellationReasons: [{ Code: 'ConditionalCheckFailed' }],
    });
  });
});

describe('the market', () => {
  const read = (skus: readonly string[]) =>
    market(dynamo.documents, {
      CATALOG_TABLE: dynamo.table('catalog'),
      INVENTORY_TABLE: dynamo.table('inventory'),
    })(skus);

  it('is what the catalogue asks and the inventory has, over all shards', async () => {
    const price = {
      sku: 'sku_lamp',
      productId: 'prd_a',
      name: 'Lamp',
      price: { amount: 20_00, currency: 'USD' },
      purchasable: true,
    };
    const put = (table: string, Item: object) =>
      dynamo.documents.send(new PutCommand({ TableName: table, Item: { ...Item } }));
    await put(dynamo.table('catalog'), { ...skuKey('sku_lamp'), ...price });
    await put(dynamo.table('inventory'), { ...headerKey('sku_lamp'), sku: 'sku_lamp', shards: 2, lowAt: 5 });
    for (const [shard, available] of [4, 1].entries()) {
      await put(dynamo.table('inventory'), { ...shardKey('sku_lamp', shard), shard, available, rev: 1 });
    }
    expect(await read(['sku_lamp', 'sku_none'])).toEqual({
      prices: new Map([['sku_lamp', price]]),
      stock: new Map([['sku_lamp', { availability: 'low', available: 5 }]]),
    });
  });

  it('may be asked for nothing', async () => {
    expect(await read([])).toEqual({ prices: new Map(), stock: new Map() });
  });
});
