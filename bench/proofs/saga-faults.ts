import { derivedId } from '../../functions/kernel/ids.ts';
import { fold } from '../../functions/order/domain/order.ts';
import { Actors, customerId, type SagaFaults } from '../simulation/actors.ts';
import { wrongMoneyCall, wrongsAtRest } from '../simulation/check.ts';
import { Deliveries, untilQuiet } from '../simulation/deliveries.ts';
import { eventsOf, goods, request } from '../simulation/given.ts';
import type { Mishap, Step } from '../simulation/steps.ts';
import { type Definition, outOfTime, startAgain, TaskFailed } from '../simulation/workflow.ts';
import { type Defect, World } from '../simulation/world.ts';

/** How the shopper pays; with 3-D Secure also what the shopper does then. */
export const cards = [
  'tok_approve',
  'tok_decline',
  'tok_capture_fails_once',
  'tok_capture_fails',
  'tok_timeout_then_approved',
  'tok_timeout_then_declined',
  'tok_requires_action confirm',
  'tok_requires_action fail',
  'tok_requires_action',
] as const;

/**
 * What the shopper, the clock or an operator wants meanwhile: at the saga's first task, at the one that the fault
 * befalls, or after the order has come to rest.
 */
export const wishes = [
  'none',
  'cancel at first',
  'cancel at the fault',
  'expiry at first',
  'expiry at the fault',
  'refund afterwards',
] as const;
type Wish = (typeof wishes)[number];

/**
 * What befalls a state when the saga first comes to it. A Choice or an end has no effect to fail before or after: there a
 * failure ends the run.
 */
export const stateFaults = [
  'failed before effect',
  'failed after effect',
  'timed out with effect',
  'run restarted from the beginning',
  'run ended at its limit',
  // Beyond retries, and beyond what any Retry knows.
  'failed thrice before effect',
  'run ended before effect',
  'run ended after effect',
] as const;
type Fault = (typeof stateFaults)[number];

/** What befalls one call of a port in a run; the first of them can befall every call. */
export const mishaps: readonly Mishap[] = [
  'lost',
  'unanswered',
  'repeated',
  'late',
  'ends-before',
  'ends-after',
];

/** How many calls of one run go wrong at once: `FAULTS_DEPTH`, 1 unless set. */
export const depth = Number(process.env.FAULTS_DEPTH ?? 1) > 1 ? 2 : 1;

export interface FaultFigures {
  /** The state, or the call of a port. */
  readonly at: string;
  readonly fault: string;
  /** Runs in which the fault came to pass. */
  runs: number;
  /** How the orders ended, with how often. */
  readonly ends: Record<string, number>;
  readonly wrong: string[];
}

const orderId = derivedId('ord', customerId, 'key-1');
const units = 5;

/** Every state of the saga, whatever its kind, × what befalls it × cards × wishes, each from an order's beginning. */
export async function stateFaultFigures(
  saga: Definition,
  defect: Defect = {},
  faults: SagaFaults = {},
): Promise<FaultFigures[]> {
  const rests: Rests = new Map();
  const figures = new Map<string, FaultFigures>();
  for (const at of Object.keys(saga.States))
    for (const fault of stateFaults)
      figures.set(`${at} ${fault}`, { at, fault, runs: 0, ends: {}, wrong: [] });
  for (const token of cards) {
    for (const wish of wishes) {
      // A fault at a state that the saga does not come to with this card and wish is none.
      const calm = await runWithStateFault({ saga, token, wish: calmOf(wish) }, rests, defect, faults);
      for (const state of calm.states) {
        for (const fault of stateFaults) {
          const one = await runWithStateFault({ saga, state, fault, token, wish }, rests, defect, faults);
          add(figures.get(`${state} ${fault}`)!, one, `${token}, wish ${wish}`);
        }
      }
    }
  }
  return [...figures.values()];
}

/** A wish that comes with the fault changes nothing of the way there. */
function calmOf(wish: Wish): Wish {
  return wish.endsWith('fault') ? 'none' : wish;
}

