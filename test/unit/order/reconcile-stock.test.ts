import { PutCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { stockTable } from '../../../functions/inventory/adapters/stock-table.ts';
import { raiseShards } from '../../../functions/inventory/app/set-shards.ts';
import { shardKey } from '../../../functions/inventory/keys.ts';
import { drawItem, everyShard, release } from '../../../functions/inventory/published.ts';
import { inventoryTable } from '../../../functions/inventory/table.infra.ts';
import { appendItem } from '../../../functions/order/adapters/event-items.ts';
import { driftMark, everyEvent } from '../../../functions/order/adapters/stock-books.ts';
import { findDrift, reconcileStock } from '../../../functions/order/app/reconcile-stock.ts';
import { orderTable } from '../../../functions/order/table.infra.ts';
import type { Deployment } from '../../../scripts/operate/deployment.ts';
import { reconcileStock as lever } from '../../../scripts/operate/reconcile-stock.ts';
import { startDynamo, type TestDynamo } from '../../support/dynamo.ts';
import { placedEvent } from './given.ts';

let dynamo: TestDynamo;
let order: string;
let inventory: string;
let sku: string;
let orders = 0;
beforeEach(async () => {
  await dynamo?.stop();
  dynamo = await startDynamo(orderTable, inventoryTable);
  [order, inventory] = [dynamo.table('order'), dynamo.table('inventory')];
  sku = 'sku_a';
  const stock = stockTable(dynamo.documents, inventory, Date.now);
  await stock.open([{ sku, units: 10 }]);
  const pace = { now: Date.now, sleep: async () => {}, random: () => 0 };
  await raiseShards({ ...stock, ...pace }, sku, () => 2);
});
afterAll(() => dynamo?.stop());

const transact = (items: readonly any[]) =>
  dynamo.documents.send(new TransactWriteCommand({ TransactItems: [...items] }));

/** An order that draws two units of shard 0, as `placedEvent` says. */
async function buy() {
  const event = placedEvent({ orderId: `ord_R${++orders}`, payment: false });
  const [draw] = JSON.parse(event.body).draws;
  await transact([appendItem(order, event), drawItem(inventory, draw)]);
  return { event, draw };
}

async function cancel({ event, draw }: Awaited<ReturnType<typeof buy>>) {
  const body = JSON.stringify({ reason: 'shopper', released: [draw] });
  const cancelled = { ...event, id: `${event.id}-2`, seq: 2, type: 'order.cancelled', body };
  await release(dynamo.documents, inventory, [draw], 99, (items) =>
    transact([appendItem(order, cancelled), ...items]),
  );
}

const tamper = (UpdateExpression: string, values: Record<string, number> = {}) =>
  dynamo.documents.send(
    new UpdateCommand({
      TableName: inventory,
      Key: shardKey(sku, 0),
      UpdateExpression,
      ExpressionAttributeValues: values,
    }),
  );

const ports = () => ({
  shards: () => everyShard(dynamo.documents, inventory),
  events: () => everyEvent(dynamo.documents, order),
});
const drifts = async () => (await findDrift(ports())).drifts.map(({ correct: _, ...drift }) => drift);

describe('comparing the shards with all orders', () => {
  it('finds nothing after sales, cancellations and moves between shards', async () => {
    const first = await buy();
    await buy();
    await cancel(first);
    expect(await findDrift(ports())).toEqual({ drifts: [], shards: 2 });
  });

  it('sees units that were written into a shard by hand', async () => {
    await buy();
    await tamper('SET available = available + :n', { ':n': 3 });
    expect(await drifts()).toEqual([{ sku, shard: 0, unexplained: 3, drawn: 0, released: 0 }]);
  });

  it('sees a draw without an order, and an order without its draw', async () => {
    await transact([drawItem(inventory, { sku, shard: 1, quantity: 1 })]);
    const event = placedEvent({ orderId: `ord_R${++orders}`, payment: false });
    await transact([appendItem(order, event)]);
    expect(await drifts()).toEqual([
      { sku, shard: 0, unexplained: 0, drawn: -2, released: 0 },
      { sku, shard: 1, unexplained: 0, drawn: 1, released: 0 },
    ]);
  });

  it('sees a release that went to no order', async () => {
    await release(dynamo.documents, inventory, [{ sku, shard: 0, quantity: 1 }], 99, transact);
    expect(await drifts()).toEqual([{ sku, shard: 0, unexplained: 0, drawn: 0, released: 1 }]);
  });

  it('takes no sale during the reading for a drift', async () => {
    const events = async function* () {
      await buy();
      yield* everyEvent(dynamo.documents, order);
      await buy();
    };
    expect((await findDrift({ ...ports(), events })).drifts).toEqual([]);
  });

  it('is told of by the audit until a comparison finds nothing', async () => {
    const mark = driftMark(dynamo.documents, order);
    expect(await mark.drifting()).toBe(0);
    await tamper('SET available = available + :n', { ':n': 3 });
    const reconcile = reconcileStock({ ...ports(), keep: mark.keep });
    expect(await reconcile()).toEqual({ shards: 2, drifting: 1 });
    expect(await mark.drifting()).toBe(1);
    await tamper('SET available = available - :n', { ':n': 3 });
    await reconcile();
    expect(await mark.drifting()).toBe(0);
  });
});

describe('the lever', () => {
  const deployment = () =>
    ({
      documents: dynamo.documents,
      table: (name: 'order' | 'inventory') => dynamo.table(name),
    }) as Deployment;

  it('says what differs without touching it, and corrects it on demand', async () => {
    await buy();
    await tamper('SET available = available + :n, drawn = :n', { ':n': 3 });
    const plan = await lever.plan(deployment(), []);
    expect(plan.says).toEqual([
      '2 shards compared with all orders: 1 differ',
      `${sku} shard 0: 4 units that its counts do not explain, 1 drawn that no order says; it should hold 3`,
    ]);
    expect(await drifts()).toHaveLength(1);
    expect(await plan.go!()).toEqual([`${sku} shard 0: holds 3 now`, '0 shards differ now']);
    expect(await drifts()).toEqual([]);
  });

  it('leaves a shard that is sold from meanwhile, and one that would hold less than nothing', async () => {
    await tamper('SET available = available + :n', { ':n': 3 });
    const plan = await lever.plan(deployment(), []);
    await buy();
    expect(await plan.go!()).toEqual([
      `${sku} shard 0: left, it was written meanwhile`,
      '1 shards differ now',
    ]);
    const Item = { ...shardKey(sku, 0), sku, shard: 0, available: 0, rev: 99, entered: 0, drawn: 2 };
    await dynamo.documents.send(new PutCommand({ TableName: inventory, Item }));
    expect(await (await lever.plan(deployment(), [])).go!()).toEqual([
      `${sku} shard 0: left, 2 units more are sold than there were; adjust the stock first`,
      '1 shards differ now',
    ]);
  });
});
