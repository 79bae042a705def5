import { PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admissionTable } from '../../../functions/admission/table.infra.ts';
import { cartTable } from '../../../functions/cart/table.infra.ts';
import { catalogTable } from '../../../functions/catalog/table.infra.ts';
import { headerKey, shardKey } from '../../../functions/inventory/keys.ts';
import { inventoryTable } from '../../../functions/inventory/table.infra.ts';
import { bucketOf } from '../../../functions/kernel/ids.ts';
import { dynamoAuditList } from '../../../functions/order/adapters/audit-list.ts';
import { dynamoDueOrders } from '../../../functions/order/adapters/due-orders.ts';
import {
  dynamoEventStore,
  listOrderIds,
  loadEvents,
  loadPlaced,
} from '../../../functions/order/adapters/event-store.ts';
import { commitPlacement } from '../../../functions/order/adapters/placement.ts';
import { changeOrder } from '../../../functions/order/app/change-order.ts';
import { sweepDue } from '../../../functions/order/app/sweep-due.ts';
import {
  type Decision,
  decideCancellation,
  decideOutcome,
  decideRefund,
  nextCommand,
} from '../../../functions/order/domain/decide.ts';
import { fold, type Order, refundable } from '../../../functions/order/domain/order.ts';
import { dueBuckets } from '../../../functions/order/keys.ts';
import { orderTable } from '../../../functions/order/table.infra.ts';
import { startDynamo, type TestDynamo } from '../../support/dynamo.ts';
import { noon, placedEvent } from './given.ts';

let dynamo: TestDynamo;
let tables: { order: string; cart: string; inventory: string; admission: string };
beforeAll(async () => {
  dynamo = await startDynamo(orderTable, cartTable, inventoryTable, catalogTable, admissionTable);
  tables = {
    order: dynamo.table('order'),
    cart: dynamo.table('cart'),
    inventory: dynamo.table('inventory'),
    admission: dynamo.table('admission'),
  };
});
afterAll(() => dynamo?.stop());

const put = (table: string, Item: Record<string, unknown>) =>
  dynamo.documents.send(new PutCommand({ TableName: table, Item }));

async function stock(available: number): Promise<void> {
  await put(tables.inventory, { ...headerKey('sku_a'), sku: 'sku_a', shards: 1 });
  await put(tables.inventory, { ...shardKey('sku_a', 0), sku: 'sku_a', shard: 0, available, rev: 0 });
}

async function available(): Promise<number> {
  const { Items } = await dynamo.documents.send(
    new QueryCommand({
      TableName: tables.inventory,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': shardKey('sku_a', 0).pk },
      ConsistentRead: true,
    }),
  );
  return Items?.[0]?.available;
}

const draws = [{ sku: 'sku_a', shard: 0, quantity: 2 }];
let orders = 0;
const nextOrder = (at = noon) => placedEvent({ orderId: `ord_A${++orders}`, payment: false, at });
const commit = (event: ReturnType<typeof placedEvent>, cart?: { cartId: string; version: number }) =>
  commitPlacement(dynamo.documents, tables)({ event, draws, cart });
const ports = () => ({
  store: dynamoEventStore(dynamo.documents, tables),
  now: () => noon + 16 * 60_000,
  sleep: async () => {},
  random: () => 0.5,
});

