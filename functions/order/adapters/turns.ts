import type { Now } from '../../kernel/clock.ts';
import type { Committed, Placement, Ports } from '../app/place-order.ts';

/**
 * Requests that one environment serves side by side take turns at a shard in place of conflicting with each other.
 * Whoever has waited learns from those before: a shard that was found too dry meanwhile is not tried again, and the
 * use case counts it exactly before it says anything. Between environments only conflicts decide.
 */
export function inTurn(commit: Ports['commit'], now: Now): Ports['commit'] {
  const lastInLine = new Map<string, Promise<void>>();
  const foundDry = new Map<string, { readonly available: number; readonly at: number }>();

  return async (placement) => {
    const arrived = now();
    const shards = placement.draws.map(({ sku, shard }) => `${sku}#${shard}`);
    const before = Promise.all(shards.map((shard) => lastInLine.get(shard)));
    const { promise: done, resolve: leave } = Promise.withResolvers<void>();
    // A place in every line at once: whoever is before us in one is before us in all, so nobody waits in a circle.
    for (const shard of shards) lastInLine.set(shard, done);
    await before;
    try {
      const dry = placement.draws.flatMap(({ sku, shard, quantity }) => {
        const found = foundDry.get(`${sku}#${shard}`);
        return found && found.at > arrived && found.available < quantity
          ? [{ sku, shard, available: found.available }]
          : [];
      });
      if (dry.length > 0) return { result: 'refused', dry, contended: [], cart: false, event: false };
      const committed = await commit(placement);
      remember(committed, placement, now());
      return committed;
    } finally {
      leave();
      for (const shard of shards) if (lastInLine.get(shard) === done) forget(shard);
    }
  };

  function remember(committed: Committed, { draws }: Placement, at: number): void {
    if (committed.result === 'placed') for (const { sku, shard } of draws) foundDry.delete(`${sku}#${shard}`);
    if (committed.result !== 'refused') return;
    for (const { sku, shard, available } of committed.dry) foundDry.set(`${sku}#${shard}`, { available, at });
  }

  function forget(shard: string): void {
    lastInLine.delete(shard);
    foundDry.delete(shard);
  }
}
