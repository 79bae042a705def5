import { describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../../functions/kernel/events.ts';
import { bucketOf } from '../../../functions/kernel/ids.ts';
import { auditBus } from '../../../functions/order/adapters/audit-bus.ts';
import {
  auditEvents,
  type Listed,
  longestReservation,
  type Ports,
  type Progress,
} from '../../../functions/order/app/audit-events.ts';
import { decideCancellation, decideExpiry, reservedUntil } from '../../../functions/order/domain/decide.ts';
import type { OrderEvent } from '../../../functions/order/domain/order.ts';
import { dueBuckets } from '../../../functions/order/keys.ts';
import { History, noon, placedEvent } from './given.ts';

const minute = 60_000;
const hour = 60 * minute;

/** An order table and its consumers in memory: `taken` are the events that these have taken in. */
class World {
  readonly orders = new Map<string, readonly OrderEvent[]>();
  readonly due = new Map<string, string>();
  readonly marks = new Map<number, Progress>();
  readonly lists = new Map<number, Map<string, Listed>>();
  readonly taken = new Set<string>();
  /** In the journal, though others lack them. */
  readonly journalled = new Set<string>();
  readonly sent: string[] = [];
  readonly broken = new Set<string>();
  /** How many marks each write moved. */
  readonly saves: number[] = [];
  /** Buckets in the order in which they were looked at. */
  readonly listedBuckets: number[] = [];
  /** Whether each of the next writes of marks fails. */
  readonly unsaved: boolean[] = [];
  /** A bucket that cannot be read. */
  unreadable: number | undefined;
  refuses: (event: StoredEvent) => boolean = () => false;
  delivers = true;
  time = noon;

  driftingShards = 0;
  readonly ports: Ports = {
    now: () => this.time,
    drifting: async () => this.driftingShards,
    progress: async () => new Map(this.marks),
    saveProgress: async (progress) => {
      if (this.unsaved.shift()) throw new Error('the table does not answer');
      this.saves.push(progress.size);
      for (const [bucket, reached] of progress) this.marks.set(bucket, reached);
    },
    listed: async (bucket) => {
      this.listedBuckets.push(bucket);
      if (bucket === this.unreadable) throw new Error('the table does not answer');
      return [...this.list(bucket).values()];
    },
    list: async (bucket, order) => {
      this.list(bucket).set(order.orderId, order);
    },
    unlist: async (bucket, orderId) => {
      this.list(bucket).delete(orderId);
    },
    duePages: (bucket, from, to) => this.pages(bucket, from, to),
    load: async (orderId) => {
      if (this.broken.has(orderId)) throw new Error('an event breaks its contract');
      return this.orders.get(orderId) ?? [];
    },
    missing: async (events) => {
      const any = events.filter(
        ({ id, type }) =>
          /^(payment.captured|order\.)/.test(type) && type !== 'order.placed' && !this.taken.has(id),
      );
      return { any, unjournalled: any.filter(({ id }) => !this.journalled.has(id)) };
    },
    send: async (events) => {
      const sent = events.filter((event) => !this.refuses(event));
      this.sent.push(...sent.map(({ id }) => id));
      if (this.delivers) for (const { id } of sent) this.taken.add(id);
      return sent;
    },
  };

  list(bucket: number): Map<string, Listed> {
    const list = this.lists.get(bucket) ?? new Map<string, Listed>();
    this.lists.set(bucket, list);
    return list;
  }

  async *pages(bucket: number, from: string, to: string) {
    const found = [...this.due]
      .filter(([id, at]) => bucketOf(id, dueBuckets) === bucket && at >= from && at <= to)
      .sort(([, a], [, b]) => (a < b ? -1 : 1));
    for (const [id, at] of found) yield { orderIds: [id], upTo: at };
  }

  /** An order placed at `at` that expired when its time was over. */
  expired(orderId: string, at = noon): readonly OrderEvent[] {
    const first = placedEvent({ orderId, at, payment: false });
    const history = new History(first).and((order) => decideExpiry(order, at + 15 * minute));
    const events = history.events.map((event, index) =>
      index === 0 ? event : { ...event, at: new Date(at + 15 * minute).toISOString() },
    );
    this.orders.set(orderId, events);
    this.due.set(orderId, new Date(at + 15 * minute).toISOString());
    return events;
  }

  audit = () => auditEvents(this.ports)();

  get journalledTo(): string {
    return [...this.marks.values()].map(({ journalledTo }) => journalledTo).sort()[0]!;
  }

  get listed(): Listed[] {
    return [...this.lists.values()].flatMap((list) => [...list.values()]);
  }
}

describe('the audit', () => {
  it('sends again what is missing and older than an hour, once', async () => {
    const w = new World();
    const [, end] = w.expired('ord_A1');
    const [, other] = w.expired('ord_A2');
    w.taken.add(other!.id);
    w.time = noon + 70 * minute;
    expect(await w.audit()).toEqual({ looked: 0, resent: 0 });
    w.time = noon + 80 * minute;
    expect(await w.audit()).toEqual({ looked: 2, resent: 1 });
    expect(w.sent).toEqual([end!.id]);
    w.time += hour;
    expect((await w.audit()).resent).toBe(0);
    expect(w.listed).toEqual([]);
  });

  it('publishes up to when everything is in the journal, and no further than what is not', async () => {
    const w = new World();
    const [, end] = w.expired('ord_A1');
    w.delivers = false;
    w.time = noon + 3 * hour;
    await w.audit();
    expect(w.marks.size).toBe(dueBuckets);
    expect(w.journalledTo).toBe(end!.at);
    w.delivers = true;
    w.time += hour;
    await w.audit();
    // Found delivered the next time.
    w.time += hour;
    await w.audit();
    expect(w.journalledTo).toBe(new Date(w.time - hour - longestReservation).toISOString());
  });

  it('lets the day be exported while only a mail or a list lacks an event', async () => {
    const w = new World();
    const [, end] = w.expired('ord_A1');
    w.journalled.add(end!.id);
    w.delivers = false;
    w.time = noon + 3 * hour;
    expect((await w.audit()).resent).toBe(1);
    expect(w.listed).toMatchObject([{ missingFrom: end!.at, unjournalledFrom: undefined }]);
    expect(w.journalledTo).toBe(new Date(w.time - hour - longestReservation).toISOString());
  });

  it('leaves an event that is refused time and again to a person, and goes on holding the mark', async () => {
    const w = new World();
    const [, end] = w.expired('ord_A1');
    w.delivers = false;
    for (let hours = 2; hours < 40; hours++) {
      w.time = noon + hours * hour;
      await w.audit();
    }
    expect(w.sent).toHaveLength(24);
    expect(w.journalledTo).toBe(end!.at);
  });

  it('audits the others when one order cannot be read, and holds the mark back for it', async () => {
    const w = new World();
    w.expired('ord_A1');
    w.expired('ord_B1');
    w.broken.add('ord_B1');
    w.time = noon + 2 * hour;
    expect((await w.audit()).resent).toBe(1);
    expect(w.listed.map(({ orderId }) => orderId)).toContain('ord_B1');
    expect(Date.parse(w.journalledTo)).toBeLessThanOrEqual(w.time - hour);
    const held = w.journalledTo;
    w.time += 5 * hour;
    await w.audit();
    expect(w.journalledTo <= new Date(w.time - 5 * hour).toISOString()).toBe(true);
    expect(w.journalledTo >= held).toBe(true);
  });

  it('audits the other buckets when one cannot be read, and leaves its mark where it was', async () => {
    const w = new World();
    w.expired('ord_A1');
    w.unreadable = (bucketOf('ord_A1', dueBuckets) + 1) % dueBuckets;
    w.time = noon + 2 * hour;
    await expect(w.audit()).rejects.toThrow('1 buckets');
    expect(w.sent).toHaveLength(1);
    expect(w.marks.size).toBe(dueBuckets - 1);
    expect(w.marks.has(w.unreadable)).toBe(false);
    // The next run begins with it.
    const before = w.listedBuckets.length;
    w.unreadable = undefined;
    await w.audit();
    expect(w.listedBuckets.slice(before, before + 8)).toContain(
      (bucketOf('ord_A1', dueBuckets) + 1) % dueBuckets,
    );
    expect(w.marks.size).toBe(dueBuckets);
  });

  it('audits the other buckets when marks cannot be saved', async () => {
    const w = new World();
    w.time = noon + 2 * hour;
    w.unsaved.push(true);
    await expect(w.audit()).rejects.toThrow('8 buckets');
    expect(w.marks.size).toBe(dueBuckets - 8);
  });

  it('moves the marks of buckets together, and meanwhile the mark of one that takes long', async () => {
    const w = new World();
    w.time = noon + 2 * hour;
    await w.audit();
    const quiet = Array(dueBuckets / 8).fill(8);
    expect(w.saves).toEqual(quiet);
    w.saves.length = 0;
    const ofOneBucket = Array.from({ length: 20_000 }, (_, index) => `ord_${index}`).filter(
      (id) => bucketOf(id, dueBuckets) === 0,
    );
    for (const [index, id] of ofOneBucket.slice(0, 150).entries()) w.expired(id, w.time + index * 1_000);
    w.time += 2 * hour;
    await w.audit();
    expect(w.saves).toEqual([1, ...quiet]);
  });

  it('looks again at an order that is outstanding, until it is settled and delivered', async () => {
    const w = new World();
    const first = placedEvent({ orderId: 'ord_A1' });
    w.orders.set('ord_A1', [first]);
    w.due.set('ord_A1', new Date(noon + 15 * minute).toISOString());
    w.time = noon + 2 * hour;
    await w.audit();
    expect(w.listed.map(({ orderId }) => orderId)).toEqual(['ord_A1']);
    // Nothing of it is missing: it does not hold the mark back.
    expect(w.journalledTo).toBe(new Date(w.time - hour - longestReservation).toISOString());
    const cancelled = new History(placedEvent({ orderId: 'ord_A1', payment: false })).and((order) =>
      decideCancellation(order, 'rfd_1'),
    );
    const late = cancelled.events.map((event) =>
      event.seq === 1 ? event : { ...event, at: new Date(noon + 10 * hour).toISOString() },
    );
    w.orders.set('ord_A1', late);
    w.time = noon + 10.5 * hour;
    await w.audit();
    expect(w.sent).toEqual([]);
    expect(w.listed[0]).toMatchObject({ orderId: 'ord_A1', missingFrom: late[1]!.at });
    w.time = noon + 12 * hour;
    await w.audit();
    expect(w.sent).toEqual([late[1]!.id]);
    w.time = noon + 13 * hour;
    await w.audit();
    expect(w.listed).toEqual([]);
  });

  it('counts only what the bus took as sent, and tries the rest again', async () => {
    const w = new World();
    w.expired('ord_A1');
    w.refuses = () => true;
    w.time = noon + 2 * hour;
    expect((await w.audit()).resent).toBe(0);
    w.refuses = () => false;
    w.time += hour;
    expect((await w.audit()).resent).toBe(1);
  });

  it('knows how long a reservation can be', () => {
    expect(Date.parse(reservedUntil(noon)) - noon).toBeLessThanOrEqual(longestReservation);
  });
});

describe('the bus', () => {
  const events = Array.from({ length: 23 }, (_, index) => ({
    ...placedEvent({ orderId: `ord_${index}` }),
    confidential: { token: 'tok_secret' },
  }));

  /** Refuses the entries of these events so many times. */
  function bus(refusals: Map<string, number>) {
    const calls: { Detail: string; Source: string; DetailType: string; EventBusName: string }[][] = [];
    const send = async (command: any) => {
      const { Entries } = command.input;
      calls.push(Entries);
      const results = Entries.map(({ Detail }: { Detail: string }) => {
        const { id } = JSON.parse(Detail);
        const left = refusals.get(id) ?? 0;
        if (left === 0) return { EventId: id };
        refusals.set(id, left - 1);
        return { ErrorCode: 'InternalFailure' };
      });
      const FailedEntryCount = results.filter((result: object) => 'ErrorCode' in result).length;
      return { Entries: results, FailedEntryCount };
    };
    return { calls, send: auditBus('bus', { send } as never, async () => {}) };
  }

  it('gets ten entries a call, in the envelope of the pipe, without what is confidential', async () => {
    const { calls, send } = bus(new Map());
    expect(await send(events)).toEqual(events);
    expect(calls.map(({ length }) => length)).toEqual([10, 10, 3]);
    const [{ Detail, ...entry }] = calls[0] as [(typeof calls)[0][0]];
    expect(entry).toEqual({ EventBusName: 'bus', Source: 'floodgate.order', DetailType: 'order.placed' });
    expect(Object.keys(JSON.parse(Detail))).toEqual([
      'id',
      'type',
      'version',
      'orderId',
      'seq',
      'at',
      'traceparent',
      'body',
    ]);
    expect(JSON.stringify(calls)).not.toContain('tok_secret');
  });

  it('gets no more bytes a call than it takes', async () => {
    const { calls, send } = bus(new Map());
    const large = events.slice(0, 9).map((event) => ({ ...event, body: JSON.stringify('x'.repeat(60_000)) }));
    expect(await send(large)).toEqual(large);
    expect(calls.map(({ length }) => length)).toEqual([4, 4, 1]);
    for (const call of calls) expect(JSON.stringify(call).length).toBeLessThan(256 * 1_024);
  });

  it('is asked again for the entries that it refused, and for no other', async () => {
    const { calls, send } = bus(new Map([[events[1]!.id, 2]]));
    expect(new Set(await send(events))).toEqual(new Set(events));
    expect(calls.map(({ length }) => length)).toEqual([10, 1, 1, 10, 3]);
  });

  it('may go on refusing one: that one was not sent', async () => {
    const { send } = bus(new Map([[events[1]!.id, 99]]));
    expect(await send(events)).toHaveLength(22);
  });
});
