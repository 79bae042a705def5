import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cartTable } from '../../../functions/cart/table.infra.ts';
import { skuKey } from '../../../functions/catalog/keys.ts';
import { catalogTable } from '../../../functions/catalog/table.infra.ts';
import { inventoryTable } from '../../../functions/inventory/table.infra.ts';
import { startDynamo, type TestDynamo } from '../../support/dynamo.ts';

let dynamo: TestDynamo;

beforeAll(async () => {
  dynamo = await startDynamo(cartTable, catalogTable, inventoryTable);
  const Item = {
    ...skuKey('sku_lamp'),
    sku: 'sku_lamp',
    productId: 'prd_a',
    name: 'Lamp',
    price: { amount: 20_00, currency: 'USD' },
    purchasable: true,
  };
  await dynamo.documents.send(new PutCommand({ TableName: dynamo.table('catalog'), Item }));
});
afterAll(() => dynamo?.stop());

/** A call as the gateway makes it. Handlers read the environment when they are loaded, so that comes last. */
async function call(
  name: 'create-cart' | 'get-cart' | 'put-cart-line' | 'delete-cart-line' | 'claim-cart',
  params: Record<string, string> = {},
  { body, headers = {} }: { body?: object; headers?: Record<string, string> } = {},
) {
  const { handler } = await import(`../../../functions/cart/handlers/${name}.ts`);
  const event = {
    rawPath: '/v1/carts',
    rawQueryString: '',
    pathParameters: params,
    headers: { 'content-type': 'application/json', ...headers },
    body: body && JSON.stringify(body),
    isBase64Encoded: false,
    requestContext: { requestId: 'r1', domainName: 'api.test' },
  } as unknown as APIGatewayProxyEventV2;
  const answer = await handler(event, {} as Context);
  return { status: answer.statusCode, headers: answer.headers, body: answer.body && JSON.parse(answer.body) };
}

describe('a guest over HTTP', () => {
  it('makes a cart, fills it, looks at it and empties it', async () => {
    const created = await call('create-cart', {}, { body: {} });
    expect(created).toMatchObject({ status: 201, headers: { etag: '"1"' } });
    const cartId: string = created.body.id;
    expect(cartId).toMatch(/^crt_[0-9A-Z]{26}$/);

    const line = { cartId, sku: 'sku_lamp' };
    const put = await call('put-cart-line', line, { body: { quantity: 2 }, headers: { 'if-match': '"1"' } });
    expect(put).toMatchObject({ status: 200, headers: { etag: '"2"' }, body: { total: { amount: 45_99 } } });

    // Its prices may have changed since, so it is never 304.
    const read = await call('get-cart', { cartId }, { headers: { 'if-none-match': '"2"' } });
    expect(read.status).toBe(200);
    expect(read.body).toEqual(put.body);

    const removed = await call('delete-cart-line', line, { headers: { 'if-match': '*' } });
    expect(removed).toMatchObject({ status: 200, headers: { etag: '"3"' }, body: { lines: [] } });
  });

  it('is told what is wrong', async () => {
    const { body } = await call('create-cart', {}, { body: { lines: [{ sku: 'sku_lamp', quantity: 1 }] } });
    const line = { cartId: body.id, sku: 'sku_lamp' };
    const star = { 'if-match': '*' };
    expect((await call('put-cart-line', line, { body: { quantity: 1 } })).status).toBe(428);
    expect((await call('delete-cart-line', line)).status).toBe(428);
    expect(
      (await call('put-cart-line', line, { body: { quantity: 2 }, headers: { 'if-match': '"7"' } })).status,
    ).toBe(412);
    const zero = await call('put-cart-line', line, { body: { quantity: 0 }, headers: star });
    expect(zero).toMatchObject({ status: 422, body: { detail: expect.stringContaining('DELETE') } });
    const unknown = await call(
      'put-cart-line',
      { ...line, sku: 'sku_x' },
      { body: { quantity: 1 }, headers: star },
    );
    expect(unknown).toMatchObject({ status: 422, body: { detail: expect.stringContaining('sku_x') } });
    expect((await call('get-cart', { cartId: 'crt_none' })).status).toBe(404);
    expect((await call('get-cart', { cartId: 'none' })).status).toBe(404);
    expect((await call('claim-cart', { cartId: body.id })).status).toBe(401);
  });
});
