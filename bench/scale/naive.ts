import { naiveCounts } from '../naive/model.ts';
import type { Throughput } from './limits.ts';
import { Bucket, Items } from './limits.ts';
import type { Quotas } from './quotas.ts';
import type { Tally } from './tally.ts';
import { type Scenario, World } from './world.ts';

/**
 * The design of tutorials (bench/naive/model.ts) at a drop: a function writes an order and starts a Standard workflow,
 * each of whose steps is a function; the stock is one item; nobody waits anywhere but in retries; shoppers ask for their
 * order's state until it has one.
 */
export function simulateNaive(scenario: Scenario, quotas: Quotas): Tally {
  return new Naive(scenario, quotas).run();
}

interface Step {
  readonly ms: number;
  readonly gb: number;
  readonly writes: { readonly order: number; readonly index: number; readonly stock: number };
}

const none = { order: 0, index: 0, stock: 0 };
/** As in bench/naive/model.ts; a test holds the sums equal. `index` is of each of the two. */
export const create: Step = { ms: 40, gb: 1, writes: { order: 6, index: 4, stock: 0 } };
export const steps: readonly Step[] = [
  { ms: 25, gb: 0.5, writes: { order: 4, index: 4, stock: 2 } },
  { ms: 15, gb: 0.5, writes: none },
  { ms: 20, gb: 0.5, writes: { order: 2, index: 2, stock: 0 } },
  { ms: 15, gb: 0.5, writes: none },
  { ms: 20, gb: 0.5, writes: { order: 2, index: 2, stock: 0 } },
  { ms: 20, gb: 0.5, writes: { order: 2, index: 0, stock: 0 } },
  { ms: 80, gb: 0.5, writes: { order: 1, index: 0, stock: 0 } },
  { ms: 15, gb: 0.5, writes: none },
];
/** Transitions to each step and past the choices before it; the last to the end. */
const transitionsTo = [1, 2, 2, 1, 2, 1, 1, 1, 2];
/** A Lambda task that is throttled or fails: CDK's and the language's defaults (1 or 2 s, doubled; 3 or 6 times). */
const taskRetries = { conflict: { first: 1, tries: 3 }, throttled: { first: 2, tries: 6 } };
const pollSeconds = 2;
const providerStep = [1, 3];

const kind = { comes: 0, order: 1, start: 2, answered: 3, step: 4, task: 5, done: 6, poll: 7, polled: 8 };
/** Of an order. */
const state = { none: 0, running: 1, paid: 2, failed: 3, soldOut: 4 };

const sale = Object.fromEntries(naiveCounts.map(({ price, count }) => [price, count]));

class Naive {
  readonly #world: World;
  readonly #functions;
  readonly #order: Throughput;
  readonly #indexes: Throughput;
  readonly #stock: Throughput;
  readonly #item = new Items(1);
  readonly #starts: Bucket;
  readonly #transitions: Bucket;
  readonly #state: Uint8Array;
  readonly #at: Uint8Array;
  readonly #retries: Uint8Array;
  /** The environment of the workflow's task; the shopper's own requests have others. */
  readonly #taskEnvironment: Int32Array;
  #left: number;

