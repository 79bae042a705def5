import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { cartKey } from '../../functions/cart/keys.ts';
import { skuKey } from '../../functions/catalog/keys.ts';
import { headerKey, shardKey } from '../../functions/inventory/keys.ts';
import type { PlaceOrderBody } from '../../functions/order/contract.ts';
import type { OrderEvent } from '../../functions/order/domain/order.ts';
import { eventPrefix, orderPartition } from '../../functions/order/keys.ts';
import { customerId } from './actors.ts';
import { noon, type World } from './world.ts';

export const sku = 'sku_cup';
export const cartId = 'crt_1';
const price = 1_000;

export const shippingAddress = {
  name: 'Kim Yuna',
  line1: '1 Sejong-daero',
  city: 'Seoul',
  postalCode: '04524',
  country: 'KR',
};

/** Sets an item without a step. */
export function put(world: World, table: string, item: Record<string, unknown>): void {
  world.tables.execute(new PutCommand({ TableName: table, Item: item }));
}

/** One SKU on sale, with its units by shard. */
export function goods(world: World, units: readonly number[]): void {
  put(world, 'catalog', skuOnSale(price));
  put(world, 'inventory', { ...headerKey(sku), sku, shards: units.length, opened: 0 });
  for (const [shard, available] of units.entries())
    put(world, 'inventory', {
      ...shardKey(sku, shard),
      ...{ sku, shard, available, rev: 0, entered: available },
    });
}

/** The catalogue's item of the SKU, at a price in minor units. */
export function skuOnSale(amount: number, purchasable = true) {
  return {
    ...skuKey(sku),
    sku,
    productId: 'prd_cup',
    name: 'Cup',
    price: { amount, currency: 'KRW' },
    purchasable,
  };
}

/** A cart of the shopper with so many cups. */
export function cart(world: World, quantity: number, version = 1): void {
  put(world, 'cart', {
    ...cartKey(cartId),
    cartId,
    ownerId: customerId,
    version,
    lines: [{ sku, quantity }],
    createdAt: new Date(noon).toISOString(),
    updatedAt: new Date(noon).toISOString(),
    expiresAt: noon / 1000 + 86_400,
  });
}

/** The shopper's request; without a token it is to be paid later. `fee` is what shipping costs. */
export function request(
  token: string | undefined,
  what: { quantity?: number; total?: number; fromCart?: boolean } = {},
): PlaceOrderBody {
  const { quantity = 1, total = quantity * price + 3_000, fromCart = false } = what;
  return {
    ...(fromCart ? { cartId } : { lines: [{ sku, quantity }] }),
    shippingAddress,
    shippingMethod: 'standard',
    expectedTotal: { amount: total, currency: 'KRW' },
    ...(token && { payment: { method: 'card', token } }),
  } as PlaceOrderBody;
}

export function eventsOf(world: World, orderId: string): OrderEvent[] {
  const items = world.tables.partition('order', orderPartition(orderId));
  return items.filter(({ sk }) => sk.startsWith(eventPrefix)) as unknown as OrderEvent[];
}
