import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { moveInItem, moveOutItem } from '../../../functions/inventory/adapters/shard-items.ts';
import { headerKey, shardKey } from '../../../functions/inventory/keys.ts';
import {
  availabilityOf,
  closeLatch,
  consolidation,
  type Draw,
  drawItem,
  readShards,
  release,
  snapshot,
  soldOutAmong,
  type TransactItem,
  unitsIn,
} from '../../../functions/inventory/published.ts';
import { inventoryTable } from '../../../functions/inventory/table.infra.ts';
import { startDynamo, type TestDynamo } from '../../support/dynamo.ts';

let dynamo: TestDynamo;
let table: string;
beforeAll(async () => {
  dynamo = await startDynamo(inventoryTable);
  table = dynamo.table('inventory');
});
afterAll(() => dynamo?.stop());

/** Stocks a SKU with one shard for each number of units. */
async function stocked(sku: string, ...units: number[]): Promise<string> {
  const items = [
    { ...headerKey(sku), sku, shards: units.length, lowAt: 5 },
    ...units.map((available, shard) => ({ ...shardKey(sku, shard), sku, shard, available, rev: 0 })),
  ];
  for (const Item of items) await dynamo.documents.send(new PutCommand({ TableName: table, Item }));
  return sku;
}

const transact = (items: TransactItem[]) =>
  dynamo.documents.send(new TransactWriteCommand({ TransactItems: items }));

/** Gives units back in a transaction of nothing else. */
const giveBack = (...draws: Draw[]) =>
  release(dynamo.documents, table, draws, 99, (items) => transact([...items]));

const available = async (sku: string) =>
  (await readShards(dynamo.documents, table, [sku], { consistent: true }))
    .get(sku)
    ?.shards.map((shard) => shard.available);

describe('a draw', () => {
  it('takes its units from its shard and nowhere else', async () => {
    const sku = await stocked('sku_draw', 5, 5);
    await transact([drawItem(table, { sku, shard: 1, quantity: 3 })]);
    expect(await available(sku)).toEqual([5, 2]);
  });

  it('fails with the shard as it is when the units are not there', async () => {
    const sku = await stocked('sku_dry', 2);
    const failure = await transact([drawItem(table, { sku, shard: 0, quantity: 3 })]).catch((error) => error);
    expect(failure).toBeInstanceOf(TransactionCanceledException);
    const [reason] = failure.CancellationReasons;
    expect(reason.Code).toBe('ConditionalCheckFailed');
    const shard = typeof reason.Item?.available === 'object' ? unmarshall(reason.Item) : reason.Item;
    expect(shard).toMatchObject({ available: 2, shard: 0, sku });
    expect(await available(sku)).toEqual([2]);
  });

  it('fails on a shard that does not exist', async () => {
    await expect(transact([drawItem(table, { sku: 'sku_none', shard: 0, quantity: 1 })])).rejects.toThrow(
      TransactionCanceledException,
    );
  });
});

describe('a release', () => {
  it('gives back exactly what was drawn', async () => {
    const sku = await stocked('sku_release', 4, 6);
    const draws = [
      { sku, shard: 0, quantity: 4 },
      { sku, shard: 1, quantity: 5 },
    ];
    await transact(draws.map((draw) => drawItem(table, draw)));
    expect(await available(sku)).toEqual([0, 1]);
    await giveBack(...draws);
    expect(await available(sku)).toEqual([4, 6]);
  });

  it('brings a missing shard into being', async () => {
    const sku = await stocked('sku_upsert', 1);
    await giveBack({ sku, shard: 1, quantity: 2 });
    await dynamo.documents.send(
      new UpdateCommand({
        TableName: table,
        Key: headerKey(sku),
        UpdateExpression: 'SET shards = :two',
        ExpressionAttributeValues: { ':two': 2 },
      }),
    );
    expect(await available(sku)).toEqual([1, 2]);
  });
});

