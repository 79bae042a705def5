import { TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { openLatchItem } from '../../functions/inventory/adapters/latch.ts';
import { correctItem } from '../../functions/inventory/adapters/shard-items.ts';
import { everyShard } from '../../functions/inventory/published.ts';
import { driftMark, everyEvent } from '../../functions/order/adapters/stock-books.ts';
import { type Drift, findDrift } from '../../functions/order/app/reconcile-stock.ts';
import type { Deployment } from './deployment.ts';
import { type Lever, UsageError } from './lever.ts';

/** Compares every shard with what all orders drew and gave back, and sets those right that differ. */
export const reconcileStock: Lever = {
  summary: 'compare every shard with all orders, and correct those that were written past them',
  usage: '',

  async plan(deployment, args) {
    if (args.length > 0) throw new UsageError('no arguments');
    const { drifts, shards } = await compare(deployment);
    const says = [`${shards} shards compared with all orders: ${drifts.length} differ`, ...drifts.map(told)];
    return {
      says,
      go: async () => {
        const done: string[] = [];
        for (const drift of drifts) done.push(await correct(deployment, drift));
        const left = (await compare(deployment)).drifts.length;
        await driftMark(deployment.documents, deployment.table('order')).keep(left);
        return [...done, `${left} shards differ now`];
      },
    };
  },
};

function compare({ documents, table }: Deployment) {
  return findDrift({
    shards: () => everyShard(documents, table('inventory')),
    events: () => everyEvent(documents, table('order')),
  });
}

function told({ sku, shard, unexplained, drawn, released, correct }: Drift): string {
  const wrong = [
    unexplained !== 0 && `${unexplained} units that its counts do not explain`,
    drawn !== 0 && `${drawn} drawn that no order says`,
    released !== 0 && `${released} given back that no order says`,
  ].filter((part) => part !== false);
  const next = correct ? `; it should hold ${correct.available}` : '; it is being written, look again';
  return `${sku} shard ${shard}: ${wrong.join(', ')}${next}`;
}

/** Over the revision that was judged: whoever sells meanwhile wins, and the shard is looked at again. */
async function correct({ documents, table }: Deployment, { sku, shard, correct }: Drift): Promise<string> {
  const name = `${sku} shard ${shard}`;
  if (!correct) return `${name}: left, it is being written`;
  if (correct.available < 0) {
    return `${name}: left, ${-correct.available} units more are sold than there were; adjust the stock first`;
  }
  const items = [correctItem(table('inventory'), sku, correct), openLatchItem(table('inventory'), sku)];
  try {
    await documents.send(new TransactWriteCommand({ TransactItems: items }));
    return `${name}: holds ${correct.available} now`;
  } catch (error) {
    if ((error as Error).name !== 'TransactionCanceledException') throw error;
    return `${name}: left, it was written meanwhile`;
  }
}
