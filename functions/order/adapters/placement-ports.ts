import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readCart } from '../../cart/published.ts';
import { readPrices } from '../../catalog/published.ts';
import { readShards, snapshot } from '../../inventory/published.ts';
import type { Ports } from '../app/place-order.ts';
import { loadPlaced } from './event-store.ts';
import { commitPlacement, consolidateShards } from './placement.ts';
import { inTurn } from './turns.ts';

/**
 * Lets requests that are served side by side share a read: whoever asks joins the next one that begins, never one
 * that has begun, so that what it says is true of a moment after the question.
 */
export function joinable<T>(read: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const next = new Map<string, Promise<T>>();
  const running = new Map<string, Promise<unknown>>();
  return (key) => {
    const known = next.get(key);
    if (known) return known;
    const before = running.get(key) ?? Promise.resolve();
    const mine = before.then(() => {
      next.delete(key);
      const reading = read(key);
      const settled = reading.then(
        () => undefined,
        () => undefined,
      );
      running.set(key, settled);
      void settled.then(() => running.get(key) === settled && running.delete(key));
      return reading;
    });
    next.set(key, mine);
    return mine;
  };
}

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
  },
  world: Pick<Ports, 'now' | 'sleep' | 'random'>,
): Ports {
  const { ORDER_TABLE: order, CART_TABLE: cart, CATALOG_TABLE: catalog, INVENTORY_TABLE: inventory } = tables;
  const hints = joinable(async (sku) => {
    const stock = await readShards(documents, inventory, [sku]);
    return stock.get(sku)?.shards ?? [];
  });
  const counts = joinable(async (sku) => {
    const until = world.now() + countingMs;
    return (await snapshot(documents, inventory, sku, { now: world.now, until }))?.shards ?? [];
  });
  return {
    ...world,
    findPlaced: (orderId) => loadPlaced(documents, order, orderId),
    readCart: (cartId, customerId) => readCart(documents, cart, cartId, { customerId, now: world.now() }),
    readPrices: (skus) => readPrices(documents, catalog, skus),
    hintShards: async (skus) => {
      const stock = await Promise.all(skus.map(async (sku) => [sku, await hints(sku)] as const));
      return new Map(stock);
    },
    snapshot: counts,
    consolidate: consolidateShards(documents, inventory),
    commit: inTurn(commitPlacement(documents, { order, cart, inventory }), world.now),
  };
}
