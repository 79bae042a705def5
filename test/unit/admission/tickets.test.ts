import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Ports as ConductPorts, conductDrops } from '../../../functions/admission/app/conduct-drops.ts';
import { getTicket, type Ports, type Ticket, takeTicket } from '../../../functions/admission/app/tickets.ts';
import { takeTicket as takeTicketRoute } from '../../../functions/admission/contract.ts';
import type { Drop } from '../../../functions/admission/domain/drop.ts';
import type { CountedSecond } from '../../../functions/admission/domain/serving.ts';
import type { Standing } from '../../../functions/admission/domain/standing.ts';
import { claimsOf } from '../../../functions/admission/domain/token.ts';
import { ownAllowance, Quotas } from '../../../functions/kernel/quota.ts';
import { opening, someDrop, standingOf } from './given.ts';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** A waiting room in memory, with a conductor who works as long as `conducted`. */
class Room {
  now = opening;
  standing: Standing;
  stock = 100;
  conducted = true;
  /** So many readings of the stock fail. */
  failing = 0;
  /** Milliseconds that each draw takes. */
  slow: number[] = [];
  readonly counters = new Map<string, number>();
  readonly tickets = new Map<string, Ticket>();
  readonly seconds = new Map<number, CountedSecond>();
  readonly claims = new Map<number, number>();

  constructor(drop: Partial<Drop> = {}) {
    this.standing = standingOf(someDrop(drop));
  }

  readonly ports: Ports = {
    now: () => this.now,
    random: () => 0,
    standing: async (dropId) => (dropId === 'drp_A' ? this.standing : undefined),
    ticket: async (_, customerId) => this.tickets.get(customerId),
    draw: async (_, second, bucket) => {
      const key = `${second}#${bucket}`;
      this.counters.set(key, (this.counters.get(key) ?? 0) + 1);
      this.now += this.slow.shift() ?? 0;
      return this.counters.get(key)!;
    },
    keep: async (_, customerId, ticket) => {
      const stored = this.tickets.get(customerId);
      if (stored && stored.generation >= ticket.generation) return stored;
      this.tickets.set(customerId, ticket);
      return ticket;
    },
    second: async (_, second, counted) => (counted ? this.seconds.get(second) : undefined),
    isUsed: async (_, position) => this.claims.has(position),
    bought: async () => 0,
    key: async () => privateKey,
    arrivals: async (_, second, buckets) =>
      Array.from({ length: buckets }, (__, bucket) => this.counters.get(`${second}#${bucket}`) ?? 0),
    saveCounted: async (_, before, after, seconds) => {
      if (before.closedTo !== this.standing.queue.closedTo) return false;
      for (const { second, ...counted } of seconds) this.seconds.set(second, counted);
      this.standing = { ...this.standing, queue: after };
      return true;
    },
  };

  readonly conductor: ConductPorts = {
    now: () => this.now,
    sleep: async () => {},
    arrivals: this.ports.arrivals,
    saveCounted: this.ports.saveCounted,
    liveDrops: async () => ['drp_A'],
    load: async () => this.standing,
    claims: async (_, from, to) =>
      [...this.claims]
        .filter(([position]) => position > from && position <= to)
        .map(([position, units]) => ({ position, units })),
    remaining: async () => {
      if (this.failing > 0) {
        this.failing--;
        throw new Error('not now');
      }
      return this.stock;
    },
    backlog: async () => ({ waiting: 0, inFlight: 0 }),
    saveServing: async (_, serving) => {
      if (serving.version !== this.standing.serving.version + 1) return false;
      this.standing = { ...this.standing, serving };
      return true;
    },
  };

  take = (customer: string) => takeTicket(this.ports)('drp_A', customer);
  look = async (customer: string) => {
    const { ticketId } = this.tickets.get(customer)!;
    return getTicket(this.ports)('drp_A', ticketId, customer);
  };

  /** Lets seconds pass, one at a time. */
  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      this.now += 1_000;
      if (!this.conducted) continue;
      // One step: the run ends where it would wait for the next.
      await conductDrops({
        ...this.conductor,
        sleep: async () => {
          throw new Error('enough');
        },
      })().catch((error: Error) => {
        if (error.message !== 'enough') throw error;
      });
    }
  }
}

const many = (count: number) => Array.from({ length: count }, (_, n) => `customer-${n}`);

