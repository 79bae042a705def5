import { generateKeyPairSync } from 'node:crypto';
import { BatchGetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { signToken } from '../../../functions/admission/domain/token.ts';
import { skuKey as dropsKey } from '../../../functions/admission/keys.ts';
import { admissionTable } from '../../../functions/admission/table.infra.ts';
import { shippingFee } from '../../../functions/cart/domain/rates.ts';
import { cartTable } from '../../../functions/cart/table.infra.ts';
import { skuKey } from '../../../functions/catalog/keys.ts';
import { catalogTable } from '../../../functions/catalog/table.infra.ts';
import { headerKey, shardKey } from '../../../functions/inventory/keys.ts';
import { inventoryTable } from '../../../functions/inventory/table.infra.ts';
import { placementPorts } from '../../../functions/order/adapters/placement-ports.ts';
import { placeOrder } from '../../../functions/order/app/place-order.ts';
import { orderTable } from '../../../functions/order/table.infra.ts';
import { startDynamo, type TestDynamo } from '../../support/dynamo.ts';
import { noon, shippingAddress, traceparent } from './given.ts';

const sku = 'sku_a';
const price = { amount: 10_000, currency: 'KRW' as const };
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
let now = noon;
/** The tables that were read since the last order. */
let read: string[] = [];
let dynamo: TestDynamo;
let place: ReturnType<typeof placeOrder>;

const put = (table: string, Item: Record<string, unknown>) =>
  dynamo.documents.send(new PutCommand({ TableName: `test-${table}`, Item }));

beforeAll(async () => {
  dynamo = await startDynamo(orderTable, cartTable, inventoryTable, catalogTable, admissionTable);
  const send = (command: any) => {
    if (command instanceof BatchGetCommand) read.push(...Object.keys(command.input.RequestItems ?? {}));
    return dynamo.documents.send(command);
  };
  const tables = {
    ORDER_TABLE: dynamo.table('order'),
    CART_TABLE: dynamo.table('cart'),
    CATALOG_TABLE: dynamo.table('catalog'),
    INVENTORY_TABLE: dynamo.table('inventory'),
    ADMISSION_TABLE: dynamo.table('admission'),
  };
  const world = { now: () => now, sleep: async () => {}, random: () => 0.5 };
  place = placeOrder(placementPorts({ send } as typeof dynamo.documents, tables, world));
  await put('catalog', { ...skuKey(sku), sku, productId: 'prd_a', name: 'Cup', price, purchasable: true });
  await put('inventory', { ...headerKey(sku), sku, shards: 1, opened: 0 });
  await put('inventory', { ...shardKey(sku, 0), sku, shard: 0, available: 100, rev: 0 });
});
afterAll(() => dynamo?.stop());

let orders = 0;
async function order(): Promise<string[]> {
  orders++;
  read = [];
  const claims = { drop: 'drp_A', sub: `customer-${orders}`, position: orders, ticket: 'tkt_A' };
  await place({
    customerId: claims.sub,
    idempotencyKey: 'key',
    body: {
      lines: [{ sku, quantity: 1 }],
      shippingAddress,
      shippingMethod: 'standard',
      expectedTotal: { ...price, amount: price.amount + shippingFee('KRW', 'standard', price.amount) },
    },
    locale: 'ko',
    traceparent,
    admissions: [signToken({ ...claims, exp: noon / 1_000 + 600 }, privateKey)],
  });
  return read.map((table) => table.replace('test-', '')).sort();
}

const everything = ['admission', 'catalog', 'inventory'];

it('outside of a drop each order reads price, drops and stock', async () => {
  expect([await order(), await order()]).toEqual([everything, everything]);
});

it('in a drop an environment reads them once a second, however many order', async () => {
  const publicKeyText = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  const drop = { dropId: 'drp_A', opensAt: noon + 1_000, closesAt: noon + 60_000, perCustomerLimit: 1 };
  await put('admission', { ...dropsKey(sku), sku, rev: 1, drops: [{ ...drop, publicKey: publicKeyText }] });
  now = drop.opensAt;
  expect(await order()).toEqual(everything);
  now += 999;
  expect(await order()).toEqual([]);
  now += 1;
  expect(await order()).toEqual(everything);
});
