import { TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stockTable } from '../../../functions/inventory/adapters/stock-table.ts';
import { adjustStock } from '../../../functions/inventory/app/adjust-stock.ts';
import { getStock } from '../../../functions/inventory/app/get-stock.ts';
import { importStock } from '../../../functions/inventory/app/import-stock.ts';
import { setAvailable } from '../../../functions/inventory/app/set-available.ts';
import { setShards } from '../../../functions/inventory/app/set-shards.ts';
import { setStock } from '../../../functions/inventory/app/set-stock.ts';
import { drawItem } from '../../../functions/inventory/published.ts';
import { inventoryTable } from '../../../functions/inventory/table.infra.ts';
import { startDynamo, type TestDynamo } from '../../support/dynamo.ts';

const now = () => Date.now();
const pace = { now, sleep: async () => {}, random: () => 0 };
let dynamo: TestDynamo;
let table: ReturnType<typeof stockTable>;
let drops: Record<string, string> = {};
const openDrop = async (sku: string) => drops[sku];
let ports: typeof table & typeof pace & { openDrop: typeof openDrop };
beforeAll(async () => {
  dynamo = await startDynamo(inventoryTable);
  table = stockTable(dynamo.documents, dynamo.table('inventory'), now);
  ports = { ...table, ...pace, openDrop };
});
afterAll(() => dynamo?.stop());

const stockOf = async (sku: string) => {
  const { body, headers } = await getStock(ports)({ params: { sku } });
  return { ...body, etag: headers?.etag ?? '' };
};
const sell = (sku: string, shard: number, quantity: number) =>
  dynamo.documents.send(
    new TransactWriteCommand({
      TransactItems: [drawItem(dynamo.table('inventory'), { sku, shard, quantity })],
    }),
  );
const refusal = (code: string) => expect.objectContaining({ code });

