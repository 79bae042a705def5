import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocate } from '../../../functions/inventory/domain/allocation.ts';
import { levelling } from '../../../functions/inventory/domain/levelling.ts';
import { etagOf, isNamedBy, spread } from '../../../functions/inventory/domain/stock.ts';
import { stockOfRow } from '../../../functions/inventory/domain/stock-row.ts';

const units = fc.nat({ max: 1_000 });
const shards = fc
  .array(units, { minLength: 1, maxLength: 90 })
  .map((amounts) => amounts.map((available, shard) => ({ shard, available })));
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

describe('allocation', () => {
  it('takes exactly what is asked for and never more than a shard has', () => {
    fc.assert(
      fc.property(shards, fc.integer({ min: 1, max: 20_000 }), random, (stock, quantity, chance) => {
        const draws = allocate({ sku: 'sku_a', quantity }, stock, () => chance);
        const enough = sum(stock.map(({ available }) => available)) >= quantity;
        expect(draws !== undefined).toBe(enough);
        if (!draws) return;
        expect(sum(draws.map((draw) => draw.quantity))).toBe(quantity);
        expect(new Set(draws.map(({ shard }) => shard)).size).toBe(draws.length);
        for (const draw of draws) {
          expect(draw.quantity).toBeGreaterThan(0);
          expect(draw.quantity).toBeLessThanOrEqual(stock[draw.shard]!.available);
        }
      }),
    );
  });

  it('gives back exactly what it took', () => {
    fc.assert(
      fc.property(shards, fc.integer({ min: 1, max: 5_000 }), random, (stock, quantity, chance) => {
        const draws = allocate({ sku: 'sku_a', quantity }, stock, () => chance) ?? [];
        const left = stock.map(({ available }) => available);
        for (const draw of draws) left[draw.shard]! -= draw.quantity;
        expect(left.every((available) => available >= 0)).toBe(true);
        for (const draw of draws) left[draw.shard]! += draw.quantity;
        expect(left).toEqual(stock.map(({ available }) => available));
      }),
    );
  });

  it('draws from one shard wherever one can serve the line, and from any such shard', () => {
    const stock = [4, 9, 2, 5].map((available, shard) => ({ shard, available }));
    const chosen = [0, 0.4, 0.99].map((chance) =>
      allocate({ sku: 'sku_a', quantity: 4 }, stock, () => chance),
    );
    expect(chosen.map((draws) => draws?.map(({ shard }) => shard))).toEqual([[0], [1], [3]]);
  });

  it('prefers the fuller of two where little is left, and neither where there is plenty', () => {
    const chosen = (first: number, second: number, quantity = 1) => {
      const chances = [0, 0.99];
      const stock = [first, second].map((available, shard) => ({ shard, available }));
      return allocate({ sku: 'sku_a', quantity }, stock, () => chances.shift()!)?.[0]?.shard;
    };
    expect([chosen(3, 4), chosen(19, 20), chosen(20, 500), chosen(500, 20)]).toEqual([1, 1, 0, 0]);
    expect([chosen(99, 100, 5), chosen(100, 101, 5)]).toEqual([1, 0]);
  });

  it('gathers from the fullest shards first', () => {
    const stock = [4, 9, 2, 5].map((available, shard) => ({ shard, available }));
    expect(allocate({ sku: 'sku_a', quantity: 15 }, stock, () => 0)).toEqual([
      { sku: 'sku_a', shard: 1, quantity: 9 },
      { sku: 'sku_a', shard: 3, quantity: 5 },
      { sku: 'sku_a', shard: 0, quantity: 1 },
    ]);
  });

  it('tries a shard that nothing is known of', () => {
    const stock = [{ shard: 0, available: 1 }, { shard: 1 }];
    expect(allocate({ sku: 'sku_a', quantity: 5 }, stock, () => 0)).toEqual([
      { sku: 'sku_a', shard: 1, quantity: 5 },
    ]);
    expect(allocate({ sku: 'sku_a', quantity: 1 }, [], () => 0)).toBeUndefined();
  });
});

describe('levelling', () => {
  it('makes shards equal to within one unit, and neither makes nor loses any', () => {
    fc.assert(
      fc.property(shards, (stock) => {
        const after = stock.map(({ available }) => available);
        for (const { from, to } of levelling(stock)) {
          after[from]! -= sum(to.map(({ quantity }) => quantity));
          expect(after[from]).toBeGreaterThanOrEqual(0);
          for (const { shard, quantity } of to) {
            expect(quantity).toBeGreaterThan(0);
            after[shard]! += quantity;
          }
        }
        expect(sum(after)).toBe(sum(stock.map(({ available }) => available)));
        expect(Math.max(...after) - Math.min(...after)).toBeLessThanOrEqual(1);
        expect(levelling(after.map((available, shard) => ({ shard, available })))).toEqual([]);
      }),
    );
  });
});

describe('spreading an adjustment', () => {
  it('sums exactly and leaves no shard below zero', () => {
    fc.assert(
      fc.property(shards, fc.integer({ min: -20_000, max: 20_000 }), (stock, adjust) => {
        if (sum(stock.map(({ available }) => available)) + adjust < 0) {
          expect(() => spread(stock, adjust)).toThrow(RangeError);
          return;
        }
        const parts = spread(stock, adjust);
        expect(sum(parts)).toBe(adjust);
        expect(stock.every(({ available }, index) => available + parts[index]! >= 0)).toBe(true);
      }),
    );
  });
});

describe("a stock's ETag", () => {
  const shards = [{ shard: 0, available: 3, rev: 7 }];
  const stock = { sku: 'sku_a', lowAt: 5, shards, soldOut: false, opened: 0 };

  it('changes when a unit comes back to where it was', () => {
    const later = { ...stock, shards: [{ shard: 0, available: 3, rev: 9 }] };
    expect(isNamedBy(etagOf(stock), stock)).toBe(true);
    expect(isNamedBy(`"x", ${etagOf(stock)}`, stock)).toBe(true);
    expect(isNamedBy('*', stock)).toBe(true);
    expect(isNamedBy(etagOf(stock), later)).toBe(false);
  });
});

describe('a row of stock', () => {
  it.each([
    [
      { id: 'a-1', current_stock: '15' },
      { sku: 'sku_a-1', units: 15 },
    ],
    [
      { sku: 'sku_b', available: '0' },
      { sku: 'sku_b', units: 0 },
    ],
    [{ current_stock: '15' }, { reason: expect.stringContaining('id') }],
    [{ id: 'a' }, { reason: expect.stringContaining('current_stock') }],
    [{ id: 'a', current_stock: '-1' }, { reason: expect.stringContaining('current_stock') }],
    [{ id: 'a', current_stock: '1.5' }, { reason: expect.stringContaining('current_stock') }],
    [{ sku: 'prd_b', available: '1' }, { reason: expect.stringContaining('id') }],
  ])('%j', (columns, expected) => {
    expect(stockOfRow(columns as Record<string, string>)).toEqual(expected);
  });
});