describe('reading shards', () => {
  it('answers each stocked SKU once, its shards in order, and leaves out the others', async () => {
    await stocked('sku_a', 1, 2, 3);
    await stocked('sku_b', 9);
    const stocks = await readShards(dynamo.documents, table, ['sku_a', 'sku_b', 'sku_a', 'sku_unknown']);
    expect([...stocks.keys()].sort()).toEqual(['sku_a', 'sku_b']);
    expect(stocks.get('sku_a')?.shards.map(({ shard, available }) => [shard, available])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
  });

  it('reads more SKUs than one BatchGetItem takes', async () => {
    const skus = Array.from({ length: 130 }, (_, n) => `sku_many-${n}`);
    await Promise.all(skus.map((sku, n) => stocked(sku, n)));
    const stocks = await readShards(dynamo.documents, table, skus);
    expect(skus.map((sku) => unitsIn(stocks.get(sku)?.shards ?? []))).toEqual(skus.map((_, n) => n));
  });

  it('tells a shopper how much is left', () => {
    expect(availabilityOf(undefined)).toBe('sold_out');
    expect(availabilityOf([{ available: 0 }, { available: 0 }])).toBe('sold_out');
    expect(availabilityOf([{ available: 2 }, { available: 3 }])).toBe('low');
    expect(availabilityOf([{ available: 2 }, { available: 3 }], 4)).toBe('in_stock');
  });
});

describe('a snapshot', () => {
  const patient = { now: () => 0, until: 1 };

  it('does not take a sum that was true of no moment', async () => {
    const sku = await stocked('sku_moving', 5, 0, 0);
    // A unit moves from shard to shard while it is being counted: between any two reads of the first three.
    let reads = 0;
    const moving = disturbed(async () => {
      if (++reads > 3) return;
      await transact([
        moveOutItem(table, { sku, shard: 0, quantity: 1 }),
        moveInItem(table, { sku, shard: (reads % 2) + 1, quantity: 1 }),
      ]);
    });
    const stock = await snapshot(moving, table, sku, patient);
    expect(unitsIn(stock?.shards ?? [])).toBe(5);
    expect(reads).toBeGreaterThan(4);
  });

  it('sees shards that are added while it counts', async () => {
    const sku = await stocked('sku_growing', 1);
    let reads = 0;
    const growing = disturbed(async () => {
      if (++reads === 2) await stocked(sku, 1, 7);
    });
    const stock = await snapshot(growing, table, sku, patient);
    expect(unitsIn(stock?.shards ?? [])).toBe(8);
  });

  it('gives up at its deadline', async () => {
    const sku = await stocked('sku_restless', 1_000);
    const restless = disturbed(() =>
      transact([drawItem(table, { sku, shard: 0, quantity: 1 })]).then(() => {}),
    );
    let time = 0;
    await expect(snapshot(restless, table, sku, { now: () => ++time, until: 5 })).rejects.toMatchObject({
      code: 'temporary-reduced-capacity',
    });
  });

  it('knows a SKU without stock', async () => {
    expect(await snapshot(dynamo.documents, table, 'sku_absent', patient)).toBeUndefined();
  });

  /** The client, with something that happens before each of its calls. */
  function disturbed(before: () => Promise<void>): TestDynamo['documents'] {
    const send = async (command: never) => {
      await before();
      return dynamo.documents.send(command);
    };
    return { send } as unknown as TestDynamo['documents'];
  }
});

describe('the latch of a SKU', () => {
  const patient = { now: () => 0, until: 1 };
  const count = async (sku: string) => (await snapshot(dynamo.documents, table, sku, patient))!;
  const close = (counted: { sku: string; opened: number }) => closeLatch(dynamo.documents, table, counted);
  const isClosed = async (sku: string) => (await soldOutAmong(dynamo.documents, table, [sku])).has(sku);

  it('closes after a count of nothing, and what comes back opens it', async () => {
    const sku = await stocked('sku_latch', 1, 0);
    const draw = { sku, shard: 0, quantity: 1 };
    await transact([drawItem(table, draw)]);
    await close(await count(sku));
    expect(await isClosed(sku)).toBe(true);
    const trusting = await readShards(dynamo.documents, table, [sku], { trustLatch: true });
    expect(trusting.get(sku)).toMatchObject({ soldOut: true, shards: [] });
    await giveBack(draw);
    expect(await isClosed(sku)).toBe(false);
    expect(await available(sku)).toEqual([1, 0]);
  });

  it('stays open when units came back after the count, even if they are sold again by then', async () => {
    const sku = await stocked('sku_latch-late', 1);
    const draw = { sku, shard: 0, quantity: 1 };
    await transact([drawItem(table, draw)]);
    const counted = await count(sku);
    await giveBack(draw);
    await close(counted);
    expect(await isClosed(sku)).toBe(false);
    await transact([drawItem(table, draw)]);
    await close(counted);
    expect(await isClosed(sku)).toBe(false);
  });

  it('is closed by what its opening was before the count, not after', async () => {
    const sku = await stocked('sku_latch-between', 1);
    const draw = { sku, shard: 0, quantity: 1 };
    await transact([drawItem(table, draw)]);
    // The second reading finds the shards as they were; the header is read a moment later.
    let reads = 0;
    const send = async (command: never) => {
      const answer: any = await dynamo.documents.send(command);
      if (++reads !== 2) return answer;
      await giveBack(draw);
      const header: any = await readHeader(sku);
      const items = answer.Responses[table].map((item: any) => (item.sk === 'HEADER' ? header : item));
      return { ...answer, Responses: { [table]: items } };
    };
    const torn = { send } as unknown as TestDynamo['documents'];
    await close((await snapshot(torn, table, sku, patient))!);
    expect(await isClosed(sku)).toBe(false);
  });

  it('is held open around a release that does not fit one transaction with it', async () => {
    const skus = await Promise.all(Array.from({ length: 55 }, (_, n) => stocked(`sku_wide-${n}`, 1)));
    const draws = skus.map((sku) => ({ sku, shard: 0, quantity: 1 }));
    await transact(draws.map((draw) => drawItem(table, draw)));
    for (const sku of skus) await close(await count(sku));
    let during: boolean | undefined;
    await release(dynamo.documents, table, draws, 99, async (items) => {
      expect(items).toHaveLength(55);
      await close(await count(skus[0]!));
      during = await isClosed(skus[0]!);
      await transact([...items]);
    });
    expect(during).toBe(false);
    expect(await available(skus[0]!)).toEqual([1]);
    await transact([drawItem(table, draws[0]!)]);
    await close(await count(skus[0]!));
    expect(await isClosed(skus[0]!)).toBe(true);
  });

  it('is not held any longer when such a release was cancelled', async () => {
    const skus = await Promise.all(Array.from({ length: 55 }, (_, n) => stocked(`sku_held-${n}`, 1)));
    const draws = skus.map((sku) => ({ sku, shard: 0, quantity: 1 }));
    await transact(draws.map((draw) => drawItem(table, draw)));
    const sale = drawItem(table, draws[0]!);
    const cancelled = release(dynamo.documents, table, draws, 99, (items) =>
      transact([...items.slice(1), sale]),
    );
    await expect(cancelled).rejects.toThrow(TransactionCanceledException);
    await close(await count(skus[0]!));
    expect(await isClosed(skus[0]!)).toBe(true);
  });

  const readHeader = async (sku: string) =>
    (await dynamo.documents.send(new GetCommand({ TableName: table, Key: headerKey(sku) }))).Item;
});

describe('a consolidation', () => {
  it('moves everything into the fullest shard', async () => {
    const sku = await stocked('sku_spread', 2, 0, 4, 3);
    const stock = await snapshot(dynamo.documents, table, sku, { now: () => 0, until: 1 });
    await transact(consolidation(table, sku, stock?.shards ?? []));
    expect(await available(sku)).toEqual([0, 0, 9, 0]);
  });

  it('has nothing to do for a single filled shard', () => {
    expect(
      consolidation(table, 'sku_x', [
        { shard: 0, available: 3 },
        { shard: 1, available: 0 },
      ]),
    ).toEqual([]);
  });

  it('fails as a whole when a unit has been sold meanwhile', async () => {
    const sku = await stocked('sku_raced', 3, 2);
    const items = consolidation(table, sku, [
      { shard: 0, available: 3 },
      { shard: 1, available: 2 },
    ]);
    await transact([drawItem(table, { sku, shard: 1, quantity: 1 })]);
    await expect(transact(items)).rejects.toThrow(TransactionCanceledException);
    expect(await available(sku)).toEqual([3, 1]);
  });
});
