import { isoInstant } from '../../kernel/clock.ts';
import { errorName } from '../../kernel/errors.ts';
import { count, log } from '../../kernel/log.ts';
import { businessMetrics } from '../../kernel/metrics.ts';
import { type Decision, decideExpiry } from '../domain/decide.ts';
import { decideReminder, nextLook } from '../domain/hint.ts';
import type { Order } from '../domain/order.ts';
import { dueBuckets } from '../keys.ts';
import { type ChangePorts, changeOrder } from './change-order.ts';

/** An order that waits for the provider. */
export interface Waiting {
  readonly orderId: string;
  /** Since when something has been outstanding. */
  readonly since: string;
  /** When it is to be looked at again. */
  readonly lookAt: string;
}

/** The orders by the time at which they are to be looked at, spread over buckets. Times are RFC 3339 in UTC. */
export interface DueOrders {
  /** Up to where each bucket has been swept; none of a bucket that has not been. */
  readonly sweptTo: () => Promise<ReadonlyMap<number, string>>;
  readonly dueBetween: (bucket: number, from: string, to: string) => Promise<readonly string[]>;
  readonly moveTo: (buckets: readonly number[], sweptTo: string) => Promise<void>;
  /** Those that were outstanding when they were looked at. */
  readonly waiting: (bucket: number) => Promise<readonly Waiting[]>;
  readonly keep: (bucket: number, waiting: Waiting) => Promise<void>;
  readonly forget: (bucket: number, orderId: string) => Promise<void>;
}

export interface Ports extends ChangePorts {
  readonly due: DueOrders;
}

/** The index lags behind the table; entries may also have been written by a clock that runs behind. */
const overlapMs = 5 * 60_000;
const bucketsAtOnce = 16;
/** Of one bucket: to look at them all again would take long. */
const manyOrders = 100;
const firstInstant = isoInstant(0);

/** Milliseconds after which somebody must know what became of a payment. */
const unknownFor = 60 * 60_000;

/**
 * Sees to it that no order stands still.
 * 1. Of each bucket, the orders that came due since the last sweep are looked at (with an overlap).
 * 2. A reservation that is over ends, its stock given back, or, while an attempt is open, its wish to end is recorded.
 * 3. What is outstanding at the provider goes on a list, and is looked at again until it is settled: the reconciler.
 *    Each look asks anew, after longer and longer pauses.
 * 4. Only then the bucket's mark moves: what could not be looked at is looked at again by the next sweep. Marks of buckets
 *    that are swept side by side move together, in one write; one that took long moves at once, as the run may end at its
 *    limit.
 * 5. What has been outstanding for over an hour is counted.
 * @throws Error when an order could not be looked at, or a bucket not be read; the others were nevertheless
 */
export const sweepDue = (ports: Ports) => async (): Promise<{ swept: number; unknown: number }> => {
  const sums = { swept: 0, unknown: 0, failed: 0 };
  const marks = await ports.due.sweptTo();
  for (let first = 0; first < dueBuckets; first += bucketsAtOnce) {
    const now = ports.now();
    const buckets = Array.from({ length: bucketsAtOnce }, (_, index) => first + index);
    const counts = await Promise.all(
      buckets.map((bucket) => sweepBucket(ports, bucket, marks.get(bucket), now).catch(unread(bucket))),
    );
    for (const { swept, unknown, failed } of counts) {
      sums.swept += swept;
      sums.unknown += unknown;
      sums.failed += failed;
    }
    const done = buckets.filter((_, index) => counts[index]!.failed === 0);
    if (done.length > 0) await ports.due.moveTo(done, isoInstant(now));
  }
  log.info('swept', sums);
  count(businessMetrics.unknownAttempts, sums.unknown);
  if (sums.failed > 0) throw new Error(`${sums.failed} due orders or buckets could not be looked at`);
  return { swept: sums.swept, unknown: sums.unknown };
};

async function sweepBucket(
  ports: Ports,
  bucket: number,
  sweptTo: string | undefined,
  now: number,
): Promise<{ swept: number; unknown: number; failed: number }> {
  const { due } = ports;
  const until = isoInstant(now);
  const from = sweptTo ? isoInstant(Date.parse(sweptTo) - overlapMs) : firstInstant;
  const waiting = await due.waiting(bucket);
  const again = waiting.filter(({ lookAt }) => Date.parse(lookAt) <= now).map(({ orderId }) => orderId);
  const ids = new Set([...(await due.dueBetween(bucket, from, until)), ...again]);
  const listed = new Set(waiting.map(({ orderId }) => orderId));
  let failed = 0;
  for (const id of ids) {
    try {
      await lookAt(ports, bucket, id, now, listed.has(id));
    } catch (error) {
      failed++;
      log.error('due order not looked at', {
        orderId: id,
        error: errorName(error),
      });
    }
  }
  if (failed === 0 && ids.size >= manyOrders) await due.moveTo([bucket], until);
  const unknown = waiting.filter(({ since }) => now - Date.parse(since) > unknownFor).length;
  return { swept: ids.size - failed, unknown, failed };
}

const unread = (bucket: number) => (error: unknown) => {
  log.error('bucket not swept', { bucket, error: errorName(error) });
  return { swept: 0, unknown: 0, failed: 1 };
};

async function lookAt(
  ports: Ports,
  bucket: number,
  orderId: string,
  now: number,
  listed: boolean,
): Promise<void> {
  const order = await changeOrder(ports, orderId, (current) => decideLook(current, now));
  const next = order && nextLook(order);
  if (next) await ports.due.keep(bucket, { orderId, since: next.since, lookAt: next.at });
  else if (listed) await ports.due.forget(bucket, orderId);
}

/** The wish to end is itself a reason to ask. */
function decideLook(order: Order, now: number): Decision {
  const end = decideExpiry(order, now);
  return end.events.length > 0 ? end : decideReminder(order, now);
}
