import type { World } from './world.ts';

/** By the ticket's ETA: the next look comes after a quarter of it, 1 to 15 s (functions/admission/app/tickets.ts). */
const looks = { part: 4, most: 15 };
/** Over which the recent pace is taken, in seconds. */
const recently = 10;

/**
 * The queue of a drop as its conductor sees it. Positions are in the order of tickets; who waits looks at the edge, which is
 * counted and not simulated look by look.
 */
export class WaitingRoom {
  readonly #pace: number;
  /** Shoppers by position, and where each stands if it does. */
  readonly #queue: Int32Array;
  readonly #positionOf: Int32Array;
  readonly #used: Uint8Array;
  readonly #ticketsIn: number[] = [];
  readonly #servedBy: number[] = [];
  #tickets = 0;
  #known = 0;
  #closedSeconds = 0;
  #served = 0;
  #lapsed = 0;
  #outstanding = 0;

  /** @param pace admissions a second at most */
  constructor(shoppers: number, pace: number) {
    this.#pace = pace;
    this.#queue = new Int32Array(shoppers);
    this.#positionOf = new Int32Array(shoppers).fill(-1);
    this.#used = new Uint8Array(shoppers);
  }

  enter(now: number, shopper: number): void {
    this.#positionOf[shopper] = this.#tickets;
    this.#queue[this.#tickets++] = shopper;
    const second = Math.floor(now);
    this.#ticketsIn[second] = (this.#ticketsIn[second] ?? 0) + 1;
  }

  /** Whom this second admits: as many as the pace, the units that nobody may still claim, and the known positions allow. */
  serve(world: World, unitsLeft: number): readonly number[] {
    const { now } = world;
    while (this.#closedSeconds + 1 + world.assume('secondClosedAfter') <= now) {
      this.#known += this.#ticketsIn[this.#closedSeconds++] ?? 0;
    }
    const lapsed = this.#servedBy[Math.floor(now - world.assume('holdSeconds'))] ?? 0;
    for (; this.#lapsed < lapsed; this.#lapsed++) if (!this.#used[this.#lapsed]) this.#outstanding--;
    const next = Math.min(this.#pace, unitsLeft - this.#outstanding, this.#known - this.#served);
    const admitted = Math.max(0, Math.floor(next));
    const shoppers = Array.from(this.#queue.subarray(this.#served, this.#served + admitted));
    this.#served += admitted;
    this.#outstanding += admitted;
    this.#servedBy[Math.floor(now)] = this.#served;
    world.edge(world.assume('apiBytes'), this.#looksInASecond(now));
    return shoppers;
  }

  /** The admission is no longer outstanding, unless it had lapsed already. */
  use(shopper: number): void {
    const position = this.#positionOf[shopper]!;
    if (position < 0 || this.#used[position]) return;
    this.#used[position] = 1;
    if (position >= this.#lapsed) this.#outstanding--;
  }

  /** All who wait are told, each at its next look at the edge. */
  sellOut(world: World): void {
    const { tally } = world;
    const pace = this.#recentPace(world.now);
    for (let position = this.#served; position < this.#tickets; position++) {
      const every = Math.min(looks.most, Math.max(1, (position - this.#served) / pace / looks.part));
      world.answered(this.#queue[position]!, world.random.next() * (every + 1));
    }
    const told = this.#tickets - this.#served;
    world.edge(world.assume('apiBytes'), told);
    tally.refusals.set('sold out', (tally.refusals.get('sold out') ?? 0) + told);
    this.#served = this.#tickets;
  }

  /** How often the waiting look at the edge: the sum of 1 / (ETA / 4), within 1 and 15 s, over the queue. */
  #looksInASecond(now: number): number {
    const pace = this.#recentPace(now);
    const waiting = this.#tickets - this.#served;
    const near = Math.min(waiting / pace, looks.part * looks.most);
    const ofNear = Math.min(near, looks.part) + looks.part * Math.log(Math.max(1, near / looks.part));
    return pace * ofNear + (waiting - near * pace) / looks.most;
  }

  #recentPace(now: number): number {
    const before = this.#servedBy[Math.floor(now) - recently] ?? 0;
    return Math.max(0.1, (this.#served - before) / Math.min(recently, Math.max(1, now)));
  }
}
