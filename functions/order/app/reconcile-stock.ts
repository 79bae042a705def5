import type { Shard } from '../../inventory/published.ts';
import { unexplained } from '../../inventory/published.ts';
import type { StoredEvent } from '../../kernel/events.ts';
import { log } from '../../kernel/log.ts';
import { addMoves, type Sums, shardName } from '../domain/stock-sums.ts';

type CountedShard = { readonly sku: string } & Shard;

export interface Ports {
  /** Every shard of the store, page by page. Consistent. */
  readonly shards: () => AsyncIterable<readonly CountedShard[]>;
  /** Every event of every order, page by page. Consistent. */
  readonly events: () => AsyncIterable<readonly Pick<StoredEvent, 'type' | 'body'>[]>;
}

/** A shard that somebody has written past the orders. */
export interface Drift {
  readonly sku: string;
  readonly shard: number;
  /** Units more (negative: fewer) than its own counts explain. */
  readonly unexplained: number;
  /** Units that its counts call drawn or released beyond what orders say (negative: fewer); 0 while that is undecided. */
  readonly drawn: number;
  readonly released: number;
  /** The shard as it must be, to be written over the revision that it was read at; absent while it is being written. */
  readonly correct?: Shard;
}

/**
 * Compares every shard with the orders, while the store sells.
 *
 * 1. Read the counts of the shards, then the events of all orders, then the counts again.
 * 2. Drawn and released units only grow. What was counted before the events were read must be among them; what they say
 *    must be counted after. A shard outside of these bounds was written past the orders, or an order past its shard.
 * 3. At each reading a shard's units must be what its counts explain.
 */
export async function findDrift(
  ports: Ports,
): Promise<{ readonly drifts: readonly Drift[]; readonly shards: number }> {
  const before = await read(ports);
  const sums: Sums = { drawn: new Map(), released: new Map() };
  for await (const events of ports.events()) for (const event of events) addMoves(sums, event);
  const after = await read(ports);

  const names = new Set([...after.keys(), ...sums.drawn.keys(), ...sums.released.keys()]);
  const drifts = [...names].flatMap((name): Drift[] => {
    const now = after.get(name);
    const [sku = '', shard = ''] = name.split(' ');
    const place = { sku, shard: Number(shard) };
    // A shard that keeps no counts cannot be judged; one that orders name and that is missing can.
    if (now && !now.counts) return [];
    const earlier = before.get(name)?.counts;
    const orders = { drawn: sums.drawn.get(name) ?? 0, released: sums.released.get(name) ?? 0 };
    const drift = {
      ...place,
      unexplained: now ? unexplained(now) : 0,
      drawn: outside(orders.drawn, earlier?.drawn ?? 0, now?.counts?.drawn ?? 0),
      released: outside(orders.released, earlier?.released ?? 0, now?.counts?.released ?? 0),
      ...(now && now.rev === before.get(name)?.rev && { correct: corrected(now, orders) }),
    };
    return drift.unexplained || drift.drawn || drift.released ? [drift] : [];
  });
  return { drifts, shards: after.size };
}

/** Once a day; the hourly audit goes on telling of it until a comparison finds nothing. */
export const reconcileStock =
  (ports: Ports & { readonly keep: (drifting: number) => Promise<void> }) =>
  async (): Promise<{ shards: number; drifting: number }> => {
    const { drifts, shards } = await findDrift(ports);
    for (const { correct: _, ...drift } of drifts) log.error('stock drift', drift);
    await ports.keep(drifts.length);
    log.info('stock reconciled', { shards, drifting: drifts.length });
    return { shards, drifting: drifts.length };
  };

/** What orders say stands: the units follow from it. */
function corrected(
  { shard, rev, counts }: CountedShard,
  orders: { readonly drawn: number; readonly released: number },
): Shard {
  const { entered, moved } = counts!;
  return {
    shard,
    rev,
    available: entered + moved - orders.drawn + orders.released,
    counts: { entered, moved, ...orders },
  };
}

async function read(ports: Ports): Promise<ReadonlyMap<string, CountedShard>> {
  const shards = new Map<string, CountedShard>();
  for await (const page of ports.shards()) for (const shard of page) shards.set(shardName(shard), shard);
  return shards;
}

/** By how much the counts miss what orders say: none of them may be above it before, or below it after. */
function outside(orders: number, before: number, after: number): number {
  if (orders < before) return before - orders;
  return orders > after ? after - orders : 0;
}