describe('the waiting room', () => {
  it('gives one shopper one place, however many tabs ask and however often', async () => {
    const room = new Room();
    const tabs = await Promise.all(Array.from({ length: 8 }, () => room.take('a')));
    expect(new Set(tabs.map(({ id }) => id)).size).toBe(1);
    await room.take('b');
    await room.pass(7);
    const before = await room.look('a');
    expect((await room.take('a')).position).toBe(before.position);
  });

  it('is asked again when the arrivals of the second can have been counted, and not before', async () => {
    const room = new Room();
    const { state, pollAfterSeconds } = await room.take('a');
    expect(state).toBe('counting');
    await room.pass(pollAfterSeconds - 2);
    expect(await room.look('a')).toMatchObject({ state: 'counting', pollAfterSeconds: 2 });
    await room.pass(2);
    expect((await room.look('a')).position).toBe(1);
  });

  it('lets one account leave few empty places, however many tabs it opens at the same moment', async () => {
    const { requests, ...rule } = takeTicketRoute.quota!;
    let sum = 0;
    const shared = async (_: unknown, count: number) => {
      sum += count;
      return sum;
    };
    const room = new Room();
    const environments = Array.from({ length: 10 }, () => new Quotas(shared));
    const tabs = Array.from({ length: 1_000 }, async (_, tab) => {
      const quota = environments[tab % environments.length]!;
      const { allowed } = await quota.take({ ...rule, limit: requests }, 'a', room.now);
      return allowed && room.take('a');
    });
    await Promise.all(tabs);
    await room.pass(8);
    expect(room.standing.queue.known).toBeGreaterThan(1);
    expect(room.standing.queue.known).toBeLessThanOrEqual(requests + 10 * ownAllowance(requests));
  });

  it('places nobody of a later second before one of an earlier, and no two at one place', async () => {
    const crowds = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(crowds, async (perSecond) => {
        const room = new Room({ arrivalShards: 4 });
        room.stock = 0;
        const arrived: { customer: string; second: number }[] = [];
        for (const [second, count] of perSecond.entries()) {
          for (const customer of many(count).map((one) => `${one}-${second}`)) {
            await room.take(customer);
            arrived.push({ customer, second });
          }
          await room.pass(1);
        }
        await room.pass(7);
        const places = await Promise.all(
          arrived.map(async ({ customer, second }) => {
            return { second, position: (await room.look(customer)).position! };
          }),
        );
        places.sort((a, b) => a.position - b.position);
        expect(places.map(({ position }) => position)).toEqual(places.map((_, index) => index + 1));
        expect(places.map(({ second }) => second)).toEqual(places.map(({ second }) => second).toSorted());
      }),
      { numRuns: 25 },
    );
  });

  it('draws again when the number came too late to be counted', async () => {
    const room = new Room();
    room.slow = [4_000];
    await room.take('a');
    expect(room.tickets.get('a')!.second).toBe(opening / 1_000 + 4);
    await room.pass(7);
    // The place of the late number stays empty, and is served as one that nobody comes to.
    expect((await room.look('a')).position).toBe(2);
  });

  it('gives up after some late numbers', async () => {
    const room = new Room();
    room.slow = Array(9).fill(4_000);
    await expect(room.take('a')).rejects.toMatchObject({ code: 'temporary-reduced-capacity' });
  });

  it('opens and closes with its window', async () => {
    const room = new Room();
    room.now = opening - 1;
    await expect(room.take('a')).rejects.toMatchObject({
      code: 'drop-not-open',
      members: { retryAfterSeconds: 1 },
    });
    room.now = opening + 3_600_000;
    await expect(room.take('a')).rejects.toMatchObject({ code: 'drop-closed' });
    await expect(takeTicket(room.ports)('drp_B', 'a')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('keeps tickets to their owners', async () => {
    const room = new Room();
    const { id } = await room.take('a');
    await room.take('b');
    await expect(getTicket(room.ports)('drp_A', id, 'b')).rejects.toMatchObject({ code: 'not-found' });
    await expect(getTicket(room.ports)('drp_A', id, 'c')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('admits with a token of the place, whose end does not move with each look', async () => {
    const room = new Room();
    await room.take('a');
    await room.pass(8);
    const first = await room.look('a');
    expect(first.state).toBe('admitted');
    expect(claimsOf(first.admission!.token)).toMatchObject({
      drop: 'drp_A',
      sub: 'a',
      position: 1,
      ticket: first.id,
    });
    await room.pass(20);
    expect((await room.look('a')).admission!.expiresAt).toBe(first.admission!.expiresAt);
    await room.pass(60);
    expect((await room.look('a')).state).toBe('lapsed');
    // Who lets the turn pass stands at the end of the queue.
    room.stock = 0;
    const renewed = await room.take('a');
    expect(renewed.id).not.toBe(first.id);
    await room.pass(8);
    expect(await room.look('a')).toMatchObject({ position: 2, state: 'sold_out' });
  });

  it('lets who has bought less than the limit take another ticket, and nobody else', async () => {
    const room = new Room({ perCustomerLimit: 1 });
    const { id } = await room.take('a');
    await room.pass(8);
    room.claims.set(1, 1);
    expect((await room.look('a')).state).toBe('used');
    expect((await takeTicket({ ...room.ports, bought: async () => 1 })('drp_A', 'a')).id).toBe(id);
    expect((await room.take('a')).id).not.toBe(id);
  });

  it('tells the whole queue at once when the stock is gone, and goes on when units come back', async () => {
    const room = new Room();
    room.stock = 1;
    for (const customer of many(5)) await room.take(customer);
    await room.pass(8);
    const states = async () => (await Promise.all(many(5).map(room.look))).map(({ state }) => state).sort();
    expect(await states()).toEqual(['admitted', 'waiting', 'waiting', 'waiting', 'waiting']);
    room.claims.set(1, 1);
    room.stock = 0;
    await room.pass(1);
    expect(await states()).toEqual(['sold_out', 'sold_out', 'sold_out', 'sold_out', 'used']);
    room.stock = 1;
    await room.pass(1);
    expect(await states()).toEqual(['admitted', 'used', 'waiting', 'waiting', 'waiting']);
  });

  it('counts and admits by itself, at the fallback rate, when nobody conducts it', async () => {
    const room = new Room({ fallbackPerSecond: 2 });
    room.conducted = false;
    await room.pass(30);
    for (const customer of many(20)) await room.take(customer);
    await room.pass(7);
    await room.look('customer-0');
    const admitted = async () =>
      (await Promise.all(many(20).map(room.look))).filter(({ state }) => state === 'admitted').length;
    expect(await admitted()).toBe(0);
    await room.pass(3);
    expect(await admitted()).toBe(6);
    await room.pass(4);
    expect(await admitted()).toBe(14);
    room.conducted = true;
    await room.pass(1);
    expect(await admitted()).toBeGreaterThanOrEqual(16);
  });

  it('keeps to the fallback rate when whoever comes to conduct it fails half-way', async () => {
    const room = new Room({ fallbackPerSecond: 2, holdSeconds: 60 });
    room.conducted = false;
    await room.pass(200);
    for (const customer of many(40)) await room.take(customer);
    await room.pass(7);
    await room.look('customer-0');
    await room.take('late');
    await room.pass(7);
    const states = async () => {
      const all = await Promise.all([...many(40), 'late'].map(room.look));
      return Object.fromEntries(
        [...Map.groupBy(all, ({ state }) => state)].map(([key, own]) => [key, own.length]),
      );
    };
    // The place of the late one is counted, and then the stock cannot be read.
    room.conducted = true;
    room.failing = 1;
    await room.pass(1);
    expect(room.failing).toBe(0);
    expect(room.standing.queue.known).toBe(41);
    const between = await states();
    await room.pass(1);
    const after = await states();
    expect([between.lapsed, after.lapsed]).toEqual([undefined, undefined]);
    expect(between.admitted).toBeLessThanOrEqual(2 * 9);
    // Once conducted, up to ten a second.
    expect(after.admitted).toBeLessThanOrEqual(2 * 10 + 10);
  });

  it('gives a place to who drew a number that was never counted, as to any whose turn has passed', async () => {
    const room = new Room();
    await room.pass(20);
    // A process whose clock is nine seconds behind draws in a second that has been counted as empty.
    room.now -= 9_000;
    await room.take('a');
    room.now += 9_000;
    expect((await room.look('a')).state).toBe('lapsed');
    await room.take('a');
    await room.pass(8);
    expect((await room.look('a')).state).toBe('admitted');
  });
});

describe('the conductor', () => {
  it('conducts the other drops to the end of its minute when one cannot be', async () => {
    const room = new Room();
    const ports: ConductPorts = {
      ...room.conductor,
      sleep: async (milliseconds) => {
        room.now += milliseconds;
      },
      liveDrops: async () => ['drp_broken', 'drp_A'],
      load: async (dropId) => {
        if (dropId === 'drp_broken') throw new Error('its stock cannot be read');
        return room.standing;
      },
    };
    await expect(conductDrops(ports)()).rejects.toThrow('its stock cannot be read');
    expect(room.standing.serving.at).toBeGreaterThan(opening + 50_000);
  });
});
