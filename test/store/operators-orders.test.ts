import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, order, type Store, sell, settled, totalOf } from '../../bench/store.ts';

let store: Store;
let shopper: { readonly token: string };
let operator: string;
const orders: Record<'paid' | 'declined' | 'unpaid', any> = {} as never;

beforeAll(async () => {
  store = await openStore();
  shopper = await store.account();
  operator = await store.operator();
  const { sku } = await sell(store, { stock: 10 });
  const lines = [{ sku, quantity: 1 }];
  const total = await totalOf(store, lines);
  const place = async (payWith: string | null): Promise<string> => {
    const placed = await order(store, { ...shopper, lines, total, payWith });
    expect(placed.status).toBe(201);
    return placed.body.id;
  };
  const { token } = shopper;
  orders.paid = await settled(store, token, await place('tok_approve'), { payment: 'captured' });
  orders.declined = await settled(store, token, await place('tok_decline'), { payment: 'declined' });
  orders.unpaid = await settled(store, token, await place(null), { payment: 'none' });
});
afterAll(() => store?.stop());

const get = (path: string, token = operator) => store.request('GET', path, { token });

/** A row as its order tells it. */
const rowOf = (one: any) => ({
  id: one.id,
  number: one.number,
  customerId: expect.stringMatching(/./),
  status: one.status,
  paymentStatus: one.payment.status,
  total: one.total,
  refunded: one.payment.amountRefunded,
  placedAt: one.createdAt,
  updatedAt: one.updatedAt,
  seq: one.version,
});

describe('the operators’ list of orders', () => {
  it('shows every order as it is, the newest first', async () => {
    const wanted = [orders.unpaid, orders.declined, orders.paid].map(rowOf);
    await expect
      .poll(async () => (await get('/v1/admin/orders')).body, { timeout: 60_000 })
      .toEqual({ items: wanted });
  });

  it('is asked for by status and time, page by page', async () => {
    const { body, headers } = await get('/v1/admin/orders?status=placed&limit=1');
    expect(body.items.map(({ id }: { id: string }) => id)).toEqual([orders.unpaid.id]);
    const [, next] = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '') ?? [];
    const rest = await get(next!);
    expect(rest.body.items.map(({ id }: { id: string }) => id)).toEqual([orders.declined.id]);
    expect(rest.body.next).toBeUndefined();

    const before = await get(`/v1/admin/orders?to=${orders.declined.createdAt}`);
    expect(before.body.items.map(({ id }: { id: string }) => id)).toEqual([orders.paid.id]);
    expect((await get('/v1/admin/orders?status=lost')).status).toBe(422);
  });

  it('leads to the order, with its customer and its history', async () => {
    const { status, body } = await get(`/v1/admin/orders/${orders.paid.id}`);
    expect(status).toBe(200);
    expect(body.order).toEqual(orders.paid);
    expect(body.events.map(({ type }: { type: string }) => type)).toEqual([
      'order.placed',
      'capture.requested',
      'payment.captured',
    ]);
    expect((await get('/v1/admin/orders/ord_NOBODY')).status).toBe(404);
  });

  it('is for operators only', async () => {
    expect((await get('/v1/admin/orders', shopper.token)).status).toBe(403);
    expect((await get(`/v1/admin/orders/${orders.paid.id}`, shopper.token)).status).toBe(403);
  });
});

/** `npm run rebuild -- <option>` against this store. */
async function runRebuild(option: string): Promise<{ code: number; said: string }> {
  const child = spawn(process.execPath, ['scripts/rebuild.ts', option], {
    env: { ...process.env, PORT: new URL(store.apiUrl).port },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return { code, said };
}

it('a rebuild finds nothing wrong with a running store, then what was spoilt in it, and puts it right', async () => {
  expect(await runRebuild('--verify')).toMatchObject({ code: 0 });

  const { ref: table } = store.cloud.runtime
    .resources('AWS::DynamoDB::Table')
    .find(({ logicalId }) => logicalId.startsWith('ReportingTable'))!;
  const { body: local } = await get('/_local');
  const client = new DynamoDBClient({
    endpoint: local.awsEndpoint,
    region: local.region,
    credentials: { accessKeyId: 'LOCALOPERATOR', secretAccessKey: 'local' },
  });
  const documents = DynamoDBDocumentClient.from(client);
  const { Items = [] } = await documents.send(new ScanCommand({ TableName: table }));
  const { pk, sk } = Items.find((item) => String(item.pk).endsWith(orders.paid.id))!;
  const spoil = { UpdateExpression: 'SET fact3.amount = fact3.amount + :one' };
  await documents.send(
    new UpdateCommand({
      TableName: table,
      Key: { pk, sk },
      ...spoil,
      ExpressionAttributeValues: { ':one': 1 },
    }),
  );
  client.destroy();

  const verified = await runRebuild('--verify');
  expect(verified.code).toBe(1);
  expect(verified.said).toContain(`reporting: changed ${pk} ${sk}`);
  expect(await runRebuild('--write')).toMatchObject({ code: 0 });
  expect(await runRebuild('--verify')).toMatchObject({ code: 0 });
});
