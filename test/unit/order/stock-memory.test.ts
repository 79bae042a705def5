import { describe, expect, it } from 'vitest';
import { stockMemory } from '../../../functions/order/adapters/stock-memory.ts';
import type { Committed } from '../../../functions/order/app/place-order.ts';

const sku = 'sku_a';
const draws = [{ sku, shard: 0, quantity: 1 }];
const lost: Committed = {
  result: 'refused',
  dry: [],
  contended: [{ sku, shard: 0 }],
  cart: false,
  event: false,
};
const dry: Committed = { ...lost, contended: [], dry: [{ sku, shard: 0, available: 0, rev: 7 }] };
const hint = (available: number, rev: number) => ({
  soldOut: false,
  shards: [
    { shard: 0, available, rev },
    { shard: 1, available: 5, rev: 1 },
  ],
});

describe('what an environment remembers of a shard', () => {
  it('corrects a hint that is older, for a second, and none that is newer', () => {
    let now = 10_000;
    const memory = stockMemory(() => now);
    expect(memory.correct(sku, hint(3, 6))).toEqual(hint(3, 6));
    memory.learn({ draws }, dry);
    expect(memory.correct(sku, hint(3, 6)).shards).toMatchObject([
      { shard: 0, available: 0, rev: 7 },
      { shard: 1, available: 5, rev: 1 },
    ]);
    expect(memory.correct(sku, hint(2, 8))).toEqual(hint(2, 8));
    now += 1_001;
    expect(memory.correct(sku, hint(3, 6))).toEqual(hint(3, 6));
  });
});

describe('what it remembers of conflicts', () => {
  it('steps back further with each, less with each success, and not at all after a second', () => {
    let now = 10_000;
    const memory = stockMemory(() => now);
    for (let n = 0; n < 9; n++) memory.learn({ draws }, lost);
    expect(memory.heat([sku, 'sku_other'])).toBe(4);
    memory.learn({ draws }, { result: 'placed' });
    expect(memory.heat([sku])).toBe(3);
    expect(memory.heat(['sku_other'])).toBe(0);
    now += 1_001;
    expect(memory.heat([sku])).toBe(0);
    memory.learn({ draws }, lost);
    expect(memory.heat([sku])).toBe(1);
  });

  it('tells of three or more, each once, at most once a second', () => {
    let now = 10_000;
    const memory = stockMemory(() => now);
    memory.learn({ draws }, lost);
    memory.learn({ draws }, lost);
    expect(memory.takeHeat()).toEqual([]);
    memory.learn({ draws }, lost);
    expect(memory.takeHeat()).toEqual([{ sku, conflicts: 3 }]);
    for (let n = 0; n < 4; n++) memory.learn({ draws }, lost);
    expect(memory.takeHeat()).toEqual([]);
    now += 1_000;
    expect(memory.takeHeat()).toEqual([{ sku, conflicts: 4 }]);
  });
});
