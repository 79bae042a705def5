import { mostShards } from '../../inventory/contract.ts';
import { plenty, type Shard, unitsIn } from '../../inventory/published.ts';
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
  /** All shards, as they were read. */
  hint?: { readonly known: Known; readonly at: number } | undefined;
  level: number;
  /** When the level last changed. */
  at: number;
  /** Lost races that nobody was told of yet. */
  untold: number;
  toldAt: number;
}

/** With so many shards there is nothing to be done about heat, and its report would be one item that everybody writes. */
const isGrown = ({ shards }: Known) => shards.length >= mostShards;

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

  /** A hint with what failed draws have shown since: the higher revision is the later one. */
  function correct(sku: string, hint: Known): Known {
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
  }

  function hintOf(sku: string): Known | undefined {
    const hint = memories.get(sku)?.hint;
    return hint && now() - hint.at < ageMs ? hint.known : undefined;
  }

  return {
    /**
     * Hints of SKUs: remembered where there was plenty in a shard on average within the last second. Below that units are gone
     * before a hint is old, and each order reads for itself.
     * @param keeps for which SKUs many come: their hints are worth remembering
     */
    async hints(
      skus: readonly string[],
      read: (skus: readonly string[]) => Promise<ReadonlyMap<string, Known>>,
      keeps: (sku: string) => boolean,
    ): Promise<Map<string, Known>> {
      const at = now();
      const hints = new Map<string, Known>();
      for (const sku of skus) {
        const hint = hintOf(sku);
        if (hint) hints.set(sku, hint);
      }
      const unknown = skus.filter((sku) => !hints.has(sku));
      for (const [sku, known] of unknown.length > 0 ? await read(unknown) : []) {
        hints.set(sku, known);
        const isPlenty = unitsIn(known.shards) >= plenty * known.shards.length;
        if (isPlenty && !known.soldOut && keeps(sku)) memoryOf(sku).hint = { known, at };
      }
      return new Map([...hints].map(([sku, hint]) => [sku, correct(sku, hint)]));
    },

    /** Learns from how a transaction ended. */
    learn({ draws }: Pick<Placement, 'draws'>, committed: Committed): void {
      const at = now();
      if (committed.result === 'refused') {
        for (const { sku, ...shard } of committed.dry) {
          const memory = memoryOf(sku);
          memory.shards.set(shard.shard, { ...shard, at });
          memory.hint = undefined;
        }
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
        ([, { untold, toldAt, hint }]) =>
          untold >= hotFrom && at - toldAt >= toldEveryMs && !(hint && isGrown(hint.known)),
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
