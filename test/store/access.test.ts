import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../../bench/store.ts';
import type { Route } from '../../functions/kernel/contract.ts';
import { loadContracts } from '../../scripts/docs/contracts.ts';
import { publicRoutes } from '../../scripts/docs/openapi.ts';
import { answered, type Callers, promised } from './support/access-matrix.ts';
import { inWords, read } from './support/answers.ts';
import { rows } from './support/route-samples.ts';
import { setScene } from './support/scene.ts';
import { badTokens } from './support/tokens.ts';

const contracts = await loadContracts(join(import.meta.dirname, '../../functions'));
const routes: Route[] = publicRoutes(contracts).map(({ route }) => route);

let store: Store | undefined;
let callers: Callers;
/** Bad tokens claim the group that the route asks for. */
let callersOf: (route: Route) => Callers;

beforeAll(async () => {
  store = await openStore();
  const scene = await setScene(store);
  const [operators, finance] = [await badTokens(store, 'operators'), await badTokens(store, 'finance')];
  callers = { scene, bad: operators };
  callersOf = ({ audience }) => (audience === 'finance' ? { scene, bad: finance } : callers);
});
afterAll(() => store?.stop());

describe('the table of requests', () => {
  it('has a row for every route of every contract, and no other', () => {
    expect(routes.length).toBeGreaterThan(20);
    expect(Object.keys(rows).sort()).toEqual(routes.map(({ id }) => id).sort());
  });

  it('asks for what is a shopper’s wherever a shopper names a thing by its path', () => {
    const named = routes.filter(
      ({ audience, params }) => params && (audience === 'shopper' || audience === 'guest'),
    );
    expect(named.length).toBeGreaterThan(5);
    const owned = Object.entries(rows).flatMap(([id, row]) => (row.owned ? [id] : []));
    expect(owned).toEqual(expect.arrayContaining(named.map(({ id }) => id)));
  });
});

describe('every route lets in whom its contract names, and nobody else', () => {
  it.each(routes.map((route) => [route.id, route] as const))('%s', async (id, route) => {
    expect(Object.keys(rows), `${id} has no row in route-samples.ts`).toContain(id);
    expect(await answered(route, callersOf(route))).toEqual(promised(route, callersOf(route)));
  });
});

it('a list shows nobody else’s orders', async () => {
  const { scene } = callers;
  const orderId = await scene.order(scene.shopper);
  const listed = async ({ token }: { token: string }): Promise<string[]> => {
    const { body } = await scene.store.request('GET', '/v1/orders?limit=100', { token });
    return body.items.map((order: { id: string }) => order.id);
  };
  // The list is read from an index, which follows a moment later.
  await expect.poll(() => listed(scene.shopper), { timeout: 30_000 }).toContain(orderId);
  expect(await listed(scene.stranger)).toEqual([]);
  expect(await listed(scene.operator)).toEqual([]);
});

it('what no route takes is not found, whoever asks and however', async () => {
  const { scene, bad } = callers;
  const nowhere = contracts.flatMap((contract) => contract.routes).find(({ path }) => path === '$default');
  expect(nowhere).toBeDefined();
  const paths = [
    '/',
    '/v1',
    '/v1/nowhere',
    '/v1/orders/ord_1/nowhere',
    '/v2/orders',
    '/v1/admin',
    '/V1/orders',
  ];
  for (const path of paths) {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      for (const token of [undefined, 'guest', bad.idToken, scene.operator.token]) {
        const answer = await scene.store.request(method, path, token === undefined ? {} : { token });
        expect(`${method} ${path} ${inWords(read(nowhere!, answer))}`).toBe(
          `${method} ${path} 404 not-found`,
        );
      }
    }
  }
});
