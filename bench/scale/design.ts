import { claimShards } from '../../functions/admission/keys.ts';
import assumptions from '../assumptions.json' with { type: 'json' };
import calibration from './calibration.json' with { type: 'json' };
import { Bucket, type Throughput } from './limits.ts';
import type { Quotas } from './quotas.ts';
import { backoffMs, Persistence, patience, Shards } from './shards.ts';
import type { Tally } from './tally.ts';
import { WaitingRoom } from './waiting-room.ts';
import { type Scenario, World } from './world.ts';

export interface DesignOptions {
  readonly shards: number;
  /** Admissions a second of the waiting room; undefined: everybody goes through it at once. */
  readonly pace?: number;
  /** Sold without a drop, each order reads price, drop and stock of the SKU itself. */
  readonly withoutDrop?: boolean;
}

/** What an environment remembers of a SKU in a drop (functions/order/adapters: sale-memory, stock-memory). */
const memory = { seconds: 1, unitsOfShard: 20 };
/** How hot a SKU gets for an environment that loses races for it (stock-memory). */
const hottest = 4;

const kind = {
  comes: 0,
  ticket: 1,
  ticketed: 2,
  token: 3,
  admitted: 4,
  order: 5,
  attempt: 6,
  placed: 7,
  refused: 8,
  tick: 9,
  read: 10,
  hint: 11,
  reread: 12,
};

const { writeUnits, readUnits } = calibration.order;
/** Without what an order reads of the SKU: that is counted when it is read. */
const bill = {
  ...calibration.order.bill,
  'dynamodb.readUnits':
    calibration.order.bill['dynamodb.readUnits'] -
    (readUnits.price + readUnits.drop + 2 * readUnits.stockItem),
};
const orderMs = assumptions.milliseconds['order-place-order'];
/** Seconds of the Retry-After of a 503, evenly spread (functions/kernel/http.ts). */
const retryAfter = { least: 1, most: 5 };
const dueKeys = 64;
/** `batchGet` gives up after as many tries. */
const readTries = 8;

/** One drop of this design. */
export function simulateDesign(scenario: Scenario, quotas: Quotas, options: DesignOptions): Tally {
  return new Design(scenario, quotas, options).run();
}

