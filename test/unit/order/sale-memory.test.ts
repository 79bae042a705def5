import { beforeEach, describe, expect, it } from 'vitest';
import { type Read, saleMemory } from '../../../functions/order/adapters/sale-memory.ts';

const opensAt = 1_000_000;
const closesAt = opensAt + 60_000;
let now: number;
let memory: ReturnType<typeof saleMemory>;
/** What was asked for, time by time. */
let asked: string[][];
beforeEach(() => {
  now = opensAt;
  memory = saleMemory(() => now);
  asked = [];
});

const sold = (sku: string, amount = 500, purchasable = true) => ({
  ...{ sku, productId: 'prd_a', name: 'Cup', purchasable },
  price: { amount, currency: 'KRW' as const },
});
const entry = { dropId: 'drp_A', opensAt, closesAt, perCustomerLimit: 1, publicKey: 'key' };
const inDrop = (...skus: string[]): Read => ({
  prices: new Map(skus.map((sku) => [sku, sold(sku)])),
  entries: new Map(skus.map((sku) => [sku, [entry]])),
});

/** An order of `skus` when this is what the tables say; answers prices and drops. */
async function order(skus: string[], tables: Read) {
  const { prices, drops } = await memory.onSale(skus, async (unknown) => {
    asked.push([...unknown]);
    const of = <T>(all: ReadonlyMap<string, T>) => new Map([...all].filter(([sku]) => unknown.includes(sku)));
    return { prices: of(tables.prices), entries: of(tables.entries) };
  });
  return [[...prices.values()].map(({ price }) => price.amount), drops.map(({ dropId }) => dropId)];
}

describe('what an environment remembers of a SKU whose drop is open', () => {
  it('serves the next orders for a second from before it was read', async () => {
    expect(await order(['sku_a'], inDrop('sku_a'))).toEqual([[500], ['drp_A']]);
    now += 999;
    expect(memory.knows('sku_a')).toBe(true);
    expect(await order(['sku_a'], inDrop())).toEqual([[500], ['drp_A']]);
    now += 1;
    expect(memory.knows('sku_a')).toBe(false);
    expect(await order(['sku_a'], inDrop())).toEqual([[], []]);
    expect(asked).toEqual([['sku_a'], ['sku_a']]);
  });

  it('is asked for when the clock has gone back', async () => {
    await order(['sku_a'], inDrop('sku_a'));
    now -= 1;
    await order(['sku_a'], inDrop('sku_a'));
    expect(asked[1]).toEqual(['sku_a']);
  });

  it('says nothing of another SKU: only that one is read', async () => {
    await order(['sku_a'], inDrop('sku_a'));
    expect(await order(['sku_a', 'sku_b'], inDrop('sku_a', 'sku_b'))).toEqual([[500, 500], ['drp_A']]);
    expect(asked).toEqual([['sku_a'], ['sku_b']]);
  });

  it('demands no admission any more once the drop is over', async () => {
    now = closesAt - 1;
    await order(['sku_a'], inDrop('sku_a'));
    now = closesAt;
    expect(await order(['sku_a'], inDrop())).toEqual([[500], []]);
  });
});

describe('nothing is remembered', () => {
  const none = new Map();
  it.each<[string, number, Read]>([
    ['outside of a drop', opensAt, { ...inDrop('sku_a'), entries: none }],
    ['before the drop opens', opensAt - 1, inDrop('sku_a')],
    ['after it has closed', closesAt, inDrop('sku_a')],
    ['of what is not there', opensAt, { ...inDrop('sku_a'), prices: none }],
    [
      'of what is not on sale',
      opensAt,
      { ...inDrop('sku_a'), prices: new Map([['sku_a', sold('sku_a', 500, false)]]) },
    ],
  ])('%s', async (_when, at, tables) => {
    now = at;
    await order(['sku_a'], tables);
    expect(memory.knows('sku_a')).toBe(false);
    await order(['sku_a'], tables);
    expect(asked).toEqual([['sku_a'], ['sku_a']]);
  });

  it('for ever: the oldest give way', async () => {
    const skus = Array.from({ length: 60 }, (_, n) => `sku_${n}`);
    await order(skus, inDrop(...skus));
    expect(skus.filter(memory.knows).length).toBeLessThanOrEqual(50);
    expect(memory.knows('sku_59')).toBe(true);
  });
});