describe('the place-order transaction', () => {
  it('writes the event and takes the stock; a repeat finds the event as it was written', async () => {
    await stock(5);
    const event = nextOrder();
    expect(await commit(event)).toEqual({ result: 'placed' });
    expect(await commit(event)).toEqual({ result: 'exists', event });
    expect(await available()).toBe(3);
    expect(await loadPlaced(dynamo.documents, tables.order, event.orderId)).toEqual(event);
  });

  it('says what a dry shard holds, and leaves nothing behind', async () => {
    await stock(1);
    const event = nextOrder();
    expect(await commit(event)).toMatchObject({
      result: 'refused',
      dry: [{ sku: 'sku_a', shard: 0, available: 1 }],
    });
    expect(await loadPlaced(dynamo.documents, tables.order, event.orderId)).toBeUndefined();
    expect(await available()).toBe(1);
  });

  it('takes nothing when the cart has changed', async () => {
    await stock(5);
    await put(tables.cart, { pk: 'CART#crt_1', sk: 'CART', cartId: 'crt_1', version: 2 });
    expect(await commit(nextOrder(), { cartId: 'crt_1', version: 1 })).toMatchObject({
      result: 'refused',
      cart: true,
    });
    expect(await available()).toBe(5);
    expect(await commit(nextOrder(), { cartId: 'crt_1', version: 2 })).toEqual({ result: 'placed' });
    expect(await commit(nextOrder(), { cartId: 'crt_1', version: 3 })).toMatchObject({ cart: true });
  });
});

describe('an order ending', () => {
  it('gives its stock back once, however many end it at once', async () => {
    await stock(5);
    const event = nextOrder();
    await commit(event);
    const cancel = () => changeOrder(ports(), event.orderId, (order) => decideCancellation(order, 'rfd_1'));
    const results = await Promise.all([cancel(), cancel(), cancel(), cancel()]);
    expect(results.map((order) => order?.status)).toEqual(Array(4).fill('cancelled'));
    expect(await available()).toBe(5);
    expect(fold(await loadEvents(dynamo.documents, tables.order, event.orderId)).version).toBe(2);
  });

  it('is found by the sweep when it is due, and is not looked at again', async () => {
    const sweep = sweepDue({ ...ports(), due: dynamoDueOrders(dynamo.documents, tables.order) });
    await sweep();
    await stock(50);
    const due = Array.from({ length: 5 }, () => nextOrder());
    const notYet = nextOrder(noon + 60 * 60_000);
    for (const event of [...due, notYet]) await commit(event);
    expect((await sweep()).swept).toBeGreaterThanOrEqual(5);
    const statuses = await Promise.all(
      [...due, notYet].map(
        async ({ orderId }) => fold(await loadEvents(dynamo.documents, tables.order, orderId)).status,
      ),
    );
    expect(statuses).toEqual([...Array(5).fill('expired'), 'placed']);
    expect(await available()).toBe(48);
    const later = sweepDue({
      ...ports(),
      now: () => noon + 45 * 60_000,
      due: dynamoDueOrders(dynamo.documents, tables.order),
    });
    await later();
    expect((await later()).swept).toBe(0);
  });
});

it('the marks of the audit are kept by bucket, and those that a write does not name stay', async () => {
  const { progress, saveProgress } = dynamoAuditList(dynamo.documents, tables.order);
  const of = (time: string) => ({
    auditedTo: `2026-01-01T${time}:00.000Z`,
    journalledTo: '2026-01-01T00:00:00.000Z',
  });
  const all = Array.from({ length: dueBuckets }, (_, bucket) => [bucket, of('10:00')] as const);
  await saveProgress(new Map(all));
  await saveProgress(new Map([[63, of('12:00')]]));
  expect(await progress()).toEqual(new Map([...all.slice(0, 63), [63, of('12:00')]]));
});

