import { openStore, order, type Store, sell, totalOf } from '../store.ts';
import { simulateClosed } from './closed.ts';

/** One number of shards, measured in the embedded cloud and foretold by the model. */
export interface Comparison {
  readonly shards: number;
  readonly measured: { readonly perSecond: number; readonly tries: number };
  readonly model: { readonly perSecond: number; readonly tries: number };
}

const clients = 8;
/** Long beside what this machine itself takes, so that its speed matters little. */
const heldMs = 100;
const many = 16;
/** With two shards a conflict is answered by the other one at once, so nobody pauses. */
const two = 2;
const seconds = 5;

/**
 * Sells to eight clients at once from 1, 4 and 8 shards while each transaction is held for 100 ms, and has the model
 * foretell the same. What this machine adds is taken from two runs that are not compared, with 2 and with 16 shards: what an
 * order takes beside its transaction, and how long the answer of a conflict takes.
 */
export async function validate(): Promise<readonly Comparison[]> {
  const store = await openStore({ environments: clients });
  try {
    const tokens = await Promise.all(Array.from({ length: clients }, () => store.account()));
    const run = (shards: number) => measure(store, tokens, shards);
    await run(many);
    const free = await run(many);
    const busy = await run(two);
    // An order takes: outside + held + (tries - 1) × the answer of a conflict.
    const orderMs = ({ perSecond }: { perSecond: number }) => (clients / perSecond) * 1000;
    const conflictMs = Math.max(1, (orderMs(busy) - orderMs(free)) / (busy.tries - free.tries));
    const outsideMs = Math.max(1, orderMs(free) - heldMs - (free.tries - 1) * conflictMs);
    const comparisons: Comparison[] = [];
    for (const shards of [1, 4, 8]) {
      const measured = await run(shards);
      const model = simulateClosed({ clients, shards, heldMs, outsideMs, conflictMs }, 2_000);
      comparisons.push({ shards, measured, model });
    }
    return comparisons;
  } finally {
    await store.stop();
  }
}

async function measure(store: Store, shoppers: readonly { token: string }[], shards: number) {
  const { sku } = await sell(store, { stock: 100_000, shards });
  const lines = [{ sku, quantity: 1 }];
  const total = await totalOf(store, lines);
  store.cloud.setContention(heldMs);
  await store.request('DELETE', '/_local/meter');
  const begun = performance.now();
  let sold = 0;
  await Promise.all(
    shoppers.map(async ({ token }) => {
      while (performance.now() - begun < seconds * 1000) {
        const { status } = await order(store, { token, lines, total, payWith: null });
        if (status === 201) sold++;
      }
    }),
  );
  const perSecond = sold / ((performance.now() - begun) / 1000);
  const { body } = await store.request('GET', '/_local/meter');
  store.cloud.setContention(undefined);
  const units = body.lines
    .filter((line: any) => line.operation === 'TransactWriteItems' && /InventoryTable/.test(line.resource))
    .reduce((sum: number, { counts }: any) => sum + (counts.writeUnits ?? 0), 0);
  return { perSecond, tries: units / 2 / sold };
}
