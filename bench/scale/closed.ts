import { EventHeap, Random } from './engine.ts';
import { Persistence, Shards } from './shards.ts';

/** Clients who order one after another, as the model has them: what the embedded cloud is compared with. */
export interface Closed {
  readonly clients: number;
  readonly shards: number;
  /** For which a transaction holds its shard, and lasts. */
  readonly heldMs: number;
  /** Of an order beside its transactions. */
  readonly outsideMs: number;
  /** Until a transaction that met another is answered. */
  readonly conflictMs: number;
}

/** By the same rules as the drop's model: `Shards`, and the persistence of the use case. */
export function simulateClosed(one: Closed, seconds: number, seed = 1): { perSecond: number; tries: number } {
  const random = new Random(seed);
  const heap = new EventHeap();
  const shards = new Shards(one.shards, Number.POSITIVE_INFINITY);
  const persistence = new Persistence(one.clients);
  let tries = 0;
  let sold = 0;
  for (let client = 0; client < one.clients; client++) {
    heap.put((one.outsideMs / 1000) * random.next(), 0, client);
  }
  while (heap.take() && heap.time < seconds) {
    const { time, subject: client } = heap;
    tries++;
    const shard = shards.choose(random, persistence.contended(client));
    if (shards.draw(shard, time, time + one.heldMs / 1000) === 'drawn') {
      sold++;
      persistence.begin(client);
      heap.put(time + (one.heldMs + one.outsideMs) / 1000, 0, client);
      continue;
    }
    const pause = persistence.lost(client, shard, shards, random);
    heap.put(time + (one.conflictMs + pause) / 1000, 0, client);
  }
  return { perSecond: sold / seconds, tries: tries / sold };
}
