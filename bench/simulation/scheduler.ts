import type { Chance } from './chance.ts';
import { everybodyWaits, type Mishap, meetInFlight, type Step } from './steps.ts';
import type { World } from './world.ts';

/** How often a step goes wrong in which way, from 0 to 1; what is not named does not happen. */
export type Weather = Readonly<Partial<Record<Mishap | 'conflict' | 'delayed', number>>>;

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly run: () => unknown;
}

/** What became of an invocation: it answered, it threw, or its process was gone before it could. */
export type Invoked<T> = { readonly value: T } | { readonly error: any } | { readonly gone: true };

/** Milliseconds after which somebody notices that a process has ended. */
const noticedAfter = 50;

/**
 * Takes the steps of all actors at the moments that chance gives them, and lets time pass between: a discrete-event
 * simulation. Everything happens in the order of the queue, so that a seed has one course.
 */
export class Scheduler {
  readonly #world: World;
  readonly #chance: Chance;
  readonly #queue = new Queue();
  readonly #gone = new Map<string, () => void>();
  /** No mishap any more, and everything quick. */
  calm = false;
  /** Mishaps that came to pass, in their order. */
  readonly mishaps: string[] = [];

  /** @param weather may differ from step to step, to leave out what a failure does not need */
  constructor(world: World, chance: Chance, weather: Weather, spare: (mishap: string) => boolean) {
    this.#world = world;
    this.#chance = chance;
    const { gate } = world;
    gate.issued = (step) =>
      this.#queue.add(world.now + this.#latency(step, weather), () => this.#take(step.id));
    gate.mishap = (step) => this.#mishap(step, weather, spare);
    gate.ended = (actor) => this.after(noticedAfter, () => this.#gone.get(actor)?.());
    this.#losing = (step) => this.#loses(step, weather, spare);
    world.sleep = (milliseconds) => this.sleep(milliseconds);
    let drawn = 0;
    world.random = (actor) => chance.of(`${actor} draws ${++drawn}`);
  }

  readonly #losing: (step: Step) => boolean;

  after(milliseconds: number, then: () => unknown): void {
    this.#queue.add(this.#world.now + Math.max(0, milliseconds), () => void then());
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((done) => this.after(milliseconds, done));
  }

  /** Begins `then` at a moment, in milliseconds since the epoch. */
  at(moment: number, then: () => unknown): void {
    this.#queue.add(Math.max(moment, this.#world.now), () => void then());
  }

  /**
   * Runs a function as Lambda does: until it answers, its process ends, or its time is over.
   * @param limit milliseconds
   */
  invoke<T>(actor: string, limit: number, work: () => Promise<T>): Promise<Invoked<T>> {
    const { gate } = this.#world;
    return new Promise((resolve) => {
      const end = (invoked: Invoked<T>) => {
        this.#gone.delete(actor);
        resolve(invoked);
      };
      this.#gone.set(actor, () => end({ gone: true }));
      work().then(
        (value) => end({ value }),
        (error) => end({ error }),
      );
      this.after(limit, () => {
        if (this.#gone.has(actor)) gate.end(actor);
      });
    });
  }

  /** Lets everything happen that happens up to a moment. */
  async until(moment: number): Promise<void> {
    await everybodyWaits();
    for (let next = this.#queue.first; next && next.at <= moment; next = this.#queue.first) {
      this.#queue.take();
      this.#world.now = Math.max(this.#world.now, Math.floor(next.at));
      await next.run();
      await everybodyWaits();
    }
    this.#world.now = Math.max(this.#world.now, moment);
  }

  async #take(id: string): Promise<void> {
    const { gate } = this.#world;
    const step = gate.waiting(id)!;
    if (gate.hasEnded(step.actor)) return gate.land(id, this.#chance.happens(`${id} was on its way`, 0.5));
    return this.#losing(step) ? gate.lose(id) : gate.take(id);
  }

  #latency({ id }: Step, weather: Weather): number {
    const share = this.#chance.of(`${id} takes`);
    if (this.calm) return 1 + share * 5;
    if (id.includes('~late')) return 1_000 + share * 60_000;
    if (id.includes('~again')) return 200 + share * 3_000;
    if (this.#chance.happens(`${id} delayed`, weather.delayed ?? 0)) return share * share * 6_000;
    return 1 + share * 15;
  }

  #mishap(step: Step, weather: Weather, spare: (mishap: string) => boolean): Mishap | undefined {
    if (this.calm || step.id.includes('~')) return undefined;
    let dice = this.#chance.of(`${step.id} goes wrong`);
    for (const [kind, probability] of Object.entries(weather)) {
      if (kind === 'conflict' || kind === 'delayed') continue;
      dice -= probability;
      if (dice >= 0) continue;
      const mishap = kind as Mishap;
      const name = `${step.id} ${mishap}`;
      if (!isPossible(mishap, step) || spare(name)) return undefined;
      this.mishaps.push(name);
      return mishap;
    }
    return undefined;
  }

  #loses(step: Step, weather: Weather, spare: (mishap: string) => boolean): boolean {
    const probability = this.calm ? 0 : (weather.conflict ?? 0);
    if (!step.lose || probability === 0) return false;
    const name = `${step.id} conflict`;
    if (!this.#chance.happens(name, probability) || spare(name)) return false;
    if (!this.#world.gate.pending.some((other) => meetInFlight(step, other))) return false;
    this.mishaps.push(name);
    return true;
  }
}

/** The answer to a read can only be lost. */
function isPossible(mishap: Mishap, step: Step): boolean {
  if (mishap === 'throttled') return step.throttle !== undefined;
  if (mishap === 'partly') return step.partly !== undefined;
  if (mishap === 'lost' || mishap === 'ends-before') return true;
  return step.touches.some(({ write }) => write);
}

/** A heap by time; what is added first comes first. */
class Queue {
  readonly #entries: Entry[] = [];
  #added = 0;

  get first(): Entry | undefined {
    return this.#entries[0];
  }

  add(at: number, run: () => unknown): void {
    const entries = this.#entries;
    const entry = { at, order: ++this.#added, run };
    let place = entries.length;
    entries.push(entry);
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (!before(entry, entries[above]!)) break;
      entries[place] = entries[above]!;
      place = above;
    }
    entries[place] = entry;
  }

  take(): void {
    const entries = this.#entries;
    const last = entries.pop()!;
    if (entries.length === 0) return;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= entries.length) break;
      if (below + 1 < entries.length && before(entries[below + 1]!, entries[below]!)) below++;
      if (!before(entries[below]!, last)) break;
      entries[place] = entries[below]!;
      place = below;
    }
    entries[place] = last;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
