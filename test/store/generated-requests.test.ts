import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../../bench/store.ts';
import type { Route } from '../../functions/kernel/contract.ts';
import { loadContracts } from '../../scripts/docs/contracts.ts';
import { publicRoutes } from '../../scripts/docs/openapi.ts';
import { drive, stillServes } from './support/drive.ts';
import { type Scene, setScene } from './support/scene.ts';

const contracts = await loadContracts(join(import.meta.dirname, '../../functions'));
const routes: Route[] = publicRoutes(contracts).map(({ route }) => route);

const seed = 20_261_122;
/** Valid requests to each route, and as many spoilt ones. */
const count = Number(process.env.COUNT ?? 200);

let store: Store | undefined;
let scenes: Scene[];
let document: unknown;

beforeAll(async () => {
  store = await openStore();
  scenes = [];
  for (let i = 0; i < 4; i++) scenes.push(await setScene(store));
  document = (await store.request('GET', '/v1/openapi.json')).body;
});
afterAll(() => store?.stop());

describe('whatever is sent, the answer is one that the contract knows', () => {
  it.each(routes.map((route) => [route.id, route] as const))('%s', async (_, route) => {
    const t = performance.now();
    const figures = await drive(route, document, scenes, { count, seed });
    const { requests, done, refusedByRule, mustRefuse, complaints } = figures;
    (await import('node:fs')).appendFileSync('/tmp/complaints.txt', complaints.join('\n') + '\n');
    console.log(
      JSON.stringify({ ...figures, complaints: complaints.length, ms: Math.round(performance.now() - t) }),
    );
    expect(complaints.slice(0, 5).join('\n'), `${complaints.length} complaints`).toBe('');
    expect(requests).toBe(2 * count);
    expect((done + refusedByRule) / count).toBeGreaterThan(0.3);
    expect(done).toBeGreaterThan(0);
    expect(mustRefuse).toBeGreaterThan(0);
  });
});

it('the store is none the worse for it', async () => {
  const scene = await setScene(store!);
  for (const route of routes) {
    const [success] = Object.keys(route.responses);
    expect(`${route.id} ${await stillServes(route, scene)}`).toBe(`${route.id} ${success}`);
  }
});
