import { EventHeap, Random } from './engine.ts';
import { backoffMs, Shards } from './shards.ts';

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

/** By the same rules as the drop's model: `Shards`, and the backoff of the use case. */
export function simulateClosed(one: Closed, seconds: number, seed = 1): { perSecond: number; tries: number } {
  const random = new Random(seed);
  const heap = new EventHeap();
  const shards = new Shards(one.shards, Number.POSITIVE_INFINITY);
  const conflicts = new Uint8Array(one.clients);
  const contended = new Int16Array(one.clients).fill(-1);
  let tries = 0;
  let sold = 0;
  for (let client = 0; client < one.clients; client++) {
    heap.put((one.outsideMs / 1000) * random.next(), 0, client);
  }
  while (heap.take() && heap.time < seconds) {
    const { time, subject: client } = heap;
    tries++;
    const shard = shards.choose(random, contended[client]!);
    if (shards.draw(shard, time, time + one.heldMs / 1000) === 'drawn') {
      sold++;
      conflicts[client] = 0;
      contended[client] = -1;
      heap.put(time + (one.heldMs + one.outsideMs) / 1000, 0, client);
      continue;
    }
    contended[client] = shard;
    let again = one.conflictMs;
    // After a pause the choice is free again.
    if (!shards.hasOther(shard)) again += backoffMs(random, ++conflicts[client]!);
    heap.put(time + again / 1000, 0, client);
  }
  return { perSecond: sold / seconds, tries: tries / sold };
}
