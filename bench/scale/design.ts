import assumptions from '../assumptions.json' with { type: 'json' };
import calibration from './calibration.json' with { type: 'json' };
import { Bucket, type Throughput } from './limits.ts';
import { ofStage, type Quotas } from './quotas.ts';
import { backoffMs, patience, Shards } from './shards.ts';
import type { Tally } from './tally.ts';
import { type Scenario, World } from './world.ts';

export interface DesignOptions {
  readonly shards: number;
  /** Admissions a second of the waiting room; undefined: everybody goes through it at once. */
  readonly pace?: number;
  /**
   * For how many seconds an environment remembers what it read of a SKU (price, stock). 0: each order reads them, and
   * an item is in one partition.
   */
  readonly memorySeconds: number;
}

const kind = { comes: 0, ticket: 1, ticketed: 2, token: 3, admitted: 4, order: 5, attempt: 6, placed: 7, refused: 8, tick: 9 };

const { writeUnits, readUnits, bill } = calibration.order;
const orderMs = assumptions.milliseconds['order-place-order'];
/** Of a wait in the queue, by the ticket's ETA: `functions/admission` tells a quarter of it, 1 to 15 s. */
const poll = { part: 4, most: 15 };
/** `functions/kernel/http.ts`: Retry-After of a 503. */
const retryAfter = () => ({ least: 1, steps: 5 });
const dueKeys = 64;

/** One drop of this design. */
export function simulateDesign(scenario: Scenario, quotas: Quotas, options: DesignOptions): Tally {
  return new Design(scenario, ofStage(quotas), options).run();
}

class Design {
  readonly #world: World;
  readonly #options: DesignOptions;
  readonly #shards: Shards;
  readonly #tables: Record<'order' | 'byCustomer' | 'byDue' | 'inventory' | 'admission', Throughput>;
  readonly #prices: Throughput;
  readonly #stock: Throughput;
  readonly #provider: Bucket;
  readonly #functions;
  readonly #begun: Float64Array;
  readonly #contended: Int16Array;
  readonly #conflicts: Uint8Array;
  /** Shoppers by position. */
  readonly #queue: Int32Array;
  readonly #used: Uint8Array;
  readonly #ticketsIn: number[] = [];
  readonly #servedBy: number[] = [];
  #tickets = 0;
  #known = 0;
  #closedSeconds = 0;
  #served = 0;
  #lapsed = 0;
  #outstanding = 0;
  #soldOutAt = Number.POSITIVE_INFINITY;

