import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { createCognito } from '../../local/cognito.ts';
import { demoAccounts, demoPassword, signIn } from '../../local/demo-accounts.ts';
import { isSeeded, seed } from '../../local/seed.ts';
import { fakeRuntime, resource } from './support/runtime.ts';

const catalogueRows = 2465;

interface Received {
  readonly route: string;
  readonly groups: unknown;
  readonly rows: { id: string }[];
}

/** A store whose import routes note what they get; `failing` answers 503 to products, `refuse` refuses rows. */
async function setUp(refuse: (request: Received) => object[] = () => []) {
  const received: Received[] = [];
  const state = { failing: false };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const claims = request.headers.authorization!.split('.')[1]!;
    const { 'cognito:groups': groups } = JSON.parse(Buffer.from(claims, 'base64url').toString());
    const one = { route: request.url!, groups, rows: parse(body) };
    received.push(one);
    response.statusCode = state.failing ? 503 : 200;
    response.end(JSON.stringify({ failed: refuse(one) }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());

  const runtime = fakeRuntime({
    resources: [
      resource('AWS::Cognito::UserPool', 'pool', { UsernameAttributes: ['email'] }),
      resource('AWS::Cognito::UserPoolClient', 'client', { UserPoolId: 'pool' }),
      ...['operators', 'finance'].map((GroupName) =>
        resource('AWS::Cognito::UserPoolGroup', GroupName, { UserPoolId: 'pool', GroupName }),
      ),
    ],
  });
  runtime.use(createCognito);
  const pool = { userPoolId: 'pool', clientId: 'client', call: runtime.call };
  const { port } = server.address() as AddressInfo;
  const progress: number[] = [];
  const run = () =>
    seed({
      home: runtime.home,
      apiUrl: `http://127.0.0.1:${port}`,
      pool,
      onProgress: (done, total) => {
        expect(total).toBe(catalogueRows);
        progress.push(done);
      },
    });
  return { run, received, state, progress, pool, home: runtime.home };
}

test('an empty store gets the demo accounts and every row, products and stock, by the operator', async () => {
  const { run, received, progress, pool, home } = await setUp();
  expect(await run()).toEqual({ refused: [], imported: true });
  for (const { email } of demoAccounts) {
    await expect(signIn(pool, email, demoPassword)).resolves.toHaveProperty('accessToken');
  }
  for (const route of ['/v1/admin/products/import', '/v1/admin/stock/import']) {
    const ids = received.filter((one) => one.route === route).flatMap(({ rows }) => rows.map(({ id }) => id));
    expect(new Set(ids).size).toBe(catalogueRows);
    expect(ids).toHaveLength(catalogueRows);
  }
  expect(received.every(({ groups }) => String(groups) === 'operators')).toBe(true);
  expect([progress[0], progress.at(-1)]).toEqual([0, catalogueRows]);
  expect(isSeeded(home)).toBe(true);
});

test('a store that has the catalogue is left alone', async () => {
  const { run, received } = await setUp();
  await run();
  const before = received.length;
  expect(await run()).toEqual({ refused: [], imported: false });
  expect(received).toHaveLength(before);
});

test('an import that did not get through is repeated', async () => {
  const { run, state, home } = await setUp();
  state.failing = true;
  await expect(run()).rejects.toThrow(/answered 503/);
  expect(isSeeded(home)).toBe(false);
  state.failing = false;
  expect(await run()).toMatchObject({ imported: true });
});

test("refused rows are told with their line in the catalogue's file", async () => {
  let products = 0;
  const { run } = await setUp(({ route }) => {
    if (!route.includes('products')) return [];
    products++;
    return products === 2 ? [{ line: 1, reason: 'no price' }] : [];
  });
  const { refused } = await run();
  // The 251st product of the file begins on this line.
  expect(refused).toEqual([`line ${await lineOfRow(250)}: no price`]);
});

async function lineOfRow(index: number): Promise<number> {
  const text = await readFile(new URL('../../data/catalog/products.yaml', import.meta.url), 'utf8');
  const starts = [...text.matchAll(/^- /gm)];
  return text.slice(0, starts[index]!.index).split('\n').length;
}
