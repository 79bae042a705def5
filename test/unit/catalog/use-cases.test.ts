import { readFileSync } from 'node:fs';
import { DynamoDBClient, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { productFeed } from '../../../functions/catalog/adapters/product-feed.ts';
import { productTable } from '../../../functions/catalog/adapters/product-table.ts';
import { changeProduct } from '../../../functions/catalog/app/change-product.ts';
import { createProduct } from '../../../functions/catalog/app/create-product.ts';
import { getProduct } from '../../../functions/catalog/app/get-product.ts';
import { importProducts } from '../../../functions/catalog/app/import-products.ts';
import { listCategories } from '../../../functions/catalog/app/list-categories.ts';
import * as contract from '../../../functions/catalog/contract.ts';
import { readPrices } from '../../../functions/catalog/published.ts';
import { catalogTable } from '../../../functions/catalog/table.infra.ts';
import { newId } from '../../../functions/kernel/ids.ts';
import { startDynamo, type TestDynamo } from '../../support/dynamo.ts';

let time = Date.parse('2026-11-22T00:00:00Z');
const now = () => time;
/** SKUs around whose drop it is. */
const held = new Set<string>();
let dynamo: TestDynamo;
let ports: ReturnType<typeof portsOf>;

function portsOf(documents: DynamoDBDocumentClient) {
  const availability = async () => new Map<string, 'in_stock'>();
  const heldStill = async (skus: readonly string[]) =>
    new Map(skus.filter((sku) => held.has(sku)).map((sku): [string, string] => [sku, 'drp_A']));
  return { ...productTable(documents, dynamo.table('catalog')), availability, heldStill, newId, now };
}

beforeAll(async () => {
  dynamo = await startDynamo(catalogTable);
  ports = portsOf(dynamo.documents);
});
afterAll(() => dynamo?.stop());

const usd = (amount: number) => ({ amount, currency: 'USD' as const });
const refusal = (code: string) => expect.objectContaining({ code });
const prices = (...skus: string[]) => readPrices(dynamo.documents, dynamo.table('catalog'), skus);
const get = (productId: string) =>
  getProduct({ ...ports, product: ports.glimpse })({ params: { productId } });

const create = (body: Partial<z.input<typeof contract.createProduct.body>> = {}) =>
  createProduct(ports)({
    body: z.parse(contract.createProduct.body, {
      ...{ name: 'Hammer', description: 'Hits.', category: 'tools', style: 'hammer' },
      variants: [{ price: usd(1_000) }],
      ...body,
    }),
  });
const change = (productId: string, body: z.input<typeof contract.changeProduct.body>, ifMatch = '*') =>
  changeProduct(ports)({ params: { productId }, body: z.parse(contract.changeProduct.body, body), ifMatch });

describe('a product', () => {
  it('is shown, and priced by its SKUs, as soon as it is made', async () => {
    const { body, headers } = await create({
      variants: [{ sku: 'sku_m', attributes: { size: 'M' }, price: usd(900) }, { price: usd(1_100) }],
    });
    expect(await get(body.id)).toEqual({ status: 200, body, headers: { etag: headers?.etag } });
    const [, second] = body.variants;
    expect(await prices('sku_m', second!.sku, 'sku_unknown')).toEqual(
      new Map([
        ['sku_m', { sku: 'sku_m', productId: body.id, name: 'Hammer', price: usd(900), purchasable: true }],
        [second!.sku, expect.objectContaining({ price: usd(1_100) })],
      ]),
    );
  });

  it('cannot take a SKU of another product', async () => {
    await create({ variants: [{ sku: 'sku_owned', price: usd(1) }] });
    const thief = { variants: [{ sku: 'sku_owned', price: usd(2) }] };
    await expect(create(thief)).rejects.toEqual(refusal('already-exists'));
    const { body } = await create();
    await expect(change(body.id, thief)).rejects.toEqual(refusal('already-exists'));
    expect((await prices('sku_owned')).get('sku_owned')?.price).toEqual(usd(1));
    const twice = { variants: [...thief.variants, ...thief.variants] };
    await expect(create(twice)).rejects.toEqual(refusal('validation-failed'));
  });

  it('changes under its ETag, price and all', async () => {
    const { body, headers } = await create({ image: 'a.jpg', genderAffinity: 'F' });
    const sku = body.variants[0]!.sku;
    const changed = await change(
      body.id,
      { variants: [{ sku, price: usd(1_250) }], image: null },
      headers?.etag,
    );
    expect(changed.body).toMatchObject({ genderAffinity: 'F', variants: [{ sku, price: usd(1_250) }] });
    expect(changed.body.image).toBeUndefined();
    expect((await prices(sku)).get(sku)?.price).toEqual(usd(1_250));
    expect((await get(body.id)).headers?.etag).toBe(changed.headers?.etag);
    await expect(change(body.id, { name: 'Late' }, headers?.etag)).rejects.toEqual(
      refusal('precondition-failed'),
    );
    await expect(change('prd_none', { name: 'x' })).rejects.toEqual(refusal('not-found'));
  });

  it('keeps its version when nothing changes', async () => {
    const { body, headers } = await create();
    const same = await change(body.id, { name: body.name, featured: false });
    expect(same.headers?.etag).toBe(headers?.etag);
    expect(same.body).toEqual(body);
  });

  it('is changed by one of two operators', async () => {
    const { body, headers } = await create();
    const results = await Promise.allSettled(
      ['A', 'B', 'C'].map((name) => change(body.id, { name }, headers?.etag)),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('waits for a transaction that is in the way, and says so when it stays', async () => {
    const { body } = await create();
    const cancelled = new TransactionCanceledException({
      message: 'conflict',
      $metadata: {},
      CancellationReasons: [{ Code: 'TransactionConflict' }, { Code: 'None' }],
    });
    let conflicts = 2;
    const send = async (command: never) => {
      if ((command as object) instanceof TransactWriteCommand && conflicts-- > 0) throw cancelled;
      return dynamo.documents.send(command);
    };
    const contended = portsOf({ send } as unknown as DynamoDBDocumentClient);
    const rename = (name: string) =>
      changeProduct(contended)({ params: { productId: body.id }, body: { name }, ifMatch: '*' });
    expect((await rename('Through')).body.name).toBe('Through');
    conflicts = Infinity;
    await expect(rename('Never')).rejects.toEqual(refusal('temporary-reduced-capacity'));
  });

  it('is off sale once removed, and can come back', async () => {
    const { body } = await create();
    const sku = body.variants[0]!.sku;
    await change(body.id, { status: 'removed' });
    await expect(get(body.id)).rejects.toEqual(refusal('not-found'));
    expect((await prices(sku)).get(sku)).toMatchObject({ purchasable: false, name: 'Hammer' });
    await change(body.id, { status: 'active' });
    expect((await prices(sku)).get(sku)?.purchasable).toBe(true);
  });

  it('takes a variant off sale that it no longer has', async () => {
    const { body } = await create();
    const old = body.variants[0]!.sku;
    await change(body.id, { variants: [{ sku: 'sku_newer', price: usd(5) }] });
    const found = await prices(old, 'sku_newer');
    expect([found.get(old)?.purchasable, found.get('sku_newer')?.purchasable]).toEqual([false, true]);
  });
});

describe('around a drop', () => {
  const two = [
    { sku: 'sku_d1', attributes: { size: 'M' }, price: usd(900) },
    { sku: 'sku_d2', attributes: {}, price: usd(900) },
  ];
  let productId: string;
  beforeAll(async () => {
    productId = (await create({ variants: two })).body.id;
    held.add('sku_d1');
  });
  afterAll(() => held.clear());

  it.each<[string, z.input<typeof contract.changeProduct.body>]>([
    ['the price', { variants: [{ ...two[0]!, price: usd(901) }, two[1]!] }],
    ['the name', { name: 'Mallet' }],
    ['that it is sold', { status: 'removed' }],
    ['its place in the product', { variants: [two[1]!] }],
  ])('%s of a SKU stays as it is', async (_what, body) => {
    await expect(change(productId, body)).rejects.toEqual(
      expect.objectContaining({ code: 'drop-open', members: { sku: 'sku_d1', dropId: 'drp_A' } }),
    );
    expect((await prices('sku_d1')).get('sku_d1')).toMatchObject({ price: usd(900), purchasable: true });
    expect((await get(productId)).body.name).toBe('Hammer');
  });

  it.each<[string, z.input<typeof contract.changeProduct.body>]>([
    ['what is said of it', { description: 'Hits hard.', category: 'drops', featured: true }],
    ['what tells its variants apart', { variants: [{ ...two[0]!, attributes: { size: 'L' } }, two[1]!] }],
    ['another SKU', { variants: [{ ...two[0]!, attributes: { size: 'L' } }, { price: usd(5) }] }],
  ])('%s can be changed', async (_what, body) => {
    expect((await change(productId, body)).status).toBe(200);
    expect((await prices('sku_d1')).get('sku_d1')).toMatchObject({ price: usd(900), purchasable: true });
  });

  it('what is not on sale can be put there', async () => {
    const { body } = await create({ variants: [{ sku: 'sku_d3', price: usd(1) }] });
    await change(body.id, { status: 'removed' });
    held.add('sku_d3');
    await change(body.id, { status: 'active', variants: [{ sku: 'sku_d3', price: usd(2) }] });
    expect((await prices('sku_d3')).get('sku_d3')).toMatchObject({ price: usd(2), purchasable: true });
  });
});

describe('the feed', () => {
  it('shows changes after 2 s, reads little for them, and keeps removed products as tombstones', async () => {
    const { body } = await create({ name: 'Before' });
    let items = 0;
    const counting = DynamoDBDocumentClient.from(new DynamoDBClient());
    counting.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        items += (result.output as { Items?: unknown[] }).Items?.length ?? 0;
        return result;
      },
      { step: 'initialize' },
    );
    const feed = productFeed(counting, dynamo.table('catalog'), now);
    const mine = async () => (await feed()).find(({ id }) => id === body.id);
    expect((await mine())?.name).toBe('Before');

    time += 60_000;
    await mine();
    await change(body.id, { name: 'After' });
    items = 0;
    expect((await mine())?.name).toBe('Before');
    time += 2_000;
    expect((await mine())?.name).toBe('After');
    expect(items).toBe(1);
    await change(body.id, { name: 'Once more' });
    expect((await mine())?.name).toBe('After');
    time += 2_000;
    expect((await mine())?.name).toBe('Once more');
    await change(body.id, { status: 'removed' });
    time += 2_000;
    expect((await mine())?.status).toBe('removed');
  });

  it('asks once for many requests at the same time', async () => {
    let queries = 0;
    const send = async () => {
      queries++;
      return { Items: [] };
    };
    const client = { send };
    const feed = productFeed(client as unknown as DynamoDBDocumentClient, 'table', now);
    await Promise.all(Array.from({ length: 10 }, () => feed()));
    expect(queries).toBe(4);
  });

  it('counts the categories on sale', async () => {
    await create({ category: 'Zoo', style: 'ape' });
    await create({ category: 'Zoo', style: 'bat' });
    await create({ category: 'Zoo', style: 'bat', channels: ['voice'] });
    time += 2_000;
    const products = productFeed(dynamo.documents, dynamo.table('catalog'), now);
    const { body } = await listCategories({ products })({ query: { channel: 'web' } });
    expect(body.items.find(({ name }) => name === 'Zoo')).toEqual({
      name: 'Zoo',
      products: 2,
      children: [
        { name: 'ape', products: 1 },
        { name: 'bat', products: 1 },
      ],
    });
  });
});

describe('an import', () => {
  const send = (text: string, type = 'text/csv') =>
    importProducts(ports)({ body: text, headers: { 'content-type': type } }).then(({ body }) => body);
  const header = 'id,name,description,category,style,price,current_stock\n';

  it('takes the good rows, reports the bad ones with line and reason, and writes the same only once', async () => {
    const file = `${header}a,Axe,Cuts.,tools,axe,19.99,3\nb,Bow,,tools,bow,free,1\na,Axe,,tools,axe,1,1\nc,"Cup, big",,tools,cup,5,1\n`;
    const failed = [
      { line: 3, id: 'b', reason: expect.stringContaining('price') },
      { line: 4, id: 'a', reason: 'the id is in line 2 already' },
    ];
    expect(await send(file)).toEqual({ imported: 2, updated: 0, unchanged: 0, failed });
    expect((await get('prd_c')).body).toMatchObject({ name: 'Cup, big', variants: [{ price: usd(500) }] });
    expect(await send(file)).toEqual({ imported: 0, updated: 0, unchanged: 2, failed });
    const dearer = file.replace('19.99', '20.00');
    expect(await send(dearer)).toEqual({ imported: 0, updated: 1, unchanged: 1, failed });
    expect((await prices('sku_a')).get('sku_a')?.price).toEqual(usd(2_000));
  });

  it('does not take the SKU of another product', async () => {
    await create({ variants: [{ sku: 'sku_held', price: usd(1) }] });
    expect(await send(`${header}held,X,,tools,x,2,1\n`)).toMatchObject({
      imported: 0,
      failed: [{ line: 2, id: 'held', reason: expect.stringContaining('another product') }],
    });
    expect((await prices('sku_held')).get('sku_held')?.price).toEqual(usd(1));
  });

  it('does not undo what an operator does at the same moment', async () => {
    await send(`${header}d,Drum,,tools,drum,1,1\n`);
    const replace: typeof ports.replace = async (before, after) => {
      await change('prd_d', { name: 'Drum, loud' });
      return ports.replace(before, after);
    };
    const answer = await importProducts({ ...ports, replace })({
      body: `${header}d,Drum,,tools,drum,2,1\n`,
      headers: { 'content-type': 'text/csv' },
    });
    expect(answer.body).toMatchObject({ updated: 0, failed: [{ line: 2, id: 'd' }] });
    expect((await get('prd_d')).body).toMatchObject({ name: 'Drum, loud', variants: [{ price: usd(100) }] });
  });

  it('reports the rows that would change the terms of a SKU around its drop, and takes the rest', async () => {
    await send(`${header}k,Kite,,tools,kite,1,1\nl,Lamp,,tools,lamp,1,1\n`);
    held.add('sku_k');
    const answer = await send(
      `${header}k,Kite,,tools,kite,2,1\nl,Lamp,,tools,lamp,2,1\nmug,Mug,,tools,mug,1,1\n`,
    );
    expect(answer).toMatchObject({ imported: 1, updated: 1, unchanged: 0 });
    expect(answer.failed).toEqual([
      { line: 2, id: 'k', reason: expect.stringMatching('sku_k is sold in drop drp_A') },
    ]);
    expect((await prices('sku_k', 'sku_l')).get('sku_k')?.price).toEqual(usd(100));
    expect((await prices('sku_k', 'sku_l')).get('sku_l')?.price).toEqual(usd(200));
    expect(await send(`${header}k,Kite,"Flies, high",tools,kite,1,1\n`)).toMatchObject({
      updated: 1,
      failed: [],
    });
    held.clear();
  });

  it('does not reprice a SKU around its drop whose product an earlier import did not come to', async () => {
    const cutOff = { productId: 'prd_n', name: 'Net', price: usd(100), purchasable: true };
    const Item = { pk: 'SKU#sku_n', sk: 'SKU', sku: 'sku_n', ...cutOff };
    await dynamo.documents.send(new PutCommand({ TableName: dynamo.table('catalog'), Item }));
    held.add('sku_n');
    const file = `${header}n,Net,,tools,net,2,1\n`;
    expect(await send(file)).toMatchObject({ imported: 0, failed: [{ id: 'n' }] });
    expect((await prices('sku_n')).get('sku_n')?.price).toEqual(usd(100));
    held.clear();
    expect(await send(file)).toMatchObject({ imported: 1, failed: [] });
  });

  it('goes on where an earlier one was cut off', async () => {
    const add: typeof ports.add = async () => {
      throw new Error('cut off');
    };
    const file = `${header}e,Egg,,tools,egg,1,1\n`;
    await expect(
      importProducts({ ...ports, add })({ body: file, headers: { 'content-type': 'text/csv' } }),
    ).rejects.toThrow('cut off');
    expect(await send(file)).toMatchObject({ imported: 1 });
  });

  it('takes the sample catalogue', async () => {
    const file = readFileSync(new URL('../../../data/catalog/products.yaml', import.meta.url), 'utf8');
    expect(await send(file, 'application/yaml')).toEqual({
      imported: 2_465,
      updated: 0,
      unchanged: 0,
      failed: [],
    });
    time += 2_000;
    const products = (await productFeed(dynamo.documents, dynamo.table('catalog'), now)()).filter(({ id }) =>
      /^prd_[0-9a-f]{8}-/.test(id),
    );
    expect(products).toHaveLength(2_465);
    expect(products.filter(({ channels }) => channels.includes('voice'))).toHaveLength(16);
    const amounts = products.map(({ variants }) => variants[0]!.price.amount);
    expect([Math.min(...amounts), Math.max(...amounts)]).toEqual([199, 2_499_999]);
    expect(await send(file, 'application/yaml')).toMatchObject({ imported: 0, unchanged: 2_465 });
  }, 30_000);
});
