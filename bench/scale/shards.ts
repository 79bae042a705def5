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

/** How an order goes on after a conflict, as `placeOrder` does (functions/order/app/place-order.ts). */
export class Persistence {
  readonly #failures: Uint8Array;
  readonly #conflicts: Uint8Array;
  /** The shard that comes last at the next try; -1 for none. */
  readonly #contended: Int16Array;

  constructor(count: number) {
    this.#failures = new Uint8Array(count);
    this.#conflicts = new Uint8Array(count);
    this.#contended = new Int16Array(count).fill(-1);
  }

  /** @param heat how often its environment has just lost */
  begin(who: number, heat = 0): void {
    this.#failures[who] = 0;
    this.#conflicts[who] = heat;
    this.#contended[who] = -1;
  }

  contended(who: number): number {
    return this.#contended[who]!;
  }

  /** After a pause all shards may be tried again, and they are read first. @returns milliseconds; 0 for no pause */
  lost(who: number, shard: number, shards: Shards, random: Random): number {
    this.#failures[who] = Math.min(255, this.#failures[who]! + 1);
    this.#contended[who] = shard;
    // A first conflict moves on at once.
    if (this.#failures[who] === 1 && shards.hasOther(shard)) return 0;
    this.#contended[who] = -1;
    this.#conflicts[who] = Math.min(255, this.#conflicts[who]! + 1);
    return backoffMs(random, this.#conflicts[who]!);
  }
}

/** Of the backoff of `placeOrder` (functions/order/app/place-order.ts): milliseconds before the next try. */
export function backoffMs(random: Random, conflicts: number): number {
  return random.next() * Math.min(800, 10 * 2 ** Math.min(10, conflicts));
}

/** How long `placeOrder` looks for stock that others are writing, in seconds. */
export const patience = 8;
