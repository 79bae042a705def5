import { describe, expect, it } from 'vitest';
import { put } from '../../bench/simulation/given.ts';
import { History } from '../../bench/simulation/history.ts';
import { World } from '../../bench/simulation/world.ts';
import { shardKey } from '../../functions/inventory/keys.ts';
import { DomainError } from '../../functions/kernel/errors.ts';
import type { PlaceOrderBody } from '../../functions/order/contract.ts';

const lines = [
  { sku: 'sku_A', quantity: 2 },
  { sku: 'sku_B', quantity: 1 },
];

/** A request for two SKUs, and what the checker says when these are refused for want of stock. */
function refused(units: Readonly<Record<string, number>>, told: readonly string[]): readonly string[] {
  const world = new World();
  const history = new History(world, new Map());
  world.committed = (changes, actor) => history.committed(changes, actor);
  for (const [sku, available] of Object.entries(units)) {
    put(world, 'catalog', { pk: `SKU#${sku}`, sk: 'SKU', sku, price: { amount: 1 }, purchasable: true });
    put(world, 'inventory', { ...shardKey(sku, 0), sku, shard: 0, available, rev: 0 });
  }
  const request = { orderId: 'ord_A', customer: 'a', body: { lines } as unknown as PlaceOrderBody };
  const skus = lines
    .filter(({ sku }) => told.includes(sku))
    .map(({ sku, quantity }) => ({ sku, requested: quantity, available: 0 }));
  history.begins('a', request).refused(new DomainError('out-of-stock', 'Not enough stock.', { skus }));
  return world.wrongs;
}

describe('a refusal for want of stock', () => {
  it('is right for what was not there', () => {
    expect(refused({ sku_A: 1, sku_B: 0 }, ['sku_A', 'sku_B'])).toEqual([]);
    expect(refused({ sku_A: 1, sku_B: 9 }, ['sku_A'])).toEqual([]);
  });

  it.each([
    ['of what was there', ['sku_B']],
    ['of one that was there beside one that was not', ['sku_A', 'sku_B']],
    ['of nothing', []],
  ])('is seen to be false: %s', (_, told) => {
    expect(refused({ sku_A: 1, sku_B: 9 }, told)).toHaveLength(1);
  });
});
