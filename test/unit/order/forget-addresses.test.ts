import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { bucketOf } from '../../../functions/kernel/ids.ts';
import { itemOf } from '../../../functions/order/adapters/event-items.ts';
import { loadEvents } from '../../../functions/order/adapters/event-store.ts';
import { dynamoOldOrders } from '../../../functions/order/adapters/old-orders.ts';
import { forgetAddresses, type OldOrders } from '../../../functions/order/app/forget-addresses.ts';
import { fold } from '../../../functions/order/domain/order.ts';
import { dueBuckets, lookKeys } from '../../../functions/order/keys.ts';
import { orderTable } from '../../../functions/order/table.infra.ts';
import { startDynamo, type TestDynamo } from '../../support/dynamo.ts';
import { noon, placedEvent, shippingAddress } from './given.ts';

vi.mock('../../../functions/kernel/log.ts', () => ({ log: { info: vi.fn() } }));

let dynamo: TestDynamo;
let orders: OldOrders;
beforeAll(async () => {
  dynamo = await startDynamo(orderTable);
  orders = dynamoOldOrders(dynamo.documents, dynamo.table('order'));
});
afterAll(() => dynamo?.stop());

const day = 86_400_000;
const keepDays = 10;
const run = (now: number, ports: Partial<OldOrders> = {}) =>
  forgetAddresses({ now: () => now, keepDays, orders: { ...orders, ...ports } })();

async function place(orderId: string, at: number): Promise<void> {
  const event = placedEvent({ orderId, at });
  const confidential = {
    ...event.confidential,
    shippingAddress: { ...shippingAddress, line2: 'Gate 2', region: 'Jongno', phone: '02' },
  };
  const item = itemOf({ ...event, confidential }, lookKeys(orderId, new Date(at + 900_000).toISOString()));
  await dynamo.documents.send(new PutCommand({ TableName: dynamo.table('order'), Item: item }));
}

const orderOf = async (orderId: string) =>
  fold(await loadEvents(dynamo.documents, dynamo.table('order'), orderId));

describe('the addresses of orders', () => {
  it('are forgotten when their time is over, and nothing else is, nor any other order', async () => {
    await place('ord_Old', noon);
    await place('ord_Young', noon + 3 * day);
    const before = await orderOf('ord_Old');
    expect(await run(noon + 11 * day)).toEqual({ forgotten: 1 });
    const nobody = { name: '—', line1: '—', city: '—', postalCode: '—', country: 'KR' };
    expect(await orderOf('ord_Old')).toEqual({ ...before, shippingAddress: nobody });
    expect((await orderOf('ord_Young')).shippingAddress.name).toBe('Kim Yuna');
    expect(await run(noon + 11 * day)).toEqual({ forgotten: 0 });
    expect(await run(noon + 14 * day)).toEqual({ forgotten: 1 });
    expect((await orderOf('ord_Young')).shippingAddress).toEqual(nobody);
  });

  it('that could not be forgotten are next time', async () => {
    await place('ord_Stuck', noon + 20 * day);
    const failing = async () => {
      throw new Error('not now');
    };
    const moved: number[] = [];
    const moveTo: OldOrders['moveTo'] = async (bucket, to) => {
      moved.push(bucket);
      await orders.moveTo(bucket, to);
    };
    await expect(run(noon + 31 * day, { forget: failing, moveTo })).rejects.toThrow('not now');
    expect(moved).not.toContain(bucketOf('ord_Stuck', dueBuckets));
    expect(await run(noon + 31 * day)).toEqual({ forgotten: 1 });
  });
});
