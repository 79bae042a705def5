import { describe, expect, it } from 'vitest';
import { stockMemory } from '../../../functions/order/adapters/stock-memory.ts';
import type { Committed, Known } from '../../../functions/order/app/place-order.ts';

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
  it('corrects a hint that is older, for a second, and none that is newer', async () => {
    let now = 10_000;
    const memory = stockMemory(() => now);
    const corrected = async (read: Known) =>
      (
        await memory.hints(
          [sku],
          async () => new Map([[sku, read]]),
          () => false,
        )
      ).get(sku);
    expect(await corrected(hint(3, 6))).toEqual(hint(3, 6));
    memory.learn({ draws }, dry);
    expect((await corrected(hint(3, 6)))?.shards).toMatchObject([
      { shard: 0, available: 0, rev: 7 },
      { shard: 1, available: 5, rev: 1 },
    ]);
    expect(await corrected(hint(2, 8))).toEqual(hint(2, 8));
    now += 1_001;
    expect(await corrected(hint(3, 6))).toEqual(hint(3, 6));
  });
});

describe('what it remembers of all shards', () => {
  const plenty: Known = { soldOut: false, shards: [{ shard: 0, available: 40, rev: 6 }] };
  function reader() {
    const world = { now: 10_000, reads: 0, stock: plenty };
    const memory = stockMemory(() => world.now);
    const ask = async (keeps = true) => {
      const read = async (skus: readonly string[]) => {
        world.reads += skus.length;
        return new Map(skus.map((one) => [one, world.stock]));
      };
      return (await memory.hints([sku], read, () => keeps)).get(sku);
    };
    return { world, memory, ask };
  }

  it('serves the next orders of a second, where many come', async () => {
    const { world, ask } = reader();
    expect(await ask()).toEqual(plenty);
    world.now += 999;
    expect(await ask()).toEqual(plenty);
    expect(world.reads).toBe(1);
    world.now += 1;
    await ask();
    expect(world.reads).toBe(2);
  });

  it('is nothing where few come, where little is left, and where the latch is closed', async () => {
    const { world, ask } = reader();
    await ask(false);
    for (const stock of [hint(19, 1), { soldOut: true, shards: [] }]) {
      world.stock = stock;
      await ask();
    }
    await ask();
    expect(world.reads).toBe(4);
  });

  it('keeps conflicts from being told where there are no more shards to be had', async () => {
    const told = async (shards: number) => {
      const { world, memory, ask } = reader();
      world.stock = { ...plenty, shards: Array(shards).fill(plenty.shards[0]) };
      await ask();
      for (let n = 0; n < 3; n++) memory.learn({ draws }, lost);
      return memory.takeHeat();
    };
    expect(await told(89)).toEqual([{ sku, conflicts: 3 }]);
    expect(await told(90)).toEqual([]);
  });

  it('is forgotten when a draw found too little', async () => {
    const { world, memory, ask } = reader();
    await ask();
    memory.learn({ draws }, lost);
    await ask();
    expect(world.reads).toBe(1);
    memory.learn({ draws }, dry);
    world.stock = hint(0, 8);
    expect(await ask()).toEqual(hint(0, 8));
    expect(world.reads).toBe(2);
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
