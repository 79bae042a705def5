import { allocate } from '../../kernel/money.ts';
import { type Shard, unitsIn } from './shards.ts';

/** Units that leave one shard for others, in one transaction. */
export interface Move {
  readonly from: number;
  readonly to: readonly { readonly shard: number; readonly quantity: number }[];
}

/**
 * The moves after which no two shards differ by more than one unit; none when that is so already. A unit leaves a shard
 * only for another, so none is made or lost, and no shard gives more than it has.
 */
export function levelling(shards: readonly Pick<Shard, 'shard' | 'available'>[]): Move[] {
  const fullest = [...shards].sort((a, b) => b.available - a.available || a.shard - b.shard);
  // The odd units stay with the fullest: the earlier part wins.
  const level = allocate(
    unitsIn(shards),
    fullest.map(() => 1),
  );
  const surplus = fullest.map(({ shard, available }, index) => ({ shard, units: available - level[index]! }));
  const short = surplus
    .filter(({ units }) => units < 0)
    .map(({ shard, units }) => ({ shard, missing: -units }));

  return surplus
    .filter(({ units }) => units > 0)
    .map(({ shard, units }) => {
      const to: { shard: number; quantity: number }[] = [];
      let left = units;
      while (left > 0) {
        const target = short[0]!;
        const quantity = Math.min(left, target.missing);
        to.push({ shard: target.shard, quantity });
        left -= quantity;
        target.missing -= quantity;
        if (target.missing === 0) short.shift();
      }
      return { from: shard, to };
    });
}
