import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { heatList, reportHeat } from '../../../functions/inventory/adapters/heat.ts';
import { stockTable } from '../../../functions/inventory/adapters/stock-table.ts';
import { growShards } from '../../../functions/inventory/app/grow-shards.ts';
import { grownTo, judge, shardsFor } from '../../../functions/inventory/domain/heat.ts';
import { unitsIn } from '../../../functions/inventory/domain/shards.ts';
import { inventoryTable } from '../../../functions/inventory/table.infra.ts';
import { startDynamo, type TestDynamo } from '../../support/dynamo.ts';

describe('the heat of a SKU', () => {
  const cold = { sku: 'sku_a', conflicts: 0, judged: 0, judgedAt: 0, streak: 0 };

  it('grows it when two looks in succession find conflicts, and begins again then', () => {
    const first = judge({ ...cold, conflicts: 3 }, 10_000);
    expect(first).toMatchObject({ hot: true, grow: false });
    const second = judge({ ...first!.next, conflicts: 9 }, 12_000);
    expect(second).toMatchObject({ hot: true, grow: true, next: { streak: 0, judged: 9 } });
  });

  it('forgets a burst', () => {
    const burst = judge({ ...cold, conflicts: 100 }, 10_000);
    const calm = judge({ ...burst!.next, conflicts: 102 }, 12_000);
    expect(calm).toMatchObject({ hot: false, grow: false, next: { streak: 0 } });
  });

  it('does not take two looks at one burst for two', () => {
    const burst = judge({ ...cold, conflicts: 100 }, 10_000);
    expect(judge({ ...burst!.next, conflicts: 200 }, 10_500)).toBeUndefined();
  });

  it('never lowers K, and gives no more shards than there are units or one transaction holds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 0, max: 5_000 }), (shards, units) => {
        const grown = grownTo(shards, units);
        expect(grown).toBeGreaterThanOrEqual(shards);
        expect(grown).toBeLessThanOrEqual(90);
        if (grown > shards) expect(grown).toBeLessThanOrEqual(units);
      }),
    );
    expect([grownTo(1, 500), grownTo(4, 500), grownTo(64, 500)]).toEqual([4, 16, 90]);
  });

  it('asks for so many shards that few orders a second meet', () => {
    expect([1, 333, 100_000].map(shardsFor)).toEqual([1, 40, 90]);
  });
});

describe('growing by heat', () => {
  let dynamo: TestDynamo;
  let table: string;
  beforeAll(async () => {
    dynamo = await startDynamo(inventoryTable);
    table = dynamo.table('inventory');
  });
  afterAll(() => dynamo?.stop());

  it('raises K while conflicts are reported, keeps every unit, and then rests', async () => {
    const sku = 'sku_hot';
    const stock = stockTable(dynamo.documents, table, Date.now);
    await stock.open([{ sku, units: 20 }]);
    let time = 1_000_000;
    let hotFor = 3;
    const report = (conflicts: number) => reportHeat(dynamo.documents, table, { sku, conflicts });
    await report(3);
    const slept: number[] = [];
    const ports = {
      ...{ ...stock, ...heatList(dynamo.documents, table) },
      now: () => time,
      random: () => 0,
      sleep: async (ms: number) => {
        slept.push(ms);
        time += ms;
        if (--hotFor > 0) await report(5);
      },
    };
    expect(await growShards(ports)()).toEqual({ grown: 1 });
    const { shards } = (await stock.stock(sku))!;
    expect(shards).toHaveLength(4);
    expect(unitsIn(shards)).toBe(20);
    expect(slept).toHaveLength(3);
    expect(await growShards(ports)()).toEqual({ grown: 0 });
    expect(slept).toHaveLength(3);
  });

  it('passes over a SKU that has no stock', async () => {
    await reportHeat(dynamo.documents, table, { sku: 'sku_none', conflicts: 9 });
    let time = 1_000_000;
    const stock = stockTable(dynamo.documents, table, Date.now);
    let looks = 0;
    const ports = {
      ...{ ...stock, ...heatList(dynamo.documents, table) },
      now: () => time,
      random: () => 0,
      sleep: async (ms: number) => {
        time += ms;
        if (looks++ < 3) await reportHeat(dynamo.documents, table, { sku: 'sku_none', conflicts: 9 });
      },
    };
    expect(await growShards(ports)()).toEqual({ grown: 0 });
  });
});
