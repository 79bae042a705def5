import { cartKey } from '../../functions/cart/keys.ts';
import { quote } from '../../functions/cart/published.ts';
import { readAvailability } from '../../functions/catalog/adapters/availability.ts';
import { readHeldStill } from '../../functions/catalog/adapters/held-still.ts';
import { productTable } from '../../functions/catalog/adapters/product-table.ts';
import { changeProduct } from '../../functions/catalog/app/change-product.ts';
import { etagOf, shown, type VersionedProduct } from '../../functions/catalog/domain/product.ts';
import { skuKey } from '../../functions/catalog/keys.ts';
import type { SkuPrice } from '../../functions/catalog/published.ts';
import { openDrop } from '../../functions/inventory/adapters/open-drop.ts';
import { stockTable } from '../../functions/inventory/adapters/stock-table.ts';
import { adjustStock } from '../../functions/inventory/app/adjust-stock.ts';
import { setAvailable } from '../../functions/inventory/app/set-available.ts';
import { setShards } from '../../functions/inventory/app/set-shards.ts';
import { headerKey, shardKey } from '../../functions/inventory/keys.ts';
import { isoInstant } from '../../functions/kernel/clock.ts';
import type { Money } from '../../functions/kernel/contract.ts';
import { newId } from '../../functions/kernel/ids.ts';
import type { PlaceOrderBody } from '../../functions/order/contract.ts';
import { put, shippingAddress } from './given.ts';
import type { Plan } from './plan.ts';
import type { World } from './world.ts';

type Lines = readonly { readonly sku: string; readonly quantity: number }[];

/** The goods, and what operators do with them through the product's use cases and adapters. */
export class Shop {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Puts everything on sale before the day begins. */
  async open({ goods, start }: Plan): Promise<void> {
    for (const { sku, price, units } of goods) {
      const product: VersionedProduct = {
        id: productIdOf(sku),
        name: `Cup ${sku}`,
        description: 'Celadon',
        category: 'cups',
        style: 'plain',
        featured: false,
        promoted: false,
        channels: ['web'],
        status: 'active',
        variants: [{ sku, attributes: {}, price: { amount: price, currency: 'KRW' } }],
        version: 1,
        createdAt: isoInstant(start),
        updatedAt: isoInstant(start),
      };
      await productTable(this.#world.documents(), 'catalog').insert(product);
      put(this.#world, 'inventory', { ...headerKey(sku), sku, shards: units.length, opened: 0 });
      for (const [shard, available] of units.entries())
        put(this.#world, 'inventory', {
          ...shardKey(sku, shard),
          ...{ sku, shard, available, rev: 0, entered: available },
        });
    }
  }

  cart(cartId: string, ownerId: string, lines: Lines): void {
    const { now } = this.#world;
    const at = isoInstant(now);
    const times = { createdAt: at, updatedAt: at, expiresAt: now / 1_000 + 86_400 };
    put(this.#world, 'cart', { ...cartKey(cartId), cartId, ownerId, version: 1, lines, ...times });
  }

  /** What the shopper is shown that an order comes to. */
  totalOf(lines: Lines): Money {
    const priced = lines.map(({ sku, quantity }) => {
      const { pk, sk } = skuKey(sku);
      return { ...(this.#world.tables.item('catalog', pk, sk) as unknown as SkuPrice), quantity };
    });
    return quote(priced, { country: 'KR', shippingMethod: 'standard' }).total;
  }

  order(
    what: { readonly cartId: string } | { readonly lines: Lines },
    expectedTotal: Money,
    { token }: { readonly token?: string },
  ): PlaceOrderBody {
    return {
      ...what,
      shippingAddress,
      shippingMethod: 'standard',
      expectedTotal,
      ...(token && { payment: { method: 'card', token } }),
    } as PlaceOrderBody;
  }

  /** Whether the shopper still sees it unpaid. */
  isPlaced(orderId: string): boolean {
    const ends = ['payment.captured', 'order.cancelled', 'order.expired'];
    const events = this.#world.tables.partition('order', `ORDER#${orderId}`);
    return !events.some(({ type }) => ends.includes(type));
  }

  reprice = (actor: string, sku: string, amount: number) =>
    this.#changes(actor, sku, { variants: [{ sku, attributes: {}, price: { amount, currency: 'KRW' } }] });

  withdraw = (actor: string, sku: string) => this.#changes(actor, sku, { status: 'removed' });

  adjust = (actor: string, sku: string, adjust: number, idempotencyKey: string) =>
    adjustStock(this.#stock(actor))({ sku, adjust, reason: 'counted', by: 'operator-1', idempotencyKey });

  set = (actor: string, sku: string, available: number) =>
    setAvailable({
      ...this.#stock(actor),
      openDrop: openDrop(this.#world.documents(actor), 'admission', this.#world.clockOf(actor)),
    })(sku, available, '*');

  addShards = (actor: string, sku: string, count: number) =>
    setShards(this.#stock(actor))({ params: { sku }, body: { count } });

  async #changes(actor: string, sku: string, body: any) {
    const documents = this.#world.documents(actor);
    const table = productTable(documents, 'catalog');
    const availability = readAvailability(documents, 'inventory');
    const before = await table.glimpse(productIdOf(sku));
    if (!before) throw new Error(`there is no product of ${sku}`);
    const ifMatch = etagOf(before.version, shown(before, await availability([sku])));
    const now = this.#world.clockOf(actor);
    const heldStill = readHeldStill(documents, 'admission', now);
    const ports = { ...table, availability, heldStill, newId, now };
    return changeProduct(ports)({ params: { productId: productIdOf(sku) }, body, ifMatch });
  }

  #stock(actor: string) {
    const { sleep, random } = this.#world;
    const now = this.#world.clockOf(actor);
    const table = stockTable(this.#world.documents(actor), 'inventory', now);
    return { ...table, now, sleep, random: () => random(actor) };
  }
}

const productIdOf = (sku: string) => sku.replace('sku', 'prd');