/**
 * Every call of a port in a run of the worker × mishaps × cards × wishes. `depth` 2 tries every pair of mishaps, the
 * second one in whatever follows the first.
 */
export async function callFaultFigures(depth = 1, defect: Defect = {}): Promise<FaultFigures[]> {
  const rests: Rests = new Map();
  const figures = new Map<string, FaultFigures>();
  for (const token of cards) {
    for (const wish of wishes) {
      const more = async (before: Plan): Promise<void> => {
        const from = (before.at(-1)?.[0] ?? 0) + 1;
        for (let at = from; ; at++) {
          let step: Step | undefined;
          for (const mishap of mishaps) {
            if (step && !isPossible(mishap, step)) continue;
            const plan = [...before, [at, mishap] as const];
            const one = await runWithCallFault({ plan, token, wish }, rests, defect);
            step = one.step;
            if (!step) return;
            const what = nameOf(step);
            const name = `${what} ${mishap}`;
            const figure = figures.get(name) ?? { at: what, fault: mishap, runs: 0, ends: {}, wrong: [] };
            figures.set(name, figure);
            add(figure, one, `${token}, wish ${wish}, ${JSON.stringify(plan)}`);
            if (plan.length < depth) await more(plan);
          }
        }
      };
      await more([]);
    }
  }
  return [...figures.values()].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

/** How long the provider answers nobody, in hours: within a reservation, beyond it, beyond what may be sent again. */
const outages = [0.2, 2, 21, 72] as const;

/**
 * The provider answers nobody for hours, from its first, second, … call on; the call that it falls silent on arrives
 * or does not. Messages end in the dead-letter queue meanwhile: the reconciler alone brings every order to its end.
 */
export async function outageFigures(): Promise<FaultFigures[]> {
  const rests: Rests = new Map();
  const figures: FaultFigures[] = [];
  const calls = new Map<string, number>();
  for (const hours of outages) {
    for (const arrives of [false, true]) {
      const fault = `${hours} h, the first call ${arrives ? 'arrives' : 'is lost'}`;
      const figure: FaultFigures = { at: 'the provider', fault, runs: 0, ends: {}, wrong: [] };
      for (const card of cards) {
        for (const wish of wishes.filter((one) => !one.endsWith('fault'))) {
          const where = `${card}, wish ${wish}`;
          const outage = { hours, arrives, card, wish };
          const inAll =
            calls.get(where) ??
            (await runWithOutage({ ...outage, from: Number.POSITIVE_INFINITY }, rests)).calls;
          calls.set(where, inAll);
          for (let from = 1; from <= inAll; from++)
            add(figure, await runWithOutage({ ...outage, from }, rests), `${where}, from call ${from}`);
        }
      }
      figures.push(figure);
    }
  }
  return figures;
}

interface Outage {
  readonly hours: number;
  readonly arrives: boolean;
  readonly from: number;
  readonly card: string;
  readonly wish: Wish;
}

/** Answers how often the provider was called, too. */
async function runWithOutage(
  { hours, arrives, from, card, wish }: Outage,
  rests: Rests,
): Promise<Outcome & { calls: number }> {
  const stage: Stage = new Stage(
    wish,
    rests,
    {},
    {
      state: async (_state, task, type) => {
        if (type === 'Task') await stage.wished('first');
        return task();
      },
    },
  );
  let calls = 0;
  let over = Number.POSITIVE_INFINITY;
  stage.isOver = () => stage.world.now >= over;
  stage.world.gate.mishap = ({ actor, what }) => {
    if (!actor.startsWith('run-checkout') || !what.startsWith('provider')) return undefined;
    calls++;
    if (calls === from) over = stage.world.now + hours * hour;
    if (calls < from || stage.world.now >= over) return undefined;
    return calls === from && arrives ? 'unanswered' : 'lost';
  };
  const outcome = await stage.play(card, async () => {
    // Some calls are made only when a reservation has ended.
    if (calls < from) await stage.passing(0.5);
    if (calls >= from) await stage.passing(hours);
  });
  return { ...outcome, calls };
}

const hour = 3_600_000;

interface Outcome {
  readonly end: string;
  readonly wrong: readonly string[];
}

function add(figure: FaultFigures, { end, wrong }: Outcome, where: string): void {
  figure.runs++;
  figure.ends[end] = (figure.ends[end] ?? 0) + 1;
  figure.wrong.push(...wrong.map((line) => `${where}: ${line}`));
}

interface StateCase {
  readonly saga: Definition;
  readonly state?: string;
  readonly fault?: Fault;
  readonly token: string;
  readonly wish: Wish;
}

/** Answers the states, too, that the saga came to. */
async function runWithStateFault(
  { saga, state, fault, token, wish }: StateCase,
  rests: Rests,
  defect: Defect,
  faults: SagaFaults,
): Promise<Outcome & { states: ReadonlySet<string> }> {
  const states = new Set<string>();
  const atMost = fault === 'failed thrice before effect' ? 3 : 1;
  let times = 0;
  const stage: Stage = new Stage(wish, rests, defect, {
    ...faults,
    saga,
    state: async (name, task, type) => {
      states.add(name);
      if (type === 'Task') await stage.wished('first');
      if (name !== state || !fault) return task();
      times++;
      await stage.wished('fault');
      return times <= atMost ? befall(fault, task) : task();
    },
  });
  stage.isOver = () => times >= atMost;
  return { ...(await stage.play(token)), states };
}

async function befall(fault: Fault, task: () => Promise<unknown>): Promise<unknown> {
  switch (fault) {
    // Step Functions names a failed invocation so, and the states retry it.
    case 'failed before effect':
    case 'failed thrice before effect':
      throw new TaskFailed('Lambda.ServiceException');
    case 'failed after effect':
      await task();
      throw new TaskFailed('Lambda.ServiceException');
    case 'timed out with effect':
      await task();
      throw new TaskFailed('States.Timeout');
    case 'run restarted from the beginning':
      await task();
      throw new TaskFailed(startAgain);
    // Its task goes on.
    case 'run ended at its limit':
      void task().catch(() => {});
      throw new TaskFailed(outOfTime);
    case 'run ended before effect':
      throw new TaskFailed('Lambda.Unknown');
    case 'run ended after effect':
      await task();
      throw new TaskFailed('Lambda.Unknown');
  }
}

/** Mishaps by the number of the worker's call, counted from 1 over all its runs. */
type Plan = readonly (readonly [at: number, mishap: Mishap])[];

/** Answers the step, too, that the last mishap of the plan befell; none when there is no such call. */
async function runWithCallFault(
  { plan, token, wish }: { plan: Plan; token: string; wish: Wish },
  rests: Rests,
  defect: Defect,
): Promise<Outcome & { step: Step | undefined }> {
  const stage = new Stage(wish, rests, defect);
  const [last] = plan.at(-1)!;
  let calls = 0;
  let befallen: Step | undefined;
  stage.isOver = () => befallen !== undefined;
  stage.world.gate.mishap = (step) => {
    if (!step.actor.startsWith('run-checkout') || step.actor.includes('~')) return undefined;
    calls++;
    if (calls === 1) void stage.wished('first');
    if (calls === last) {
      befallen = step;
      void stage.wished('fault');
    }
    return plan.find(([at]) => at === calls)?.[1];
  };
  return { ...(await stage.play(token)), step: befallen };
}

/** The answer to a read can only be lost, and a caller that ends after it has ended before what follows. */
function isPossible(mishap: Mishap, { touches }: Step): boolean {
  return mishap === 'lost' || mishap === 'ends-before' || touches.some(({ write }) => write);
}

function nameOf({ what, touches }: Step): string {
  if (what.startsWith('provider')) return what.replace(/(aut|cap)_\w+/, '…');
  const places = touches.map(({ place }) => place.replace(/ .*/, ''));
  return `${what.split(' ')[0]} ${[...new Set(places)].join(' and ')}`;
}

/** How worlds with nothing more to befall them come to rest. */
type Rests = Map<string, Outcome>;

/** One order from its beginning to its rest, in a world of its own. */
class Stage {
  readonly world: World;
  readonly #actors: Actors;
  readonly #deliveries: Deliveries;
  readonly #wish: Wish;
  readonly #rests: Rests;
  #granted = false;
  /** Whether what goes wrong has done so. */
  isOver = (): boolean => false;
  /** Whether somebody was told so. */
  #cancelled = false;

  constructor(wish: Wish, rests: Rests, defect: Defect = {}, faults: SagaFaults = {}) {
    this.#rests = rests;
    this.world = new World(defect);
    this.world.paying = (call) => {
      const wrong = wrongMoneyCall(this.world, call);
      if (wrong) this.world.wrongs.push(wrong);
    };
    this.#actors = new Actors(this.world, faults);
    this.#deliveries = new Deliveries(this.world, this.#actors);
    this.#wish = wish;
  }

  /** Carries the wish out if its moment has come; once. */
  async wished(moment: 'first' | 'fault'): Promise<void> {
    if (this.#granted || !this.#wish.endsWith(moment)) return;
    this.#granted = true;
    if (this.#wish.startsWith('cancel')) {
      this.#cancelled = await this.#actors.cancel('wish', orderId).then(
        () => true,
        () => false,
      );
    }
    if (this.#wish.startsWith('expiry')) {
      this.world.now += 16 * 60_000;
      await this.#actors.sweep('wish');
    }
  }

  /** Lets time pass with the schedules: the outage, and as much again in which orders are asked about ever more rarely. */
  async passing(hours: number): Promise<void> {
    const { world } = this;
    const step = Math.max(10 * 60_000, (hours * hour) / 8);
    for (const end = world.now + 2 * hours * hour + hour; world.now < end; ) {
      world.now += step;
      world.spawn(`sweep at ${world.now}`, () => this.#actors.sweep(`sweep at ${world.now}`));
      await world.idle();
      await this.#deliveries.all();
    }
    // An alarm has told of them, and what they were about has been seen to otherwise.
    this.#deliveries.deadLetters.length = 0;
  }

  async play(card: string, meanwhile = async (): Promise<void> => {}): Promise<Outcome> {
    const { world } = this;
    goods(world, [units]);
    const [token, deed] = card.split(' ') as [string, 'confirm' | 'fail' | undefined];
    world.spawn('shopper', () => this.#actors.place('shopper', 'key-1', request(token)));
    await world.idle();
    await this.#deliveries.all();
    if (deed) {
      world.now += 60_000;
      world.spawn('page', () => world.act('page', `${orderId}-1`, deed));
      await world.idle();
      await this.#deliveries.all();
    }
    if (this.#wish === 'refund afterwards') {
      const part = { amount: { amount: 1_500, currency: 'KRW' as const }, reason: 'scratched' };
      world.spawn('refund', () => this.#actors.refund('refund', orderId, part, 'refund-1'));
      await world.idle();
      await this.#deliveries.all();
    }
    await meanwhile();
    const { end, wrong } = await this.#rest();
    const lost = this.#cancelled && end !== 'cancelled' ? [`a cancelled order is ${end}`] : [];
    return { end, wrong: [...wrong, ...lost] };
  }

  /** What follows is the same for the same world, if nothing more befalls it. */
  async #rest(): Promise<Outcome> {
    const { world } = this;
    const wished = this.#granted || !/first|fault/.test(this.#wish);
    const state = this.isOver() && wished ? `${world.told()} ${this.#deliveries.told()}` : undefined;
    const known = state && this.#rests.get(state);
    if (known) return known;
    await untilQuiet(world, this.#actors, this.#deliveries);
    const events = eventsOf(world, orderId);
    const wrong = wrongsAtRest(world, { units });
    const rest = { end: events.length > 0 ? fold(events).status : 'none', wrong };
    if (state) this.#rests.set(state, rest);
    return rest;
  }
}
