import { endOf } from '../../functions/finance/domain/business-date.ts';
import { dateIn } from '../../functions/kernel/clock.ts';
import { digest } from '../../functions/kernel/ids.ts';
import { Actors, type SagaFaults, timeZone } from './actors.ts';
import { Bus } from './bus.ts';
import { Chance, withSource } from './chance.ts';
import { wrongMoneyCall } from './check.ts';
import { Drops } from './drops.ts';
import { wrongsAtTheEnd } from './ending.ts';
import { History } from './history.ts';
import { People } from './people.ts';
import type { Plan } from './plan.ts';
import { Scheduler } from './scheduler.ts';
import { Schedules } from './schedules.ts';
import { Shop } from './shop.ts';
import { sourceOf, TaskFailed, type Tasks, Workflow } from './workflow.ts';
import { type Defect, World } from './world.ts';

/** A mistake built into the store for a run. */
export interface Bug {
  readonly defect?: Defect | undefined;
  readonly faults?: SagaFaults | undefined;
}

/** What became of a seed. */
export interface Course {
  readonly wrong: readonly string[];
  /** Every step in its order, with what went wrong at it. */
  readonly trace: readonly string[];
  /** SHA-256 of the trace and of all that the tables hold at the end. */
  readonly hash: string;
  readonly mishaps: readonly string[];
  readonly orders: number;
  /** Steps until something was seen to be wrong; undefined where only the end shows it. */
  readonly wrongAt?: number | undefined;
}

const minute = 60_000;
const hour = 60 * minute;

/** Lets a plan take its course, from the opening of the shop to the last export. */
export function run(plan: Plan, bug: Bug = {}): Promise<Course> {
  const chance = new Chance(plan.seed);
  const world = new World(bug.defect);
  const scheduler = new Scheduler(world, chance, plan.weather, (mishap) => plan.spared.has(mishap));
  const source = { now: world.clock, after: scheduler.after.bind(scheduler), chance };
  return withSource(source, () => new Simulation(plan, bug, world, scheduler, chance).run());
}

class Simulation {
  readonly #plan: Plan;
  readonly #world: World;
  readonly #scheduler: Scheduler;
  readonly #actors: Actors;
  readonly #bus: Bus;
  readonly #shop: Shop;
  readonly #history: History;
  readonly #people: People;
  readonly #schedules: Schedules;
  readonly #drops: Drops;

  constructor(plan: Plan, bug: Bug, world: World, scheduler: Scheduler, chance: Chance) {
    this.#plan = plan;
    this.#world = world;
    this.#scheduler = scheduler;
    const supplying = plan.deeds.filter(({ does }) => does === 'adjust' || does === 'set');
    this.#history = new History(
      world,
      new Map(supplying.map((deed) => [deed.name, deed.does === 'set' ? deed.to : undefined])),
    );
    world.now = plan.start;
    world.committed = (changes, actor) => this.#history.committed(changes, actor);
    world.paying = (call) => {
      const wrong = wrongMoneyCall(world, call);
      if (wrong) this.#history.wrong(wrong);
    };
    if (plan.skewed) world.skew = (actor) => Math.round((chance.of(`${actor} clock`) - 0.5) * 2_000);
    if (plan.lag > 0)
      world.tables.lag = (_table, index, pk, sk, version) => {
        const share = chance.of(`lag ${index} ${pk} ${sk} ${version}`);
        // Reads of the table itself are behind by a moment at most.
        return share ** 3 * (index === undefined ? Math.min(plan.lag, 500) : plan.lag);
      };
    const saga: SagaFaults = {
      ...bug.faults,
      run: (actor, actors, command) => this.#saga(actor, actors, command, bug.faults),
    };
    // Orders share environments, and with them what these remember.
    const environmentOf = (actor: string) =>
      `environment ${chance.whole(`${actor} runs in`, 1, plan.environments)}`;
    this.#actors = new Actors(world, saga, environmentOf);
    this.#bus = new Bus(scheduler, this.#actors, chance, plan);
    world.heard = (event) => this.#bus.pipe(event);
    this.#shop = new Shop(world);
    const [actors, shop, history] = [this.#actors, this.#shop, this.#history];
    const drops = new Drops(world, plan);
    this.#drops = drops;
    const parts = { world, scheduler, actors, shop, history, chance, drops };
    this.#people = new People(parts, plan);
    this.#schedules = new Schedules(world, scheduler, this.#actors, this.#bus);
  }

