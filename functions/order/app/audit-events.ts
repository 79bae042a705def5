import { isoInstant, type Now } from '../../kernel/clock.ts';
import { errorName } from '../../kernel/errors.ts';
import type { StoredEvent } from '../../kernel/events.ts';
import { log, measure } from '../../kernel/log.ts';
import { auditMetrics, businessMetrics } from '../../kernel/metrics.ts';
import { chunksOf } from '../../kernel/parallel.ts';
import { fold, type Order, type OrderEvent } from '../domain/order.ts';
import { stockMovesAgree } from '../domain/stock-moves.ts';
import { dueBuckets } from '../keys.ts';

/** An order that the audit looks at again. Times are RFC 3339. */
export interface Listed {
  readonly orderId: string;
  /** When it came onto the list. */
  readonly since: string;
  /** When the earliest of its events happened that are not delivered; undefined while nothing is missing. */
  readonly missingFrom: string | undefined;
  /** The same of those that the journal has not taken in: the day's export waits for these alone. */
  readonly unjournalledFrom: string | undefined;
  /** How often its events have been sent again. */
  readonly resent: number;
}

/** How far the audit of a bucket has come. */
export interface Progress {
  /** Up to where the index has been read. */
  readonly auditedTo: string;
  /** Every event of the bucket's orders before this moment is in the journal. */
  readonly journalledTo: string;
}

export interface Ports {
  readonly now: Now;
  /** By bucket; none of a bucket that was not audited yet. */
  readonly progress: () => Promise<ReadonlyMap<number, Progress>>;
  /**
   * All of them in one write. Of two runs side by side the slower one may move a mark back: what it says stays true, and
   * the next run looks again.
   */
  readonly saveProgress: (progress: ReadonlyMap<number, Progress>) => Promise<void>;
  readonly listed: (bucket: number) => Promise<readonly Listed[]>;
  readonly list: (bucket: number, order: Listed) => Promise<void>;
  readonly unlist: (bucket: number, orderId: string) => Promise<void>;
  /** The orders to look at between two moments, page by page, each with the moment that it reaches. */
  readonly duePages: (
    bucket: number,
    from: string,
    to: string,
  ) => AsyncIterable<{ readonly orderIds: readonly string[]; readonly upTo: string }>;
  readonly load: (orderId: string) => Promise<readonly OrderEvent[]>;
  /** Those of the events that a consumer with a duty to them has not taken in; and of these, those not in the journal. */
  readonly missing: (
    events: readonly StoredEvent[],
  ) => Promise<{ readonly any: readonly StoredEvent[]; readonly unjournalled: readonly StoredEvent[] }>;
  /** Shards that the last comparison of stock and orders found wrong. */
  readonly drifting: () => Promise<number>;
  /** Sends events to the bus as the pipe does. @returns those that the bus took */
  readonly send: (events: readonly StoredEvent[]) => Promise<readonly StoredEvent[]>;
}

/** Younger events may be on their way still. Milliseconds. */
const delay = 60 * 60_000;
/** The index lags behind the table, and clocks differ. Milliseconds. */
const overlap = 5 * 60_000;
/** From an order's placement to its first look at most: what is not yet read of the index is younger than that. */
export const longestReservation = 15 * 60_000;
/** An event that its consumer refuses time and again is for a person, who finds it in the dead-letter queue. */
const maxResent = 24;

const bucketsAtOnce = 8;
const ordersAtOnce = 25;
/** Of one bucket: to look at them all again would take long. */
const manyOrders = 100;

/**
 * Finds the events that were stored and did not arrive, and sends them again.
 * 1. Of each bucket, the orders are taken that came due up to an hour ago, and those on the audit's list.
 * 2. Each order's events are compared with what the journal, the mail log and the operators' list hold.
 * 3. What is missing and older than an hour is sent again, under its own id: consumers take each id once.
 * 4. An order stays on the list while something of it is missing or outstanding; then it leaves it.
 * 5. Only then the bucket's mark moves. Up to where the journal is complete is published with it. Marks of buckets that
 *    are audited side by side move together, in one write; one that takes long moves meanwhile, as the run may end at its
 *    limit.
 * @throws Error when a bucket could not be audited; the others were nevertheless
 */
export const auditEvents = (ports: Ports) => async (): Promise<{ looked: number; resent: number }> => {
  const sums = { looked: 0, resent: 0, missing: 0, drifting: await ports.drifting(), failed: 0 };
  const marks = await ports.progress();
  for (const together of chunksOf(furthestBehindFirst(marks), bucketsAtOnce)) {
    const reached = new Map<number, Progress>();
    await Promise.all(
      together.map(async (bucket) => {
        try {
          const audited = await auditBucket(ports, bucket, marks.get(bucket));
          sums.looked += audited.looked;
          sums.resent += audited.resent;
          sums.missing += audited.missing;
          sums.drifting += audited.drifting;
          reached.set(bucket, audited.progress);
        } catch (error) {
          sums.failed++;
          log.error('bucket not audited', { bucket, error: errorName(error) });
        }
      }),
    );
    try {
      if (reached.size > 0) await ports.saveProgress(reached);
    } catch (error) {
      sums.failed += reached.size;
      log.error('marks not saved', { buckets: [...reached.keys()], error: errorName(error) });
    }
  }
  const { looked, resent, missing, drifting, failed } = sums;
  measure({
    [auditMetrics.reemitted]: [resent],
    // Of a bucket that could not be audited nobody knows.
    [auditMetrics.auditIncomplete]: [missing + failed],
    [businessMetrics.stockDrift]: [drifting],
  });
  log.info('audited', { orders: looked, resent, incomplete: missing, failed });
  if (failed > 0) throw new Error(`${failed} buckets could not be audited`);
  return { looked, resent };
};

