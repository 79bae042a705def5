import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../../bench/store.ts';
import { drive, stillServes } from './support/drive.ts';
import { publicRoutes } from './support/public-routes.ts';
import { type Scene, setScene, setScenes } from './support/scene.ts';

const seed = 20_261_122;
/** Valid requests to each route, and as many spoilt ones; 200 in `npm run prove -- routes`. */
const count = 40;

let store: Store | undefined;
let scenes: readonly Scene[];
let document: unknown;

beforeAll(async () => {
  store = await openStore();
  scenes = await setScenes(store, 4);
  document = (await store.request('GET', '/v1/openapi.json')).body;
});
afterAll(() => store?.stop());

describe('whatever is sent, the answer is one that the contract knows', () => {
  it.each(publicRoutes.map((route) => [route.id, route] as const))('%s', async (_, route) => {
    const figures = await drive(route, document, scenes, { count, seed });
    const { done, refusedByRule, notThere, spoilt, mustRefuse, complaints } = figures;
    expect(complaints.slice(0, 5).join('\n'), `${complaints.length} complaints`).toBe('');
    expect(done + refusedByRule + notThere).toBe(count);
    expect(spoilt).toBe(count);
    // Otherwise the requests do not get as far as what they are to try.
    expect(done).toBeGreaterThan(0);
    expect((done + refusedByRule) / count).toBeGreaterThan(0.3);
    expect(mustRefuse).toBeGreaterThan(0);
  });
});

it('the store is none the worse for it', async () => {
  const scene = await setScene(store!);
  for (const route of publicRoutes) {
    const [success] = Object.keys(route.responses);
    expect(`${route.id} ${await stillServes(route, scene)}`).toBe(`${route.id} ${success}`);
  }
});