  constructor(scenario: Scenario, quotas: Quotas, options: DesignOptions) {
    const world = new World(scenario, quotas);
    this.#world = world;
    this.#options = options;
    this.#shards = new Shards(options.shards, scenario.units);
    this.#tables = {
      order: world.writes(),
      byCustomer: world.writes(),
      byDue: world.writes(),
      inventory: world.writes(),
      admission: world.writes(),
    };
    this.#prices = world.reads();
    this.#stock = world.reads();
    this.#provider = new Bucket(quotas.providerRate);
    this.#functions = { ticket: world.environments(), token: world.environments(), order: world.environments() };
    this.#begun = new Float64Array(scenario.shoppers);
    this.#contended = new Int16Array(scenario.shoppers).fill(-1);
    this.#conflicts = new Uint8Array(scenario.shoppers);
    this.#queue = new Int32Array(scenario.shoppers);
    this.#used = new Uint8Array(scenario.shoppers);
  }

  run(): Tally {
    const { heap } = this.#world;
    this.#world.comes(kind.comes);
    if (this.#options.pace !== undefined) heap.put(1, kind.tick, 0);
    return this.#world.run((what, shopper) => this.#handle(what, shopper));
  }

  #handle(what: number, shopper: number): void {
    switch (what) {
      case kind.comes:
        this.#world.comes(kind.comes);
        return this.#look(shopper);
      case kind.ticket:
        return this.#look(shopper);
      case kind.ticketed:
        return this.#ticketed(shopper);
      case kind.token:
        return this.#fetchToken(shopper);
      case kind.admitted:
        return this.#admitted(shopper);
      case kind.order:
        return this.#order(shopper);
      case kind.attempt:
        return this.#attempt(shopper);
      case kind.placed:
        return this.#placed(shopper);
      case kind.refused:
        return this.#refused(shopper);
      default:
        return this.#tick();
    }
  }

  /** The page is read from the edge first: who comes when all is gone asks for nothing more. */
  #look(shopper: number): void {
    const world = this.#world;
    world.edge(world.assume('apiBytes'));
    // What the edge holds is up to a second old.
    if (world.now > this.#soldOutAt + 1) {
      if (world.tries[shopper] === 0) world.told(shopper);
      world.tally.refuse('sold out');
      return world.answered(shopper);
    }
    if (!world.passes(world.assume('apiBytes'))) return world.comesBack(shopper, kind.ticket);
    const got = world.starts(shopper, this.#functions.ticket);
    if (!got) return world.comesBack(shopper, kind.ticket);
    this.#billSmall(world.assume('ticketReadUnits'));
    const counter = Math.floor(world.now) * 64 + world.random.below(world.assume('arrivalShards'));
    const limit =
      this.#tables.admission.take(world.now, counter, 1) ??
      this.#tables.admission.take(world.now, ofTickets + shopper, world.assume('ticketWriteUnits') - 1);
    const at = world.now + this.#seconds(got.cold) + world.assume('ticketMs') / 1000;
    if (limit) {
      world.tally.meets(`admission table: ${limit} write units`, world.now);
      return world.heap.put(at, kind.refused, -1 - shopper);
    }
    world.tally.count('dynamodb.writeUnits', world.assume('ticketWriteUnits'));
    world.heap.put(at, kind.ticketed, shopper);
  }

  #ticketed(shopper: number): void {
    const world = this.#world;
    world.ends(shopper, this.#functions.ticket);
    world.told(shopper);
    if (this.#options.pace === undefined) return this.#fetchToken(shopper);
    this.#queue[this.#tickets++] = shopper;
    const second = Math.floor(world.now);
    this.#ticketsIn[second] = (this.#ticketsIn[second] ?? 0) + 1;
  }

  /** The conductor, once a second. */
  #tick(): void {
    const world = this.#world;
    const { now } = world;
    const pace = this.#options.pace!;
    while (this.#closedSeconds + 1 + world.assume('secondClosedAfter') <= now) {
      this.#known += this.#ticketsIn[this.#closedSeconds++] ?? 0;
    }
    const servedThen = this.#servedBy[Math.floor(now - world.assume('holdSeconds'))] ?? 0;
    for (; this.#lapsed < servedThen; this.#lapsed++) if (!this.#used[this.#lapsed]) this.#outstanding--;
    if (this.#shards.left < 1) return this.#sellOut();
    const next = Math.max(0, Math.min(pace, this.#shards.left - this.#outstanding, this.#known - this.#served));
    for (let index = 0; index < Math.floor(next); index++) this.#serve(this.#served++);
    this.#servedBy[Math.floor(now)] = this.#served;
    this.#pollFor(1, pace);
    world.heap.put(now + 1, kind.tick, 0);
  }

  #serve(position: number): void {
    const world = this.#world;
    this.#outstanding++;
    const shopper = this.#queue[position]!;
    this.#positionOf.set(shopper, position);
    if (world.random.next() < world.assume('noShow')) {
      world.tally.refuse('did not order');
      return;
    }
    // At the front of the queue it asks every second, and the edge's copy is up to a second old.
    world.heap.put(world.now + 2 * world.random.next(), kind.token, shopper);
  }

  /** The waiting room is told at once: each at its next look at the edge. */
  #sellOut(): void {
    const world = this.#world;
    this.#soldOutAt = world.now;
    const pace = this.#options.pace!;
    for (let position = this.#served; position < this.#tickets; position++) {
      const every = Math.min(poll.most, Math.max(1, (position - this.#served) / pace / poll.part));
      world.answered(this.#queue[position]!, world.random.next() * (every + 1));
    }
    world.edge(world.assume('apiBytes'), this.#tickets - this.#served);
    world.tally.refusals.set('sold out', (world.tally.refusals.get('sold out') ?? 0) + this.#tickets - this.#served);
    this.#served = this.#tickets;
  }

  /** Looks at the edge of all who wait, for some seconds: each every quarter of its ETA, 1 to 15 s. */
  #pollFor(seconds: number, pace: number): void {
    const waiting = this.#tickets - this.#served;
    const eta = waiting / pace;
    const near = Math.min(eta, poll.part * poll.most);
    const ofNear = pace * (Math.min(near, poll.part) + poll.part * Math.log(Math.max(1, near / poll.part)));
    const ofFar = Math.max(0, waiting - near * pace) / poll.most;
    this.#world.edge(this.#world.assume('apiBytes'), seconds * (ofNear + ofFar));
  }

  #fetchToken(shopper: number): void {
    const world = this.#world;
    if (!world.passes(world.assume('apiBytes'))) return world.comesBack(shopper, kind.token);
    const got = world.starts(shopper, this.#functions.token);
    if (!got) return world.comesBack(shopper, kind.token);
    this.#billSmall(world.assume('ticketReadUnits'));
    world.heap.put(world.now + this.#seconds(got.cold) + world.assume('ticketMs') / 1000, kind.admitted, shopper);
  }

  #admitted(shopper: number): void {
    const world = this.#world;
    world.ends(shopper, this.#functions.token);
    const think = this.#options.pace === undefined ? 0 : world.random.exponential(world.assume('thinkSeconds'));
    world.heap.put(world.now + Math.min(think, world.assume('holdSeconds') - 20), kind.order, shopper);
  }

  #order(shopper: number): void {
    const world = this.#world;
    if (!world.passes(0)) return world.comesBack(shopper, kind.order);
    const got = world.starts(shopper, this.#functions.order);
    if (!got) return world.comesBack(shopper, kind.order);
    this.#begun[shopper] = world.now;
    this.#conflicts[shopper] = 0;
    this.#contended[shopper] = -1;
    // Of the 40 ms that are assumed of the function all but the transaction come before it.
    const before = orderMs / 1000 - world.assume('transactionMs') / 1000;
    world.heap.put(world.now + this.#seconds(got.cold) + before + this.#readHotItems(), kind.attempt, shopper);
  }

  /** How long the reads of price and stock wait for their partitions, in seconds. */
  #readHotItems(): number {
    const world = this.#world;
    const { memorySeconds, shards } = this.#options;
    const asked = memorySeconds > 0 ? 1 / Math.max(1, this.#ordersOfAnEnvironment(memorySeconds)) : 1;
    const items = shards + 1;
    world.tally.count('dynamodb.readUnits', asked * ((items - 2) * readUnits.stockItem));
    if (memorySeconds > 0) return 0;
    let waited = 0;
    for (let tries = 0; ; tries++) {
      const limit =
        this.#prices.take(world.now, 0, readUnits.price) ?? this.#stock.take(world.now, 0, readUnits.stockItem);
      if (!limit) return waited;
      world.tally.meets(`one item read by every order: ${limit} read units`, world.now);
      if (tries === 7) return Number.POSITIVE_INFINITY;
      waited += (world.random.next() * Math.min(1_000, 25 * 2 ** tries)) / 1000;
    }
  }

  #ordersOfAnEnvironment(seconds: number): number {
    return (seconds * (this.#world.tally.soldIn.at(-1) ?? 0)) / Math.max(1, this.#functions.order.count);
  }

  #attempt(shopper: number): void {
    const world = this.#world;
    const { now } = world;
    if (now - this.#begun[shopper]! > patience) return this.#refuse(shopper, 'contention for 8 s');
    const shard = this.#shards.choose(world.random, this.#contended[shopper]!);
    if (shard < 0) {
      world.tally.count('dynamodb.readUnits', 2 * (this.#shards.count + 1) + calibration.soldOut.readUnits);
      world.tally.refuse('sold out');
      world.answered(shopper);
      return world.ends(shopper, this.#functions.order);
    }
    const limit = this.#limitOf(shopper, shard);
    if (limit) return this.#refuse(shopper, limit);
    world.tally.transactions++;
    const drawn = this.#shards.draw(shard, now, now + world.assume('heldMs') / 1000);
    this.#takeUnits(shopper, shard, drawn === 'drawn');
    if (drawn === 'drawn') {
      this.#use(shopper);
      return world.heap.put(now + world.assume('transactionMs') / 1000, kind.placed, shopper);
    }
    world.tally.count(
      'dynamodb.writeUnits',
      writeUnits.order + writeUnits.inventory + world.assume('claimWriteUnits'),
    );
    let again = now + (world.assume('transactionMs') - world.assume('heldMs')) / 1000;
    if (drawn === 'conflict') {
      world.tally.conflicts++;
      this.#contended[shopper] = shard;
      if (!this.#shards.hasOther(shard)) again += backoffMs(world.random, ++this.#conflicts[shopper]!) / 1000;
    }
    world.heap.put(again, kind.attempt, shopper);
  }

  /** Which limit the order's transaction would meet. An index takes its part only of what is written. */
  #limitOf(shopper: number, shard: number): string | undefined {
    const { now } = this.#world;
    const { order, byCustomer, byDue, inventory, admission } = this.#tables;
    const named = (table: string, limit: string | undefined) => limit && `${table}: ${limit} write units`;
    return (
      named('order table', order.meets(now, shopper, writeUnits.order)) ??
      named('order index by customer', byCustomer.meets(now, shopper, writeUnits.orderIndex)) ??
      named('order index by due time', byDue.meets(now, shopper % dueKeys, writeUnits.orderIndex)) ??
      named('inventory table', inventory.meets(now, shard, writeUnits.inventory)) ??
      named('admission table', admission.meets(now, ofClaims + shopper, this.#world.assume('claimWriteUnits')))
    );
  }

  #takeUnits(shopper: number, shard: number, written: boolean): void {
    const { now } = this.#world;
    const { order, byCustomer, byDue, inventory, admission } = this.#tables;
    order.take(now, shopper, writeUnits.order);
    inventory.take(now, shard, writeUnits.inventory);
    admission.take(now, ofClaims + shopper, this.#world.assume('claimWriteUnits'));
    if (!written) return;
    byCustomer.take(now, shopper, writeUnits.orderIndex);
    byDue.take(now, shopper % dueKeys, writeUnits.orderIndex);
  }

  #use(shopper: number): void {
    const position = this.#positionOf.get(shopper);
    if (position === undefined || this.#used[position]) return;
    this.#used[position] = 1;
    // One that has lapsed meanwhile is no longer counted as outstanding.
    if (position >= this.#lapsed) this.#outstanding--;
  }

  #placed(shopper: number): void {
    const world = this.#world;
    world.ends(shopper, this.#functions.order);
    world.tally.sell(world.now);
    world.tally.countAll(bill);
    world.tally.count('dynamodb.writeUnits', world.assume('claimWriteUnits'));
    world.answered(shopper);
    const waits = this.#provider.wait(world.now, 2);
    world.tally.paid.add(waits + (2 * assumptions.providerMilliseconds + assumptions.workflowMilliseconds) / 1000);
  }

  /** 503 with Retry-After. */
  #refuse(shopper: number, limit: string): void {
    const world = this.#world;
    world.tally.meets(limit, world.now);
    world.tally.refuse('503 of the order');
    world.ends(shopper, this.#functions.order);
    this.#billSmall(readUnits.price + 2 * readUnits.stockItem);
    const { least, steps } = retryAfter();
    world.heap.put(world.now + least + world.random.next() * steps, kind.order, shopper);
  }

  #refused(marked: number): void {
    const world = this.#world;
    const shopper = -1 - marked;
    world.ends(shopper, this.#functions.ticket);
    world.tally.refuse('503 of a ticket');
    world.comesBack(shopper, kind.ticket);
  }

  /** A request and its function, beside its units. */
  #billSmall(reads: number): void {
    const world = this.#world;
    const { tally } = world;
    tally.count('apigateway.requests', 1);
    tally.count('lambda.requests', 1);
    tally.count('lambda.gbSeconds', (world.assume('ticketMs') / 1000) * world.assume('ticketMemoryGb'));
    tally.count('lambda.logBytes', world.assume('apiLogBytes'));
    tally.count('xray.traces', 0.01);
    tally.count('dynamodb.readUnits', reads);
  }

  #seconds(cold: boolean): number {
    return cold ? this.#world.assume('coldStartMs') / 1000 : 0;
  }

  readonly #positionOf = new Map<number, number>();
}

/** Apart from each other in the key space of the admission table. */
const ofTickets = 1 << 24;
const ofClaims = 1 << 25;
