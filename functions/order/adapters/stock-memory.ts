import type { Shard } from '../../inventory/published.ts';
import type { Now } from '../../kernel/clock.ts';
import type { Committed, Known, Placement } from '../app/place-order.ts';

/** Older memories say nothing any more. Milliseconds. */
const ageMs = 1_000;
/** Losses that make a SKU hot enough to be told of, and how often it is told, in milliseconds. */
const hotFrom = 3;
const toldEveryMs = 1_000;
/** The highest level of heat: a backoff of up to 160 ms. Whoever loses then steps back further by itself. */
const hottest = 4;

interface Memory {
  /** Shards as failed draws showed them, by number. */
  readonly shards: Map<number, Shard & { readonly at: number }>;
  level: number;
  /** When the level last changed. */
  at: number;
  /** Lost races that nobody was told of yet. */
  untold: number;
  toldAt: number;
}

/**
 * What an execution environment remembers from one order to the next. It only orders the search: nothing is refused
 * for it.
 */
export function stockMemory(now: Now) {
  const memories = new Map<string, Memory>();

  function memoryOf(sku: string): Memory {
    const known = memories.get(sku) ?? { shards: new Map(), level: 0, at: 0, untold: 0, toldAt: 0 };
    memories.set(sku, known);
    return known;
  }

  return {
    /** A hint with what failed draws have shown since: the higher revision is the later one. */
    correct(sku: string, hint: Known): Known {
      const memory = memories.get(sku);
      if (!memory) return hint;
      const since = now() - ageMs;
      return {
        ...hint,
        shards: hint.shards.map((shard) => {
          const seen = memory.shards.get(shard.shard);
          return seen && seen.at >= since && seen.rev > shard.rev ? seen : shard;
        }),
      };
    },

    /** Learns from how a transaction ended. */
    learn({ draws }: Pick<Placement, 'draws'>, committed: Committed): void {
      const at = now();
      if (committed.result === 'refused') {
        for (const { sku, ...shard } of committed.dry)
          memoryOf(sku).shards.set(shard.shard, { ...shard, at });
        for (const sku of new Set(committed.contended.map(({ sku }) => sku))) {
          const memory = memoryOf(sku);
          memory.level = Math.min(hottest, (at - memory.at <= ageMs ? memory.level : 0) + 1);
          memory.at = at;
          memory.untold++;
        }
      } else if (committed.result === 'placed') {
        for (const { sku } of draws) {
          const memory = memories.get(sku);
          if (memory) memory.level = Math.max(0, memory.level - 1);
        }
      }
    },

    heat(skus: readonly string[]): number {
      const since = now() - ageMs;
      const levels = skus
        .map((sku) => memories.get(sku))
        .map((one) => (one && one.at >= since ? one.level : 0));
      return Math.max(0, ...levels);
    },

    /** The lost races by SKU that the inventory should hear of now; each is told once. */
    takeHeat(): readonly { readonly sku: string; readonly conflicts: number }[] {
      const at = now();
      const due = [...memories].filter(
        ([, { untold, toldAt }]) => untold >= hotFrom && at - toldAt >= toldEveryMs,
      );
      return due.map(([sku, memory]) => {
        const conflicts = memory.untold;
        memory.untold = 0;
        memory.toldAt = at;
        return { sku, conflicts };
      });
    },
  };
}
