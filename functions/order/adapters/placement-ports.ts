import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { dropsOf, fallbackSlot } from '../../admission/published.ts';
import { readCart } from '../../cart/published.ts';
import { readPrices } from '../../catalog/published.ts';
import { closeLatch, readShards, reportHeat, snapshot, soldOutAmong } from '../../inventory/published.ts';
import type { Ports } from '../app/place-order.ts';
import { loadPlaced } from './event-store.ts';
import { commitPlacement, consolidateShards } from './placement.ts';
import { stockMemory } from './stock-memory.ts';

/** How long an exact count may take, in milliseconds. */
const countingMs = 3_000;

/** There is no latch to close. */
const notStocked = { shards: [], soldOut: true, opened: 0 };

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
): Ports {
  const { ORDER_TABLE: order, CART_TABLE: cart, CATALOG_TABLE: catalog, INVENTORY_TABLE: inventory } = tables;
  const { ADMISSION_TABLE: admission } = tables;
  const memory = stockMemory(world.now);
  const commit = commitPlacement(documents, { order, cart, inventory, admission });
  const read = async (skus: readonly string[], consistent: boolean) => {
    const stock = await readShards(documents, inventory, skus, { consistent, trustLatch: true });
    return new Map([...stock].map(([sku, hint]) => [sku, memory.correct(sku, hint)]));
  };
  return {
    ...world,
    findPlaced: (orderId) => loadPlaced(documents, order, orderId),
    readCart: (cartId, customerId) => readCart(documents, cart, cartId, { customerId, now: world.now() }),
    readPrices: (skus) => readPrices(documents, catalog, skus),
    hintShards: (skus) => read(skus, false),
    readShards: (skus) => read(skus, true),
    soldOutAmong: (skus) => soldOutAmong(documents, inventory, skus),
    snapshot: async (sku) => {
      const deadline = { now: world.now, until: world.now() + countingMs };
      return (await snapshot(documents, inventory, sku, deadline, { trustLatch: true })) ?? notStocked;
    },
    closeLatch: (sku, { opened }) => closeLatch(documents, inventory, { sku, opened }),
    heat: memory.heat,
    consolidate: consolidateShards(documents, inventory),
    dropsOf: (skus) => dropsOf(documents, admission, skus, world.now()),
    fallbackSlot: (drop) => fallbackSlot(documents, admission, drop, world.now(), world.random()),
    commit: async (placement) => {
      const committed = await commit(placement);
      memory.learn(placement, committed);
      await Promise.all(memory.takeHeat().map((heat) => reportHeat(documents, inventory, heat)));
      return committed;
    },
  };
}
