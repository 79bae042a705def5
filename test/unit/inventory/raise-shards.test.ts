import { describe, expect, it } from 'vitest';
import type { ApiAnswer, Deployment } from '../../../scripts/operate/deployment.ts';
import { raiseShards } from '../../../scripts/operate/raise-shards.ts';

/** A store whose SKU has so many shards, and what was asked of it. */
function store(count: number) {
  const asked: string[] = [];
  let shards = count;
  const api = async (method: string, path: string, options?: { json?: any }): Promise<ApiAnswer> => {
    asked.push(`${method} ${path}`);
    if (path.includes('sku_none')) return { status: 404, headers: new Headers(), body: {} };
    if (method === 'PUT') shards = options!.json.count;
    const body = {
      available: 100,
      shards: Array.from({ length: shards }, () => ({ available: 100 / shards })),
    };
    return { status: 200, headers: new Headers(), body };
  };
  return { asked, deployment: { api } as unknown as Deployment };
}

describe('the lever that raises shards', () => {
  it('only looks until it is told to go', async () => {
    const { asked, deployment } = store(1);
    const plan = await raiseShards.plan(deployment, ['sku_a', '--count', '4']);
    expect(asked).toEqual(['GET /v1/admin/stock/sku_a']);
    expect(plan.says[0]).toBe('sku_a has 100 units on 1 shards');
    expect(await plan.go!()).toEqual(['sku_a has 4 shards, 25 to 25 units on each']);
  });

  it('has nothing to do where there are enough, and says why it cannot', async () => {
    expect((await raiseShards.plan(store(50).deployment, ['sku_a', '--rate', '333'])).go).toBeUndefined();
    await expect(raiseShards.plan(store(1).deployment, ['sku_none', '--count', '2'])).rejects.toThrow('404');
  });

  it.each([[[]], [['sku_a']], [['sku_a', '--count', '91']], [['sku_a', '--count', '2', '--rate', '9']]])(
    'does not understand %j',
    async (args) => {
      await expect(raiseShards.plan(store(1).deployment, args)).rejects.toMatchObject({ name: 'UsageError' });
    },
  );
});
