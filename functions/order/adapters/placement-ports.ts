import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { dropsOf, fallbackSlot } from '../../admission/published.ts';
import { readCart } from '../../cart/published.ts';
import { readPrices } from '../../catalog/published.ts';
import { readShards, snapshot } from '../../inventory/published.ts';
import type { Ports } from '../app/place-order.ts';
import { loadPlaced } from './event-store.ts';
import { commitPlacement, consolidateShards } from './placement.ts';

/** How long an exact count may take, in milliseconds. */
const countingMs = 3_000;

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
  return {
    ...world,
    findPlaced: (orderId) => loadPlaced(documents, order, orderId),
    readCart: (cartId, customerId) => readCart(documents, cart, cartId, { customerId, now: world.now() }),
    readPrices: (skus) => readPrices(documents, catalog, skus),
    hintShards: async (skus) => {
      const stock = await readShards(documents, inventory, skus);
      return new Map([...stock].map(([sku, { shards }]) => [sku, shards]));
    },
    snapshot: async (sku) => {
      const until = world.now() + countingMs;
      return (await snapshot(documents, inventory, sku, { now: world.now, until }))?.shards ?? [];
    },
    consolidate: consolidateShards(documents, inventory),
    dropsOf: (skus) => dropsOf(documents, admission, skus, world.now()),
    fallbackSlot: (drop) => fallbackSlot(documents, admission, drop, world.now(), world.random()),
    commit: commitPlacement(documents, { order, cart, inventory, admission }),
  };
}