describe('setting a stock', () => {
  it('opens one under *, then changes it under its ETag', async () => {
    const sku = 'sku_set';
    await expect(setAvailable(ports)(sku, 5, '"0-0"')).rejects.toEqual(refusal('not-found'));
    expect(await setAvailable(ports)(sku, 5, '*')).toMatchObject({ shards: [{ available: 5 }] });
    const { etag } = await stockOf(sku);
    await setAvailable(ports)(sku, 12, etag);
    expect(await stockOf(sku)).toMatchObject({ available: 12, availability: 'in_stock' });
    await expect(setAvailable(ports)(sku, 30, etag)).rejects.toEqual(refusal('precondition-failed'));
  });

  it('does not bring back a unit that was sold between reading and setting', async () => {
    const sku = 'sku_sold';
    await setAvailable(ports)(sku, 5, '*');
    const { etag } = await stockOf(sku);
    await sell(sku, 0, 1);
    await expect(setAvailable(ports)(sku, 5, etag)).rejects.toEqual(refusal('precondition-failed'));
    // The same between its own count and its own write.
    let sold = false;
    const change: typeof ports.change = async (...args) => {
      if (!sold) await sell(sku, 0, 1);
      sold = true;
      return ports.change(...args);
    };
    const { etag: fresh } = await stockOf(sku);
    await expect(setAvailable({ ...ports, change })(sku, 9, fresh)).rejects.toEqual(
      refusal('precondition-failed'),
    );
    expect(await stockOf(sku)).toMatchObject({ available: 3 });
  });

  it('holds every shard to what it counted, those that it does not change too', async () => {
    const sku = 'sku_held';
    await setAvailable(ports)(sku, 4, '*');
    await setShards(ports)({ params: { sku }, body: { count: 2 } });
    const { etag } = await stockOf(sku);
    const change: typeof ports.change = async (sku, changes) => {
      const untouched = changes.find(({ units }) => units === 0);
      await sell(sku, untouched?.shard ?? 0, 1);
      return ports.change(sku, changes);
    };
    await expect(setAvailable({ ...ports, change })(sku, 5, etag)).rejects.toEqual(
      refusal('precondition-failed'),
    );
    expect(await stockOf(sku)).toMatchObject({ available: 3 });
  });

  it('is refused while the SKU is sold in a drop; an adjustment is not', async () => {
    const sku = 'sku_drop';
    await setAvailable(ports)(sku, 5, '*');
    drops = { [sku]: 'drp_1' };
    await expect(setAvailable(ports)(sku, 9, '*')).rejects.toMatchObject({
      code: 'stock-state',
      members: { dropId: 'drp_1' },
    });
    const adjustment = { sku, adjust: 2, reason: 'found', by: 'operator', idempotencyKey: 'k' };
    await adjustStock(ports)(adjustment);
    drops = {};
    expect(await stockOf(sku)).toMatchObject({ available: 7 });
  });

  it('lets one of two setters win', async () => {
    const sku = 'sku_two';
    await setAvailable(ports)(sku, 5, '*');
    const { etag } = await stockOf(sku);
    const results = await Promise.allSettled([1, 2, 3, 4].map((n) => setAvailable(ports)(sku, n, etag)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('adjusting a stock', () => {
  const adjustment = { reason: 'counted', by: 'operator', idempotencyKey: 'k1' };

  it('is done once for a key, and answers the same again', async () => {
    const sku = 'sku_adjust';
    await setAvailable(ports)(sku, 5, '*');
    await setShards(ports)({ params: { sku }, body: { count: 3 } });
    const request = { sku, adjust: 4, ...adjustment };
    const answers = await Promise.all(Array.from({ length: 8 }, () => adjustStock(ports)(request)));
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(answers.map(({ answer }) => JSON.stringify(answer))).size).toBe(1);
    expect(await stockOf(sku)).toMatchObject({ available: 9 });
    await expect(adjustStock(ports)({ ...request, adjust: 5 })).rejects.toEqual(
      refusal('idempotency-key-reused'),
    );
  });

  it('never goes below zero, and a replay is not refused for what it did itself', async () => {
    const sku = 'sku_down';
    await setAvailable(ports)(sku, 5, '*');
    const request = { sku, adjust: -4, ...adjustment };
    await expect(adjustStock(ports)({ ...request, adjust: -6 })).rejects.toEqual(refusal('stock-state'));
    const first = await adjustStock(ports)(request);
    const second = await adjustStock(ports)(request);
    expect(second).toEqual({ ...first, replayed: true });
    expect(await stockOf(sku)).toMatchObject({ available: 1, availability: 'low' });
  });

  it('takes units from wherever they are while others sell', async () => {
    const sku = 'sku_busy';
    await setAvailable(ports)(sku, 100, '*');
    await setShards(ports)({ params: { sku }, body: { count: 4 } });
    const sales = Array.from({ length: 20 }, (_, n) => sell(sku, n % 4, 1));
    const adjustments = [-30, -20, 15].map((adjust, n) =>
      adjustStock({ ...ports, random: Math.random, sleep: () => new Promise(setImmediate) })({
        ...{ sku, adjust, ...adjustment },
        idempotencyKey: `busy-${n}`,
      }),
    );
    await Promise.all([...sales, ...adjustments]);
    expect(await stockOf(sku)).toMatchObject({ available: 45 });
  });
});

describe('the stock route', () => {
  const operator = { customerId: 'operator', groups: ['operators'], session: { id: 'one', issuedAt: 1 } };
  const request = { params: { sku: 'sku_route' }, caller: operator };

  it('wants the header that belongs to the change', async () => {
    const set = (body: { available: number } | { adjust: number; reason: string }, headers = {}) =>
      setStock(ports)({ ...request, body, headers });
    await expect(set({ available: 1 })).rejects.toEqual(refusal('precondition-required'));
    await expect(set({ adjust: 1, reason: 'x' })).rejects.toEqual(refusal('idempotency-key-missing'));
    await expect(set({ adjust: 1, reason: 'x' }, { 'idempotency-key': 'ä' })).rejects.toEqual(
      refusal('idempotency-key-invalid'),
    );
    const opened = await set({ available: 1 }, { 'if-match': '*' });
    expect(opened.headers?.etag).toBe((await stockOf('sku_route')).etag);
    const header = { 'idempotency-key': 'k' };
    await set({ adjust: 1, reason: 'x' }, header);
    const replay = await set({ adjust: 1, reason: 'x' }, header);
    expect(replay).toMatchObject({ body: { available: 2 }, headers: { 'idempotent-replayed': 'true' } });
  });
});

describe('raising the number of shards', () => {
  it('spreads the units evenly, and is harmless when repeated', async () => {
    const sku = 'sku_shards';
    await setAvailable(ports)(sku, 50, '*');
    const raised = await setShards(ports)({ params: { sku }, body: { count: 8 } });
    expect(raised.body.shards.map(({ available }) => available).sort()).toEqual([6, 6, 6, 6, 6, 6, 7, 7]);
    const again = await setShards(ports)({ params: { sku }, body: { count: 8 } });
    expect(again.body).toEqual(raised.body);
    await expect(setShards(ports)({ params: { sku }, body: { count: 4 } })).rejects.toEqual(
      refusal('stock-state'),
    );
    await expect(setShards(ports)({ params: { sku: 'sku_no' }, body: { count: 4 } })).rejects.toEqual(
      refusal('not-found'),
    );
  });

  it('goes up to what one transaction can hold', async () => {
    const sku = 'sku_most';
    await setAvailable(ports)(sku, 500, '*');
    const { body } = await setShards(ports)({ params: { sku }, body: { count: 90 } });
    expect(body).toMatchObject({ available: 500 });
    expect(Math.max(...body.shards.map(({ available }) => available))).toBe(6);
  });

  it('loses no unit to sales and other raisings at the same time', async () => {
    const sku = 'sku_raised';
    await setAvailable(ports)(sku, 60, '*');
    const raisings = [4, 8, 8].map((count) =>
      setShards(ports)({ params: { sku }, body: { count } }).catch((error) => {
        if (error.code !== 'stock-state') throw error;
      }),
    );
    const sales = await Promise.allSettled(Array.from({ length: 10 }, () => sell(sku, 0, 1)));
    await Promise.all(raisings);
    const sold = sales.filter(({ status }) => status === 'fulfilled').length;
    const stock = await stockOf(sku);
    expect(stock.available).toBe(60 - sold);
    expect(stock.shards).toHaveLength(8);
  });
});

describe('importing stock', () => {
  const file = (text: string) =>
    importStock(ports)({ body: text, headers: { 'content-type': 'text/csv' } }).then(({ body }) => body);

  it('opens what has no stock, keeps what has, and reports what it cannot read', async () => {
    await setAvailable(ports)('sku_kept', 3, '*');
    const text = 'id,current_stock\nnew,7\nkept,99\nbad,many\nnew,8\n';
    expect(await file(text)).toEqual({
      opened: 1,
      unchanged: 1,
      failed: [
        { line: 4, id: 'bad', reason: expect.stringContaining('whole number') },
        { line: 5, id: 'new', reason: expect.stringContaining('line 2') },
      ],
    });
    expect(await stockOf('sku_kept')).toMatchObject({ available: 3 });
    expect(await stockOf('sku_new')).toMatchObject({ available: 7 });
    expect(await file(text)).toMatchObject({ opened: 0, unchanged: 2 });
  });

  it('is done once when it is sent twice at the same time', async () => {
    const rows = Array.from({ length: 120 }, (_, n) => `twin-${n},${n}`).join('\n');
    const answers = await Promise.all([1, 2].map(() => file(`id,current_stock\n${rows}`)));
    expect(answers.map(({ opened, unchanged }) => opened + unchanged)).toEqual([120, 120]);
    expect(answers[0]!.opened + answers[1]!.opened).toBe(120);
    expect(await stockOf('sku_twin-119')).toMatchObject({ available: 119 });
  });
});