describe('an order that waits for the provider', () => {
  const paid = (order: Order) =>
    decideOutcome(
      order,
      nextCommand(order, false)!,
      { step: 'capture', outcome: 'captured', captureId: 'c' },
      'rfd_1',
    );
  const authorised = (order: Order) =>
    decideOutcome(
      order,
      nextCommand(order, false)!,
      { step: 'authorise', outcome: 'authorized', authorizationId: 'a', provider: 'sandbox' },
      'rfd_1',
    );
  const refunded = (order: Order) =>
    decideOutcome(
      order,
      nextCommand(order, true)!,
      { step: 'refund', outcome: 'refunded', providerRefundId: 're_1' },
      'rfd_x',
    );

  it('is looked at ten minutes after its refund was promised, and from then on until that is settled', async () => {
    await stock(5);
    const event = placedEvent({ orderId: `ord_A${++orders}`, at: noon });
    await commit(event);
    let now = noon + 60 * 60_000;
    const moving = { ...ports(), now: () => now };
    const due = dynamoDueOrders(dynamo.documents, tables.order);
    const sweep = sweepDue({ ...moving, due });
    const { orderId } = event;
    const change = (decide: (order: Order) => Decision) => changeOrder(moving, orderId, decide);
    const bucket = bucketOf(orderId, dueBuckets);
    const listed = async () => (await due.waiting(bucket)).filter((one) => one.orderId === orderId);
    await change(authorised);
    await change(paid);
    await sweep();
    now += 10 * 60_000;
    await change((order) =>
      decideRefund(order, { refundId: 'rfd_1', amount: 500, reason: 'damaged', requestHash: 'h' }),
    );
    now += 9 * 60_000;
    await sweep();
    expect(await listed()).toEqual([]);
    now += 2 * 60_000;
    await sweep();
    expect(await listed()).toEqual([
      { orderId, since: expect.stringMatching(/T04:10/), lookAt: expect.stringMatching(/T04:2/) },
    ]);
    const hints = async () =>
      (await loadEvents(dynamo.documents, tables.order, orderId)).filter(
        ({ type }) => type === 'payment.hinted',
      ).length;
    expect(await hints()).toBe(1);
    await change(refunded);
    now += 60 * 60_000;
    await sweep();
    expect(await listed()).toEqual([]);
    expect(await hints()).toBe(1);
  });

  it('is looked at again when it ends with nothing left to refund: somebody must be told of it', async () => {
    await stock(5);
    const event = placedEvent({ orderId: `ord_A${++orders}`, at: noon });
    await commit(event);
    let now = noon;
    const { orderId } = event;
    const change = (decide: (order: Order) => Decision) =>
      changeOrder({ ...ports(), now: () => now }, orderId, decide);
    await change(authorised);
    await change(paid);
    await change((order) => decideRefund(order, { refundId: 'rfd_1', reason: 'damaged', requestHash: 'h' }));
    await change(refunded);
    now += 24 * 60 * 60_000;
    await change((order) => decideCancellation(order, 'rfd_2'));
    const due = dynamoDueOrders(dynamo.documents, tables.order);
    const [from, to] = [now, now + 15 * 60_000].map((at) => new Date(at).toISOString());
    expect(await due.dueBetween(bucketOf(orderId, dueBuckets), from!, to!)).toContain(orderId);
  });

  it('promises no more than was captured, however many refunds are asked for at once', async () => {
    await stock(5);
    const event = placedEvent({ orderId: `ord_A${++orders}`, at: noon });
    await commit(event);
    const change = (decide: (order: Order) => Decision) => changeOrder(ports(), event.orderId, decide);
    await change(authorised);
    await change(paid);
    const asked = await Promise.allSettled(
      Array.from({ length: 8 }, (_, n) =>
        change((order) =>
          decideRefund(order, {
            refundId: `rfd_${n}`,
            amount: 6_000,
            reason: 'damaged',
            requestHash: `${n}`,
          }),
        ),
      ),
    );
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    const order = fold(await loadEvents(dynamo.documents, tables.order, event.orderId));
    expect(refundable(order)).toBe(5_000);
  });
});

it("lists a customer's orders newest first, page by page", async () => {
  await stock(50);
  const ids: string[] = [];
  let after: readonly [string, string] | undefined;
  do {
    const page = await listOrderIds(dynamo.documents, tables.order, 'customer-1', 2, after);
    ids.push(...page.ids);
    after = page.next;
  } while (after !== undefined);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toContain('ord_A1');
  const times = await Promise.all(
    ids.map(async (id) => (await loadPlaced(dynamo.documents, tables.order, id))!.at),
  );
  expect(times).toEqual([...times].sort().reverse());
});
