import type { Random } from './engine.ts';
import { Items } from './limits.ts';

/** What a transaction that draws one unit from a shard meets. */
export type Drawn = 'drawn' | 'conflict' | 'dry';

/** The shards of one SKU: their units, and the transactions in flight on them. */
export class Shards {
  readonly count: number;
  readonly #units: Float64Array;
  readonly #inFlight: Items;
  /** Shards that have units, in no order, and where each stands in it. */
  readonly #stocked: Int32Array;
  #stockedCount: number;
  left: number;

  constructor(count: number, units: number) {
    this.count = count;
    this.left = units;
    this.#units = Float64Array.from({ length: count }, (_, shard) =>
      units === Number.POSITIVE_INFINITY ? units : Math.floor((units + shard) / count),
    );
    this.#inFlight = new Items(count);
    this.#stocked = Int32Array.from({ length: count }, (_, shard) => shard);
    this.#stockedCount = count;
    for (let at = count - 1; at >= 0; at--) if (this.#units[at]! < 1) this.#dry(at);
  }

  /** One that has units, other than `contended` if there is another; -1 when all are dry. */
  choose(random: Random, contended: number): number {
    const count = this.#stockedCount;
    if (count === 0) return -1;
    const chosen = this.#stocked[random.below(count)]!;
    if (chosen !== contended || count === 1) return chosen;
    return this.#stocked[(this.#stocked.indexOf(chosen) + 1 + random.below(count - 1)) % count]!;
  }

  /** Whether another than `contended` has units: then a conflict is answered by trying it at once. */
  hasOther(contended: number): boolean {
    return this.#stockedCount > 1 || (this.#stockedCount === 1 && this.#stocked[0] !== contended);
  }

  /** @param until when the transaction lets go of the shard, if it goes well */
  draw(shard: number, now: number, until: number): Drawn {
    if (this.#inFlight.isHeld(shard, now)) return 'conflict';
    if (this.#units[shard]! < 1) return 'dry';
    this.#inFlight.hold(shard, until);
    this.#units[shard]!--;
    this.left--;
    if (this.#units[shard]! < 1) this.#dry(this.#stocked.indexOf(shard));
    return 'drawn';
  }

  #dry(at: number): void {
    this.#stocked[at] = this.#stocked[--this.#stockedCount]!;
    this.#stocked[this.#stockedCount] = -1;
  }
}

/** Of the backoff of `placeOrder` (functions/order/app/place-order.ts): milliseconds before the next try. */
export function backoffMs(random: Random, conflicts: number): number {
  return random.next() * Math.min(800, 10 * 2 ** Math.min(10, conflicts));
}

/** How long `placeOrder` looks for stock that others are writing, in seconds. */
export const patience = 8;
