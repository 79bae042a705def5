import { isoInstant } from '../../kernel/clock.ts';
import { log } from '../../kernel/log.ts';
import { decideExpiry } from '../domain/decide.ts';
import { dueBuckets } from '../keys.ts';
import { type ChangePorts, changeOrder } from './change-order.ts';

/** The orders by the end of their reservation, spread over buckets. Times are RFC 3339 in UTC. */
export interface DueOrders {
  /** Up to where the bucket has been swept; undefined before the first time. */
  readonly sweptTo: (bucket: number) => Promise<string | undefined>;
  readonly dueBetween: (bucket: number, from: string, to: string) => Promise<readonly string[]>;
  readonly moveTo: (bucket: number, sweptTo: string) => Promise<void>;
}

export interface Ports extends ChangePorts {
  readonly due: DueOrders;
}

/** The index lags behind the table; entries may also have been written by a clock that runs behind. */
const overlapMs = 5 * 60_000;
const bucketsAtOnce = 16;

/**
 * Ends the reservations that are over.
 * 1. Of each bucket, the orders that came due since the last sweep are read (with an overlap).
 * 2. Each is ended, its stock given back, or, while a payment attempt is open, its wish to end recorded.
 * 3. Only then the bucket's mark moves: what was not ended is looked at again by the next sweep.
 * An order is looked at once when it comes due; an open attempt that settles later carries the wish out.
 * @throws Error when an order could not be ended; those after it, and the other buckets, were swept nevertheless
 */
export const sweepDue = (ports: Ports) => async (): Promise<{ swept: number }> => {
  let swept = 0;
  let failed = 0;
  for (let first = 0; first < dueBuckets; first += bucketsAtOnce) {
    const buckets = Array.from({ length: bucketsAtOnce }, (_, index) => first + index);
    const counts = await Promise.all(buckets.map((bucket) => sweepBucket(ports, bucket)));
    swept += counts.reduce((sum, count) => sum + count.swept, 0);
    failed += counts.reduce((sum, count) => sum + count.failed, 0);
  }
  log.info('swept', { orders: swept, failed });
  if (failed > 0) throw new Error(`${failed} due orders could not be ended`);
  return { swept };
};

async function sweepBucket(ports: Ports, bucket: number): Promise<{ swept: number; failed: number }> {
  const now = ports.now();
  const sweptTo = await ports.due.sweptTo(bucket);
  const from = sweptTo ? isoInstant(Date.parse(sweptTo) - overlapMs) : isoInstant(0);
  const ids = await ports.due.dueBetween(bucket, from, isoInstant(now));
  let failed = 0;
  for (const id of ids) {
    try {
      await changeOrder(ports, id, (order) => decideExpiry(order, now));
    } catch (error) {
      failed++;
      log.error('due order not ended', {
        orderId: id,
        error: error instanceof Error ? error.name : 'unknown',
      });
    }
  }
  if (failed === 0) await ports.due.moveTo(bucket, isoInstant(now));
  return { swept: ids.length - failed, failed };
}