  constructor(scenario: Scenario, quotas: Quotas) {
    const world = new World(scenario, quotas);
    this.#world = world;
    this.#functions = {
      create: world.environments(),
      read: world.environments(),
      tasks: steps.map(() => world.environments()),
    };
    this.#order = world.writes();
    this.#indexes = world.writes();
    this.#stock = world.writes();
    this.#starts = new Bucket(quotas.standardStartRate, quotas.standardStartBurst);
    this.#transitions = new Bucket(quotas.transitionRate, quotas.transitionBurst);
    this.#state = new Uint8Array(scenario.shoppers);
    this.#at = new Uint8Array(scenario.shoppers);
    this.#retries = new Uint8Array(scenario.shoppers);
    this.#taskEnvironment = new Int32Array(scenario.shoppers);
    this.#left = scenario.units;
  }

  run(): Tally {
    this.#world.comes(kind.comes);
    return this.#world.run((what, shopper) => this.#handle(what, shopper));
  }

  #handle(what: number, shopper: number): void {
    switch (what) {
      case kind.comes:
        this.#world.comes(kind.comes);
        this.#create(shopper);
        return;
      case kind.order:
        this.#create(shopper);
        return;
      case kind.start:
        this.#start(shopper);
        return;
      case kind.answered:
        this.#accepted(shopper);
        return;
      case kind.step:
        this.#step(shopper);
        return;
      case kind.task:
        this.#task(shopper);
        return;
      case kind.done:
        this.#done(shopper);
        return;
      case kind.poll:
        this.#poll(shopper);
        return;
      default:
        this.#polled(shopper);
        return;
    }
  }

  #create(shopper: number): void {
    const world = this.#world;
    if (!world.passes(0)) {
      world.comesBack(shopper, kind.order);
      return;
    }
    const got = world.starts(shopper, this.#functions.create);
    if (!got) {
      world.comesBack(shopper, kind.order);
      return;
    }
    world.tally.count('apigateway.restRequests', 1);
    this.#retries[shopper] = 0;
    const cold = got.cold ? world.assume('coldStartMs') / 1000 : 0;
    world.heap.put(world.now + cold + create.ms / 1000, kind.start, shopper);
  }

  /** The order is written, and its workflow started: the SDK tries thrice. */
  #start(shopper: number): void {
    const world = this.#world;
    const limit = this.#retries[shopper] === 0 ? this.#write(shopper, create) : undefined;
    if (!limit && this.#starts.take(world.now)) {
      this.#state[shopper] = state.running;
      this.#at[shopper] = 0;
      this.#retries[shopper] = 0;
      world.heap.put(world.now, kind.step, shopper);
      world.heap.put(world.now, kind.answered, shopper);
      return;
    }
    if (!limit) world.tally.meets('StartExecution of Standard workflows', world.now);
    this.#retries[shopper]!++;
    if (!limit && this.#retries[shopper]! < world.assume('sdkTries')) {
      world.heap.put(
        world.now + 0.1 * 2 ** this.#retries[shopper]! * world.random.next(),
        kind.start,
        shopper,
      );
      return;
    }
    world.tally.refuse('5xx of the order');
    this.#billTask(create);
    world.ends(shopper, this.#functions.create);
    world.comesBack(shopper, kind.order);
  }

  #accepted(shopper: number): void {
    const world = this.#world;
    world.ends(shopper, this.#functions.create);
    world.told(shopper);
    world.heap.put(world.now + pollSeconds, kind.poll, shopper);
  }

  #step(shopper: number): void {
    const world = this.#world;
    const transitions = transitionsTo[this.#at[shopper]!]!;
    const wait = this.#transitions.wait(world.now, transitions);
    if (wait > 0) world.tally.meets('transitions of Standard workflows', world.now);
    if (this.#at[shopper]! < steps.length) {
      world.heap.put(world.now + wait, kind.task, shopper);
      return;
    }
    world.tally.countAll(sale);
    world.tally.count('cloudfront.requests', -1);
    world.tally.count('waf.requests', -1);
    world.tally.count('apigateway.restRequests', -1);
    world.tally.paid.add(world.now + wait - world.arrivedAt[shopper]!);
  }

  #task(shopper: number): void {
    const world = this.#world;
    const at = this.#at[shopper]!;
    const got = this.#functions.tasks[at]!.acquire(world.now);
    if (typeof got === 'string') {
      world.tally.meets(`Lambda ${got}`, world.now);
      this.#again(shopper, taskRetries.throttled);
      return;
    }
    this.#taskEnvironment[shopper] = got.id;
    const cold = got.cold ? world.assume('coldStartMs') / 1000 : 0;
    const provider = providerStep.includes(at) ? 0.4 : 0;
    world.heap.put(world.now + cold + provider + steps[at]!.ms / 1000, kind.done, shopper);
  }

  #done(shopper: number): void {
    const at = this.#at[shopper]!;
    this.#functions.tasks[at]!.release(this.#taskEnvironment[shopper]!);
    if (at === 0) {
      this.#reserve(shopper);
      return;
    }
    const limit = this.#write(shopper, steps[at]!);
    if (limit) {
      this.#again(shopper, taskRetries.throttled);
      return;
    }
    this.#next(shopper);
  }

  /** The one stock item and the order's state in one transaction. */
  #reserve(shopper: number): void {
    const world = this.#world;
    const { now } = world;
    if (this.#stock.meets(now, 0, steps[0]!.writes.stock)) {
      world.tally.meets('the stock item: partition write units', now);
      this.#again(shopper, taskRetries.conflict);
      return;
    }
    world.tally.transactions++;
    this.#stock.take(now, 0, steps[0]!.writes.stock);
    if (this.#item.isHeld(0, now)) {
      world.tally.conflicts++;
      world.tally.meets('the stock item: conflicts', now);
      world.tally.count('dynamodb.writeUnits', steps[0]!.writes.stock + steps[0]!.writes.order);
      this.#again(shopper, taskRetries.conflict);
      return;
    }
    if (this.#left < 1) {
      this.#end(shopper, state.soldOut);
      return;
    }
    if (this.#write(shopper, steps[0]!)) {
      this.#again(shopper, taskRetries.throttled);
      return;
    }
    this.#item.hold(0, now + world.assume('heldMs') / 1000);
    this.#left--;
    world.tally.sell(now);
    this.#state[shopper] = state.paid;
    this.#next(shopper);
  }

  #next(shopper: number): void {
    this.#at[shopper]!++;
    this.#retries[shopper] = 0;
    this.#world.heap.put(this.#world.now, kind.step, shopper);
  }

  #again(shopper: number, { first, tries }: { first: number; tries: number }): void {
    const world = this.#world;
    const retries = this.#retries[shopper]!++;
    this.#billTask(steps[this.#at[shopper]!]!);
    world.tally.count('states.transitions', 1);
    // A sale is carried on by hand; its order is paid late, and that is all that is counted of it.
    if (retries >= tries) {
      if (this.#at[shopper] === 0) this.#end(shopper, state.failed);
      return;
    }
    const wait = this.#transitions.wait(world.now, 1);
    world.heap.put(world.now + wait + first * 2 ** retries, kind.task, shopper);
  }

  /** Without a sale: what was begun is paid for. */
  #end(shopper: number, how: number): void {
    const { tally } = this.#world;
    this.#state[shopper] = how;
    this.#billTask(create);
    this.#billTask(steps[0]!);
    tally.count('states.transitions', 4);
    tally.count('states.logBytes', 14 * 354);
    tally.count('dynamodb.writeUnits', create.writes.order + 2 * create.writes.index);
    tally.count('dynamodb.readUnits', 3);
  }

  #poll(shopper: number): void {
    const world = this.#world;
    if (!world.passes(500)) {
      world.heap.put(world.now + pollSeconds, kind.poll, shopper);
      return;
    }
    const got = world.starts(shopper, this.#functions.read);
    if (!got) {
      world.heap.put(world.now + pollSeconds, kind.poll, shopper);
      return;
    }
    world.tally.count('apigateway.restRequests', 1);
    world.tally.count('dynamodb.readUnits', 1);
    this.#billTask({ ms: 15, gb: 0.5, writes: none });
    const cold = got.cold ? world.assume('coldStartMs') / 1000 : 0;
    world.heap.put(world.now + cold + 0.015, kind.polled, shopper);
  }

  #polled(shopper: number): void {
    const world = this.#world;
    world.ends(shopper, this.#functions.read);
    const now = this.#state[shopper]!;
    if (now === state.running) {
      world.heap.put(world.now + pollSeconds, kind.poll, shopper);
      return;
    }
    if (now === state.failed) {
      world.tally.refuse('order failed');
      world.comesBack(shopper, kind.order);
      return;
    }
    if (now === state.soldOut) world.tally.refuse('sold out');
    world.answered(shopper);
  }

  #write(shopper: number, { writes }: Step): string | undefined {
    const world = this.#world;
    const limit =
      this.#order.meets(world.now, shopper, writes.order) ??
      this.#indexes.meets(world.now, shopper, writes.index);
    if (limit) {
      world.tally.meets(`order table: ${limit} write units`, world.now);
      return limit;
    }
    this.#order.take(world.now, shopper, writes.order);
    this.#indexes.take(world.now, shopper, writes.index);
    return undefined;
  }

  #billTask({ ms, gb }: Step): void {
    const { tally } = this.#world;
    tally.count('lambda.requests', 1);
    tally.count('lambda.gbSeconds', (ms / 1000) * gb);
    tally.count('lambda.logBytes', 771 + 2 * 326);
  }
}
