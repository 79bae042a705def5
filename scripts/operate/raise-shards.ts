import { parseArgs } from 'node:util';
import { mostShards } from '../../functions/inventory/contract.ts';
import { shardsFor } from '../../functions/inventory/domain/heat.ts';
import { type Lever, UsageError } from './lever.ts';

/** Gives a SKU more shards before many people want it at once. Shards are never taken away. */
export const raiseShards: Lever = {
  summary: 'spread a SKU’s stock over more shards before a drop',
  usage: '<sku> (--count n | --rate ordersPerSecond)',

  async plan(deployment, args) {
    const { sku, count } = asked(args);
    const path = `/v1/admin/stock/${encodeURIComponent(sku)}`;
    const { status, body } = await deployment.api('GET', path);
    if (status !== 200) throw new Error(`${sku}: ${status} ${body?.detail ?? ''}`);
    const { shards, available } = body;
    const says = [`${sku} has ${available} units on ${shards.length} shards`];
    if (shards.length >= count) return { says: [...says, `that is enough for ${count}: nothing to do`] };
    return {
      says: [...says, `to be raised to ${count}, with the units spread evenly; they cannot be lowered again`],
      go: async () => {
        const answer = await deployment.api('PUT', `${path}/shards`, { json: { count } });
        if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body?.detail ?? ''}`);
        const units = answer.body.shards.map(({ available }: { available: number }) => available);
        return [
          `${sku} has ${units.length} shards, ${Math.min(...units)} to ${Math.max(...units)} units on each`,
        ];
      },
    };
  },
};

function asked(args: readonly string[]): { sku: string; count: number } {
  const { positionals, values } = parseArgs({
    args: [...args],
    options: { count: { type: 'string' }, rate: { type: 'string' } },
    allowPositionals: true,
  });
  const [sku] = positionals;
  const count = values.rate === undefined ? Number(values.count) : shardsFor(Number(values.rate));
  if (!sku || positionals.length > 1 || (values.count === undefined) === (values.rate === undefined)) {
    throw new UsageError('one SKU, and either --count or --rate');
  }
  if (!Number.isInteger(count) || count < 1 || count > mostShards) {
    throw new UsageError(`a SKU has 1 to ${mostShards} shards`);
  }
  return { sku, count };
}