  async run(): Promise<Course> {
    const { start } = this.#plan;
    const scheduler = this.#scheduler;
    await this.#shop.open(this.#plan);
    await this.#openDrop();
    this.#people.begin();
    for (const at of [4, 11, 16, 19, 24, 31, 38, 46])
      scheduler.at(start + at * minute, () => void this.#schedules.sweep());
    scheduler.at(start + 66 * minute, () => void this.#schedules.audit());
    await scheduler.until(start + 70 * minute);
    // What follows has no mishaps: everything must come to an end by itself.
    scheduler.calm = true;
    this.#bus.redrive();
    await this.#toTheEnd();
    await this.#books();
    const world = this.#world;
    const wrong = wrongsAtTheEnd({
      world,
      history: this.#history,
      bus: this.#bus,
      bucket: this.#schedules.bucket,
      mishaps: scheduler.mishaps,
    });
    const trace = world.gate.taken;
    return {
      wrong: [...new Set(wrong)],
      trace,
      hash: digest(`${trace.join('\n')}\n${world.tables.contents()}`),
      mishaps: scheduler.mishaps,
      wrongAt: this.#history.wrongAt,
      orders: new Set(world.tables.all('order').flatMap(({ orderId }) => orderId ?? [])).size,
    };
  }

  async #openDrop(): Promise<void> {
    const { drop, start } = this.#plan;
    if (!drop) return;
    // Before the day: who reads a moment behind at the announcement must have ordered before it opens.
    this.#world.now = start - 2 * minute;
    this.#history.announced(await this.#drops.announce());
    this.#world.now = start;
    for (const number of drop.conducted) {
      const actor = `conduct ${number}`;
      this.#scheduler.at(start + number * minute, () =>
        this.#scheduler.invoke(actor, minute, () => this.#drops.conduct(actor)),
      );
    }
  }

  /** Messages come back, reservations end, the schedules go round. */
  async #toTheEnd(): Promise<void> {
    const scheduler = this.#scheduler;
    for (const pause of [5, 20, 20, 40, 70, 90]) {
      void this.#schedules.sweep();
      await scheduler.until(this.#world.now + pause * minute);
      if (pause >= 40) void this.#schedules.audit();
      this.#bus.redrive();
    }
    await scheduler.until(this.#world.now + 10 * minute);
    if (this.#bus.underWay > 0) this.#history.wrong(`${this.#bus.underWay} messages are under way for ever`);
  }

  /** Every business date that has entries is exported once it is over, and every day of the provider reconciled. */
  async #books(): Promise<void> {
    const scheduler = this.#scheduler;
    const last = this.#world.now;
    const over = Math.max(endOf(dateIn(timeZone, last), timeZone), endOf(dateIn('UTC', last), 'UTC'));
    let day = endOf(dateIn(timeZone, this.#plan.start), timeZone);
    for (; day <= over + 24 * hour; day += 24 * hour) {
      // The provider's day ends nine hours after the one in Seoul; the fees that follow go into the next export.
      for (const after of [3, 12]) {
        await scheduler.until(Math.max(this.#world.now, day + after * hour));
        if (day + after * hour < last) continue;
        await this.#wait(this.#schedules.audit());
        await this.#wait(this.#schedules.export());
        await this.#wait(this.#schedules.reconcile());
      }
    }
  }

  async #wait(work: Promise<unknown>): Promise<void> {
    let done = false;
    void work.finally(() => {
      done = true;
    });
    while (!done) await this.#scheduler.until(this.#world.now + minute);
  }

  /** An Express execution: it goes on when its caller is gone, and its tasks when it is over itself. */
  async #saga(worker: string, actors: Actors, command: unknown, faults: SagaFaults = {}) {
    const execution = `${worker}/saga`;
    let invocations = 0;
    const limits: Readonly<Record<string, number>> = { 'call-provider': 20_000, 'record-outcome': 30_000 };
    const invoked = async (name: string, input: unknown) => {
      const actor = `${execution}/${name} ${++invocations}`;
      const tasks = actors.tasks(actor);
      const ended = await this.#scheduler.invoke(actor, limits[name]!, () => tasks[name]!(input));
      if ('gone' in ended) throw new TaskFailed('Lambda.Unknown');
      if ('error' in ended) throw ended.error;
      return ended.value;
    };
    const tasks: Tasks = Object.fromEntries(
      Object.keys(limits).map((name) => [name, (input: unknown) => invoked(name, input)]),
    );
    const wait = (seconds: number) => this.#scheduler.sleep(seconds * 1_000);
    return new Workflow(sourceOf('checkout'), tasks, faults.state, wait).run({ command });
  }
}