/** A run that ends at its limit leaves others for the next one, which must not always be the same. */
function furthestBehindFirst(marks: ReadonlyMap<number, Progress>): number[] {
  const to = (bucket: number) => marks.get(bucket)?.auditedTo ?? '';
  const buckets = Array.from({ length: dueBuckets }, (_, bucket) => bucket);
  return buckets.sort((a, b) => (to(a) < to(b) ? -1 : to(a) > to(b) ? 1 : 0));
}

async function auditBucket(ports: Ports, bucket: number, before: Progress | undefined) {
  const now = ports.now();
  const to = isoInstant(now - delay);
  const from = before ? isoInstant(Date.parse(before.auditedTo) - overlap) : isoInstant(0);
  const list = new Map((await ports.listed(bucket)).map((order) => [order.orderId, order]));
  let looked = 0;
  let saved = 0;
  let resent = 0;
  let drifting = 0;

  const lookAt = async (orderIds: readonly string[]) => {
    for (const ids of chunksOf(orderIds, ordersAtOnce)) {
      looked += ids.length;
      const audited = await auditOrders(ports, bucket, ids, list, now);
      resent += audited.resent;
      drifting += audited.drifting;
    }
  };
  const progressAt = (auditedTo: string): Progress => ({
    auditedTo,
    journalledTo: journalledTo(auditedTo, [...list.values()]),
  });

  await lookAt([...list.keys()]);
  let seen = new Set(list.keys());
  for await (const { orderIds, upTo } of ports.duePages(bucket, from, to)) {
    const fresh = [...new Set(orderIds)].filter((id) => !seen.has(id));
    await lookAt(fresh);
    seen = new Set([...seen, ...fresh]);
    if (looked - saved >= manyOrders && (!before || upTo > before.auditedTo)) {
      await ports.saveProgress(new Map([[bucket, progressAt(upTo)]]));
      saved = looked;
    }
  }
  const missing = [...list.values()].filter(({ missingFrom }) => missingFrom !== undefined).length;
  // A clock may run behind: the mark never moves back by it.
  const progress = progressAt(before && before.auditedTo > to ? before.auditedTo : to);
  return { looked, resent, missing, drifting, progress };
}

/** Orders not yet read of the index were placed after this; of those read, the list knows what is missing. */
function journalledTo(auditedTo: string, list: readonly Listed[]): string {
  const read = isoInstant(Math.max(0, Date.parse(auditedTo) - longestReservation));
  return [read, ...list.flatMap(({ unjournalledFrom }) => unjournalledFrom ?? [])].sort()[0]!;
}

async function auditOrders(
  ports: Ports,
  bucket: number,
  orderIds: readonly string[],
  list: Map<string, Listed>,
  now: number,
): Promise<{ resent: number; drifting: number }> {
  const orders = await Promise.all(orderIds.map((id) => read(ports, id)));
  const { any, unjournalled } = await ports.missing(orders.flatMap(({ events }) => events));
  const missing = new Set(any);
  const notInJournal = new Set(unjournalled);
  const overdue = orders.flatMap(({ orderId, events }) => {
    const spent = (list.get(orderId)?.resent ?? 0) >= maxResent;
    return spent ? [] : events.filter((event) => missing.has(event) && isOld(event, now));
  });
  const sent = new Set(overdue.length > 0 ? await ports.send(overdue) : []);

  for (const { orderId, events, order } of orders) {
    const known = list.get(orderId);
    const lost = events.filter((event) => missing.has(event));
    if (order && lost.length === 0 && !isOutstanding(order) && !isFresh(events, now)) {
      if (known) await ports.unlist(bucket, orderId);
      list.delete(orderId);
      continue;
    }
    // Of an order that cannot be read nobody knows; all of it may be missing.
    const unknownFrom = order ? undefined : (events[0]?.at ?? known?.missingFrom ?? isoInstant(now));
    const next: Listed = {
      orderId,
      since: known?.since ?? isoInstant(now),
      missingFrom: unknownFrom ?? lost[0]?.at,
      unjournalledFrom: unknownFrom ?? lost.find((event) => notInJournal.has(event))?.at,
      resent: (known?.resent ?? 0) + (lost.some((event) => sent.has(event)) ? 1 : 0),
    };
    if (!known || isOther(known, next)) {
      await ports.list(bucket, next);
      list.set(orderId, next);
    }
  }
  const drifting = orders.filter(({ events }) => !stockMovesAgree(events));
  for (const { orderId } of drifting) log.error('stock drift', { orderId });
  return { resent: sent.size, drifting: drifting.length };
}

/** A broken order must not keep the others from being audited: it stays on the list, and holds the mark back. */
async function read(ports: Ports, orderId: string) {
  let events: readonly OrderEvent[] = [];
  try {
    events = await ports.load(orderId);
    return { orderId, events, order: fold(events) };
  } catch (error) {
    log.error('order cannot be audited', { orderId, error: errorName(error) });
    return { orderId, events, order: undefined };
  }
}

function isOther(known: Listed, next: Listed): boolean {
  return (
    known.missingFrom !== next.missingFrom ||
    known.unjournalledFrom !== next.unjournalledFrom ||
    known.resent !== next.resent
  );
}

function isOld({ at }: StoredEvent, now: number): boolean {
  return Date.parse(at) <= now - delay;
}

/** Something was appended within the last hour: it may be on its way, and more may follow. */
function isFresh(events: readonly StoredEvent[], now: number): boolean {
  return events.some((event) => !isOld(event, now));
}

/** More is to come of it by itself. */
function isOutstanding({ status, open, refunds, wish }: Order): boolean {
  return (
    status === 'placed' ||
    open !== undefined ||
    wish !== undefined ||
    refunds.some((refund) => refund.status === 'pending')
  );
}
