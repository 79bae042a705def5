import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { fallbackSlot, readEntries } from '../../admission/published.ts';
import { readCart } from '../../cart/published.ts';
import { readPrices } from '../../catalog/published.ts';
import { closeLatch, readShards, reportHeat, snapshot, soldOutAmong } from '../../inventory/published.ts';
import type { Ports } from '../app/place-order.ts';
import { loadPlaced } from './event-store.ts';
import { commitPlacement, consolidateShards } from './placement.ts';
import { saleMemory } from './sale-memory.ts';
import { stockMemory } from './stock-memory.ts';

/** How long an exact count may take, in milliseconds. */
const countingMs = 3_000;

/** There is no latch to close. */
const notStocked = { shards: [], soldOut: true, opened: 0 };

/** What an execution environment remembers from one order to the next. */
export type Memories = ReturnType<typeof memoriesOf>;

export function memoriesOf(now: Ports['now']) {
  return { sales: saleMemory(now), stock: stockMemory(now) };
}

/** What placing an order needs of the tables: its own, and the others' through what they publish. */
export function placementPorts(
  documents: DynamoDBDocumentClient,
  tables: {
    readonly ORDER_TABLE: string;
    readonly CART_TABLE: string;
    readonly CATALOG_TABLE: string;
    readonly INVENTORY_TABLE: string;
    readonly ADMISSION_TABLE: string;
  },
  world: Pick<Ports, 'now' | 'sleep' | 'random'>,
  { sales, stock }: Memories = memoriesOf(world.now),
): Ports {
  const { ORDER_TABLE: order, CART_TABLE: cart, CATALOG_TABLE: catalog, INVENTORY_TABLE: inventory } = tables;
  const { ADMISSION_TABLE: admission } = tables;
  const commit = commitPlacement(documents, { order, cart, inventory, admission });
  const shards = (skus: readonly string[], consistent: boolean) => {
    const read = (unknown: readonly string[]) =>
      readShards(documents, inventory, unknown, { consistent, trustLatch: true });
    return stock.hints(skus, read, sales.knows);
  };
  return {
    ...world,
    findPlaced: (orderId) => loadPlaced(documents, order, orderId),
    readCart: (cartId, customerId) => readCart(documents, cart, cartId, { customerId, now: world.now() }),
    onSale: (skus) =>
      sales.onSale(skus, async (unknown) => {
        const [prices, entries] = await Promise.all([
          readPrices(documents, catalog, unknown),
          readEntries(documents, admission, unknown),
        ]);
        return { prices, entries };
      }),
    hintShards: (skus) => shards(skus, false),
    readShards: (skus) => shards(skus, true),
    soldOutAmong: (skus) => soldOutAmong(documents, inventory, skus),
    snapshot: async (sku) => {
      const deadline = { now: world.now, until: world.now() + countingMs };
      return (await snapshot(documents, inventory, sku, deadline, { trustLatch: true })) ?? notStocked;
    },
    closeLatch: (sku, { opened }) => closeLatch(documents, inventory, { sku, opened }),
    heat: stock.heat,
    consolidate: consolidateShards(documents, inventory),
    fallbackSlot: (drop) => fallbackSlot(documents, admission, drop, world.now(), world.random()),
    commit: async (placement) => {
      const committed = await commit(placement);
      stock.learn(placement, committed);
      await Promise.all(stock.takeHeat().map((heat) => reportHeat(documents, inventory, heat)));
      return committed;
    },
  };
}
