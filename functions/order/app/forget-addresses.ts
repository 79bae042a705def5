import { isoInstant, type Now } from '../../kernel/clock.ts';
import { log } from '../../kernel/log.ts';
import { inParallel } from '../../kernel/parallel.ts';
import { dueBuckets } from '../keys.ts';

/** The orders by their age, spread over buckets. Times are RFC 3339 in UTC. */
export interface OldOrders {
  /** Up to where the addresses of a bucket are forgotten; undefined before the first time. */
  readonly forgottenTo: (bucket: number) => Promise<string | undefined>;
  readonly placedBetween: (bucket: number, from: string, to: string) => Promise<ReadonlySet<string>>;
  /** Leaves the country alone of where an order went. Again makes no difference. */
  readonly forget: (orderId: string) => Promise<void>;
  readonly moveTo: (bucket: number, to: string) => Promise<void>;
}

interface Ports {
  readonly now: Now;
  /** Days that the law and the shopper have a use for an address. */
  readonly keepDays: number;
  readonly orders: OldOrders;
}

const day = 86_400_000;
/** Of the buckets, and of each one's orders. */
const atOnce = 4;

/**
 * Forgets who got the orders that are older than their time.
 * 1. Of each bucket, the orders whose time has run out since the last run.
 * 2. Of each, the address is overwritten: what was bought, paid and sent stays, and the country for the taxes.
 * 3. Only then the bucket's mark moves: what could not be done is done by the next run.
 */
export const forgetAddresses =
  ({ now, keepDays, orders }: Ports) =>
  async (): Promise<{ forgotten: number }> => {
    const until = isoInstant(now() - keepDays * day);
    let forgotten = 0;
    const buckets = Array.from({ length: dueBuckets }, (_, bucket) => bucket);
    await inParallel(buckets, atOnce, async (bucket) => {
      const from = (await orders.forgottenTo(bucket)) ?? isoInstant(0);
      const old = await orders.placedBetween(bucket, from, until);
      await inParallel([...old], atOnce, orders.forget);
      await orders.moveTo(bucket, until);
      forgotten += old.size;
    });
    log.info('addresses forgotten', { forgotten, until });
    return { forgotten };
  };
