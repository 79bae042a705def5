import { type Counted, count, countableSeconds } from '../domain/queue.ts';
import { type CountedSecond, lineUp, type Queue } from '../domain/serving.ts';
import type { Standing } from '../domain/standing.ts';

export interface Ports {
  readonly now: () => number;
  /** Arrivals of a second by bucket, read consistently. */
  readonly arrivals: (dropId: string, second: number, buckets: number) => Promise<readonly number[]>;
  /** Stores all or nothing; `before` must still be what is stored. @returns whether it was */
  readonly saveCounted: (
    drop: Standing['drop'],
    before: Counted,
    after: Queue,
    seconds: readonly (CountedSecond & { readonly second: number })[],
  ) => Promise<boolean>;
}

/** Seconds that one call counts: their items fit a transaction, and a request that counts can wait for it. */
const secondsAtOnce = 20;

/**
 * Counts the arrivals of the seconds that are over, for good: every place in them gets its position.
 * 1. Each second's counters are read when no number of it can be accepted any more.
 * 2. Its position base and counts are stored once; whoever else was faster has stored the same.
 * 3. While nobody conducts the drop, the times are stored with it at which the fallback rate serves them.
 * @returns the queue now; as it was when somebody else was faster
 */
export async function countArrivals(
  ports: Ports,
  { drop, serving, queue }: Standing,
  conducted: boolean,
): Promise<Queue> {
  const now = ports.now();
  const seconds = countableSeconds(queue, Math.min(now, drop.closesAt + 60_000), secondsAtOnce);
  if (seconds.length === 0) return queue;
  const counted = await Promise.all(
    seconds.map(async (second) => ({
      second,
      counts: await ports.arrivals(drop.id, second, drop.arrivalShards),
    })),
  );
  const { after, closed } = count(queue, counted);
  const lined = conducted ? undefined : lineUp(drop, serving, queue, closed, now);
  const next = lined ? { ...after, line: lined.line } : after;
  const items = closed.map((second, index) => {
    const startAt = lined?.startsAt[index];
    return startAt === undefined ? second : { ...second, line: { from: serving.at, startAt } };
  });
  return (await ports.saveCounted(drop, queue, next, items)) ? next : queue;
}
