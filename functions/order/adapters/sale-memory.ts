import { type DropEntry, dropsAmong } from '../../admission/published.ts';
import type { SkuPrice } from '../../catalog/published.ts';
import type { Now } from '../../kernel/clock.ts';
import type { OnSale } from '../app/place-order.ts';

/** For how long what one order has read serves the next ones, in milliseconds. */
const ageMs = 1_000;
/** SKUs that are remembered at most. */
const most = 50;

/** What the catalogue and the admissions say of SKUs. */
export interface Read {
  readonly prices: ReadonlyMap<string, SkuPrice>;
  readonly entries: ReadonlyMap<string, readonly DropEntry[]>;
}

const nothing: Read = { prices: new Map(), entries: new Map() };

interface Memory {
  /** Before it was read. */
  readonly at: number;
  readonly price: SkuPrice;
  readonly entries: readonly DropEntry[];
}

/**
 * What an execution environment remembers of SKUs whose drop is open: their terms and their drops. That is no older than
 * a second and yet not stale: around its drop a SKU's terms cannot change (`heldStill`), and a drop's own never do, but
 * that it may close sooner. Of other SKUs, of what is not known and of what is not on sale nothing is remembered.
 */
export function saleMemory(now: Now) {
  const memories = new Map<string, Memory>();

  function remembered(sku: string): Memory | undefined {
    const memory = memories.get(sku);
    const age = now() - (memory?.at ?? Number.NEGATIVE_INFINITY);
    return age >= 0 && age < ageMs ? memory : undefined;
  }

  function learn({ prices, entries }: Read, at: number): void {
    for (const [sku, drops] of entries) {
      const price = prices.get(sku);
      const isOpen = drops.some(({ opensAt, closesAt }) => opensAt <= at && at < closesAt);
      if (!isOpen || !price?.purchasable) continue;
      if (memories.size >= most) memories.clear();
      memories.set(sku, { at, price, entries: drops });
    }
  }

  return {
    /** Whether the SKU's drop is open, and what is known of it recent. */
    knows: (sku: string) => remembered(sku) !== undefined,

    /** @param read what is not remembered */
    async onSale(skus: readonly string[], read: (skus: readonly string[]) => Promise<Read>): Promise<OnSale> {
      const at = now();
      const known = skus.flatMap((sku) => remembered(sku) ?? []);
      const names = new Set(known.map(({ price }) => price.sku));
      const unknown = skus.filter((sku) => !names.has(sku));
      const fresh = unknown.length > 0 ? await read(unknown) : nothing;
      learn(fresh, at);
      const prices = new Map(fresh.prices);
      const entries = new Map(fresh.entries);
      for (const memory of known) {
        prices.set(memory.price.sku, memory.price);
        entries.set(memory.price.sku, memory.entries);
      }
      return { prices, drops: dropsAmong(entries, now()) };
    },
  };
}