class Design {
  readonly #world: World;
  readonly #options: DesignOptions;
  readonly #shards: Shards;
  readonly #tables: Record<'order' | 'byCustomer' | 'byDue' | 'inventory' | 'admission', Throughput>;
  readonly #reads: Record<'catalog' | 'admission' | 'inventory', Throughput>;
  readonly #provider: Bucket;
  readonly #ticketRoute: Bucket;
  readonly #functions;
  readonly #begun: Float64Array;
  readonly #persistence: Persistence;
  /** Tries of a read that its partition turned away. */
  readonly #readTries: Uint8Array;
  /** Of each environment of the order's function: when it last read price and drop, and the shards; how hot it is. */
  readonly #saleRead: Float64Array;
  readonly #stockRead: Float64Array;
  readonly #heat: Uint8Array;
  readonly #heatAt: Float64Array;
  /** Where nobody waits there is none. */
  readonly #room: WaitingRoom | undefined;
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
    this.#reads = { catalog: world.reads(), admission: world.reads(), inventory: world.reads() };
    this.#provider = new Bucket(quotas.providerRate);
    if (options.pace !== undefined) this.#room = new WaitingRoom(scenario.shoppers, options.pace);
    this.#ticketRoute = new Bucket(quotas.ticketRate, 2 * quotas.ticketRate);
    this.#functions = {
      ticket: world.environments(),
      token: world.environments(),
      order: world.environments(),
    };
    this.#begun = new Float64Array(scenario.shoppers);
    this.#persistence = new Persistence(scenario.shoppers);
    this.#readTries = new Uint8Array(scenario.shoppers);
    const never = () =>
      new Float64Array(quotas.concurrency + quotas.warmEnvironments).fill(Number.NEGATIVE_INFINITY);
    this.#saleRead = never();
    this.#stockRead = never();
    this.#heatAt = never();
    this.#heat = new Uint8Array(this.#heatAt.length);
  }

  run(): Tally {
    const { heap } = this.#world;
    this.#world.comes(kind.comes);
    if (this.#room) heap.put(1, kind.tick, 0);
    return this.#world.run((what, shopper) => this.#handle(what, shopper));
  }

  #handle(what: number, shopper: number): void {
    switch (what) {
      case kind.comes:
        this.#world.comes(kind.comes);
        this.#look(shopper);
        return;
      case kind.ticket:
        this.#look(shopper);
        return;
      case kind.ticketed:
        this.#ticketed(shopper);
        return;
      case kind.token:
        this.#fetchToken(shopper);
        return;
      case kind.admitted:
        this.#admitted(shopper);
        return;
      case kind.order:
        this.#order(shopper);
        return;
      case kind.read:
        this.#read(shopper);
        return;
      case kind.hint:
        this.#hint(shopper);
        return;
      case kind.reread:
        this.#reread(shopper);
        return;
      case kind.attempt:
        this.#attempt(shopper);
        return;
      case kind.placed:
        this.#placed(shopper);
        return;
      case kind.refused:
        this.#refused(shopper);
        return;
      default:
        this.#tick();
        return;
    }
  }

  /** The page is read from the edge first: who comes when all is gone asks for nothing more. */
  #look(shopper: number): void {
    const world = this.#world;
    world.edge(world.assume('apiBytes'));
    // What the edge holds is up to a second old.
    if (world.now > this.#soldOutAt + 1) {
      world.told(shopper);
      world.tally.refuse('sold out');
      world.answered(shopper);
      return;
    }
    if (!this.#ticketRoute.take(world.now)) {
      world.tally.meets('throttle of the ticket route', world.now);
      world.tally.refuse('429 of a ticket');
      world.comesBack(shopper, kind.ticket);
      return;
    }
    if (!world.passes(world.assume('apiBytes'))) {
      world.comesBack(shopper, kind.ticket);
      return;
    }
    const got = world.starts(shopper, this.#functions.ticket);
    if (!got) {
      world.comesBack(shopper, kind.ticket);
      return;
    }
    this.#billSmall(world.assume('ticketReadUnits'));
    const counter = Math.floor(world.now) * 64 + world.random.below(world.assume('arrivalShards'));
    const limit =
      this.#tables.admission.take(world.now, counter, 1) ??
      this.#tables.admission.take(world.now, ofTickets + shopper, world.assume('ticketWriteUnits') - 1);
    const at = world.now + this.#seconds(got.cold) + world.assume('ticketMs') / 1000;
    if (limit) {
      world.tally.meets(`admission table: ${limit} write units`, world.now);
      world.heap.put(at, kind.refused, -1 - shopper);
      return;
    }
    world.tally.count('dynamodb.writeUnits', world.assume('ticketWriteUnits'));
    world.heap.put(at, kind.ticketed, shopper);
  }

  #ticketed(shopper: number): void {
    const world = this.#world;
    world.ends(shopper, this.#functions.ticket);
    world.told(shopper);
    if (this.#room) this.#room.enter(world.now, shopper);
    else this.#fetchToken(shopper);
  }

  /** The conductor, once a second. */
  #tick(): void {
    const world = this.#world;
    const room = this.#room!;
    const { left } = this.#shards;
    if (left < 1) {
      this.#soldOutAt = world.now;
      room.sellOut(world);
      return;
    }
    for (const shopper of room.serve(world, left)) {
      if (world.random.next() < world.assume('noShow')) world.tally.refuse('did not order');
      // At the front of the queue it asks every second, and the edge's copy is up to a second old.
      else world.heap.put(world.now + 2 * world.random.next(), kind.token, shopper);
    }
    world.heap.put(world.now + 1, kind.tick, 0);
  }

  #fetchToken(shopper: number): void {
    const world = this.#world;
    if (!world.passes(world.assume('apiBytes'))) {
      world.comesBack(shopper, kind.token);
      return;
    }
    const got = world.starts(shopper, this.#functions.token);
    if (!got) {
      world.comesBack(shopper, kind.token);
      return;
    }
    this.#billSmall(world.assume('ticketReadUnits'));
    world.heap.put(
      world.now + this.#seconds(got.cold) + world.assume('ticketMs') / 1000,
      kind.admitted,
      shopper,
    );
  }

  #admitted(shopper: number): void {
    const world = this.#world;
    world.ends(shopper, this.#functions.token);
    const think = !this.#room ? 0 : world.random.exponential(world.assume('thinkSeconds'));
    world.heap.put(world.now + Math.min(think, world.assume('holdSeconds') - 20), kind.order, shopper);
  }

  #order(shopper: number): void {
    const world = this.#world;
    if (!world.passes(0)) {
      world.comesBack(shopper, kind.order);
      return;
    }
    const got = world.starts(shopper, this.#functions.order);
    if (!got) {
      world.comesBack(shopper, kind.order);
      return;
    }
    this.#begun[shopper] = world.now;
    this.#readTries[shopper] = 0;
    world.heap.put(world.now + this.#seconds(got.cold), kind.read, shopper);
  }

  /** Price and drop of the SKU: each one item in one partition, however many shards there are beside it. */
  #read(shopper: number): void {
    const world = this.#world;
    const { now } = world;
    const environment = world.environment[shopper]!;
    if (!this.#remembers(this.#saleRead[environment]!)) {
      const { price, drop } = readUnits;
      const limit = this.#reads.catalog.take(now, 0, price) ?? this.#reads.admission.take(now, 0, drop);
      if (limit) {
        this.#readsAgain(shopper, limit, kind.read);
        return;
      }
      this.#saleRead[environment] = now;
      world.tally.count('dynamodb.readUnits', price + drop);
    }
    // Where others have just been in each other's way, one who begins steps back as they do.
    const heat = now - this.#heatAt[environment]! <= memory.seconds ? this.#heat[environment]! : 0;
    this.#persistence.begin(shopper, heat);
    this.#readTries[shopper] = 0;
    const pause = heat > 0 ? backoffMs(world.random, heat) : 0;
    world.heap.put(now + pause / 1000, kind.hint, shopper);
  }

  #hint(shopper: number): void {
    const world = this.#world;
    if (!this.#readsStock(shopper, readUnits.stockItem, kind.hint)) return;
    // Of the milliseconds that are assumed of the function all but the transaction come before it.
    const before = orderMs - world.assume('transactionMs');
    world.heap.put(world.now + before / 1000, kind.attempt, shopper);
  }

  /** Who has lost more than once reads the shards consistently before the next try. */
  #reread(shopper: number): void {
    const world = this.#world;
    const { now } = world;
    const before = this.#stockRead[world.environment[shopper]!]!;
    if (!this.#readsStock(shopper, 2 * readUnits.stockItem, kind.reread)) return;
    const read = this.#stockRead[world.environment[shopper]!]! !== before;
    world.heap.put(now + (read ? world.assume('readMs') / 1000 : 0), kind.attempt, shopper);
  }

  /** The header and every shard, unless they are remembered. False: the reads come again. @param units of each item */
  #readsStock(shopper: number, units: number, again: number): boolean {
    const world = this.#world;
    const { now } = world;
    const environment = world.environment[shopper]!;
    const isPlenty = this.#shards.left >= memory.unitsOfShard * this.#options.shards;
    if (isPlenty && this.#remembers(this.#stockRead[environment]!)) return true;
    const { inventory } = this.#reads;
    for (let item = 0; item <= this.#options.shards; item++) {
      const limit = inventory.meets(now, item, units);
      if (!limit) continue;
      this.#readsAgain(shopper, limit, again);
      return false;
    }
    for (let item = 0; item <= this.#options.shards; item++) inventory.take(now, item, units);
    this.#stockRead[environment] = now;
    world.tally.count('dynamodb.readUnits', (this.#options.shards + 1) * units);
    return true;
  }

  #remembers(at: number): boolean {
    return !this.#options.withoutDrop && this.#world.now - at < memory.seconds;
  }

  /** What a partition turns away is asked for again as `batchGet` does (functions/kernel/batch.ts). */
  #readsAgain(shopper: number, limit: string, again: number): void {
    const world = this.#world;
    world.tally.meets(`one item that every order reads: ${limit} read units`, world.now);
    const tries = this.#readTries[shopper]!++;
    if (tries === readTries) {
      this.#refuse(shopper, 'reads of one item');
      return;
    }
    const wait = world.random.next() * Math.min(1_000, 25 * 2 ** tries);
    world.heap.put(world.now + wait / 1000, again, shopper);
  }

  #attempt(shopper: number): void {
    const world = this.#world;
    const { now } = world;
    if (now - this.#begun[shopper]! > patience) {
      this.#refuse(shopper, 'contention for 8 s');
      return;
    }
    const shard = this.#shards.choose(world.random, this.#persistence.contended(shopper));
    if (shard < 0) {
      // The latch answers; who closes it counts the shards once.
      world.tally.count('dynamodb.readUnits', calibration.soldOut.readUnits);
      world.tally.refuse('sold out');
      world.answered(shopper);
      world.ends(shopper, this.#functions.order);
      return;
    }
    const limit = this.#limitOf(shopper, shard);
    if (limit) {
      this.#refuse(shopper, limit);
      return;
    }
    world.tally.transactions++;
    const drawn = this.#shards.draw(shard, now, now + world.assume('heldMs') / 1000);
    this.#takeUnits(shopper, shard, drawn === 'drawn');
    if (drawn === 'drawn') {
      this.#room?.use(shopper);
      world.heap.put(now + world.assume('transactionMs') / 1000, kind.placed, shopper);
      return;
    }
    world.tally.count(
      'dynamodb.writeUnits',
      writeUnits.order + writeUnits.inventory + world.assume('claimWriteUnits'),
    );
    const again = now + (world.assume('transactionMs') - world.assume('heldMs')) / 1000;
    if (drawn === 'dry') {
      world.heap.put(again, kind.reread, shopper);
      return;
    }
    world.tally.conflicts++;
    this.#heats(world.environment[shopper]!);
    const pause = this.#persistence.lost(shopper, shard, this.#shards, world.random);
    this.#readTries[shopper] = 0;
    world.heap.put(again + pause / 1000, pause > 0 ? kind.reread : kind.attempt, shopper);
  }

  #heats(environment: number): void {
    const { now } = this.#world;
    const before = now - this.#heatAt[environment]! <= memory.seconds ? this.#heat[environment]! : 0;
    this.#heat[environment] = Math.min(hottest, before + 1);
    this.#heatAt[environment] = now;
  }

  /** Which limit the order's transaction would meet. An index takes its part only of what is written. */
  #limitOf(shopper: number, shard: number): string | undefined {
    const { now } = this.#world;
    const { order, byCustomer, byDue, inventory, admission } = this.#tables;
    const claimUnits = this.#world.assume('claimWriteUnits') / 2;
    const named = (table: string, limit: string | undefined) => limit && `${table}: ${limit} write units`;
    return (
      named('order table', order.meets(now, shopper, writeUnits.order)) ??
      named('order index by customer', byCustomer.meets(now, shopper, writeUnits.orderIndex)) ??
      named('order index by due time', byDue.meets(now, shopper % dueKeys, writeUnits.orderIndex)) ??
      named('inventory table', inventory.meets(now, shard, writeUnits.inventory)) ??
      named('admission table', admission.meets(now, claimOf(shopper), claimUnits)) ??
      named('admission table', admission.meets(now, ofCustomers + shopper, claimUnits))
    );
  }

  #takeUnits(shopper: number, shard: number, written: boolean): void {
    const { now } = this.#world;
    const { order, byCustomer, byDue, inventory, admission } = this.#tables;
    const claimUnits = this.#world.assume('claimWriteUnits') / 2;
    order.take(now, shopper, writeUnits.order);
    inventory.take(now, shard, writeUnits.inventory);
    admission.take(now, claimOf(shopper), claimUnits);
    admission.take(now, ofCustomers + shopper, claimUnits);
    if (!written) return;
    byCustomer.take(now, shopper, writeUnits.orderIndex);
    byDue.take(now, shopper % dueKeys, writeUnits.orderIndex);
  }

  #placed(shopper: number): void {
    const world = this.#world;
    const environment = world.environment[shopper]!;
    this.#heat[environment] = Math.max(0, this.#heat[environment]! - 1);
    world.ends(shopper, this.#functions.order);
    world.tally.sell(world.now);
    world.tally.countAll(bill);
    world.tally.count('dynamodb.writeUnits', world.assume('claimWriteUnits'));
    world.answered(shopper);
    const waits = this.#provider.wait(world.now, 2);
    world.tally.paid.add(
      waits + (2 * assumptions.providerMilliseconds + assumptions.workflowMilliseconds) / 1000,
    );
  }

  /** 503 with Retry-After. */
  #refuse(shopper: number, limit: string): void {
    const world = this.#world;
    world.tally.meets(limit, world.now);
    world.tally.refuse('503 of the order');
    world.ends(shopper, this.#functions.order);
    this.#billSmall(readUnits.price + 2 * readUnits.stockItem);
    const { least, most } = retryAfter;
    world.heap.put(world.now + least + world.random.next() * (most - least), kind.order, shopper);
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
}

/** Apart from each other in the key space of the admission table. */
const ofTickets = 1 << 24;
const ofCustomers = 1 << 25;
const ofClaims = 1 << 26;

/** The claims of a drop's admissions are spread by position. */
function claimOf(shopper: number): number {
  return ofClaims + (shopper % claimShards);
}
