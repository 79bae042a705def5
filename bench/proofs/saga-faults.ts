import { derivedId } from '../../functions/kernel/ids.ts';
import { fold } from '../../functions/order/domain/order.ts';
import { Actors, customerId, type SagaFaults } from '../simulation/actors.ts';
import { wrongMoneyCall, wrongsAtRest } from '../simulation/check.ts';
import { Deliveries, untilQuiet } from '../simulation/deliveries.ts';
import { eventsOf, goods, request } from '../simulation/given.ts';
import type { Mishap, Step } from '../simulation/steps.ts';
import { startAgain, TaskFailed, taskStates } from '../simulation/workflow.ts';
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

/** What befalls the first run of a Task state. */
export const stateFaults = [
  'fails before its effect',
  'fails after its effect',
  'fails thrice before its effect',
  'ends the run before its effect',
  'ends the run after its effect',
  'times out with its effect',
  'the run starts again from its beginning',
  'the run ends at its limit, its task goes on',
] as const;
type StateFault = (typeof stateFaults)[number];

/** What befalls one call of a port in a run. */
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
  /** The Task state, or the call of a port. */
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

/** Every Task state of the checkout workflow × what befalls it × cards × wishes, each from an order's beginning. */
export async function stateFaultFigures(
  defect: Defect = {},
  faults: SagaFaults = {},
): Promise<FaultFigures[]> {
  const figures: FaultFigures[] = [];
  for (const state of taskStates('checkout')) {
    for (const fault of stateFaults) {
      const figure: FaultFigures = { at: state, fault, runs: 0, ends: {}, wrong: [] };
      for (const token of cards) {
        for (const wish of wishes) {
          const one = await runWithStateFault({ state, fault, token, wish }, defect, faults);
          if (one.happened) add(figure, one, `${token}, wish ${wish}`);
        }
      }
      figures.push(figure);
    }
  }
  return figures;
}

/**
 * Every call of a port in a run of the worker × mishaps × cards × wishes. `depth` 2 tries every pair of mishaps, the
 * second one in whatever follows the first.
 */
export async function callFaultFigures(depth = 1, defect: Defect = {}): Promise<FaultFigures[]> {
  const figures = new Map<string, FaultFigures>();
  for (const token of cards) {
    for (const wish of wishes) {
      const more = async (before: readonly (readonly [number, Mishap])[]): Promise<void> => {
        const from = (before.at(-1)?.[0] ?? 0) + 1;
        for (let at = from; ; at++) {
          let reached = false;
          for (const mishap of mishaps) {
            const plan = [...before, [at, mishap] as const];
            const one = await runWithCallFault({ plan, token, wish }, defect);
            reached ||= one.reached;
            if (!one.happened) continue;
            const name = `${one.what} ${mishap}`;
            const figure = figures.get(name) ?? { at: one.what, fault: mishap, runs: 0, ends: {}, wrong: [] };
            figures.set(name, figure);
            add(figure, one, `${token}, wish ${wish}, ${JSON.stringify(plan)}`);
            if (plan.length < depth) await more(plan);
          }
          if (!reached) return;
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
  const figures: FaultFigures[] = [];
  for (const hours of outages) {
    for (const arrives of [false, true]) {
      const fault = `${hours} h, the first call ${arrives ? 'arrives' : 'is lost'}`;
      const figure: FaultFigures = { at: 'the provider', fault, runs: 0, ends: {}, wrong: [] };
      for (const card of cards) {
        for (const wish of wishes.filter((one) => !one.endsWith('fault'))) {
          for (let from = 1; ; from++) {
            const one = await runWithOutage({ hours, arrives, from, card, wish });
            if (!one.happened) break;
            add(figure, one, `${card}, wish ${wish}, from call ${from}`);
          }
        }
      }
      figures.push(figure);
    }
  }
  return figures;
}

async function runWithOutage({
  hours,
  arrives,
  from,
  card,
  wish,
}: {
  hours: number;
  arrives: boolean;
  from: number;
  card: string;
  wish: Wish;
}): Promise<Outcome & { happened: boolean }> {
  const stage: Stage = new Stage(
    wish,
    {},
    {
      task: async (_state, task) => {
        await stage.wished('first');
        return task();
      },
    },
  );
  let calls = 0;
  let over = Number.POSITIVE_INFINITY;
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
  return { ...outcome, happened: calls >= from };
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

async function runWithStateFault(
  { state, fault, token, wish }: { state: string; fault: StateFault; token: string; wish: Wish },
  defect: Defect,
  faults: SagaFaults,
): Promise<Outcome & { happened: boolean }> {
  let times = 0;
  const stage: Stage = new Stage(wish, defect, {
    ...faults,
    task: async (name, task) => {
      await stage.wished('first');
      if (name !== state) return task();
      times++;
      await stage.wished('fault');
      if (times === 1 || (times <= 3 && fault === 'fails thrice before its effect'))
        return befall(fault, task);
      return task();
    },
  });
  const outcome = await stage.play(token);
  return { ...outcome, happened: times > 0 };
}

async function befall(fault: StateFault, task: () => Promise<unknown>): Promise<unknown> {
  switch (fault) {
    // Step Functions names a failed invocation so, and the states retry it.
    case 'fails before its effect':
    case 'fails thrice before its effect':
      throw new TaskFailed('Lambda.ServiceException');
    case 'fails after its effect':
      await task();
      throw new TaskFailed('Lambda.ServiceException');
    case 'ends the run before its effect':
      throw new TaskFailed('Lambda.Unknown');
    case 'ends the run after its effect':
      await task();
      throw new TaskFailed('Lambda.Unknown');
    case 'times out with its effect':
      await task();
      throw new TaskFailed('States.Timeout');
    case 'the run starts again from its beginning':
      await task();
      throw new TaskFailed(startAgain);
    case 'the run ends at its limit, its task goes on':
      void task().catch(() => {});
      throw new TaskFailed('States.Timeout');
  }
}

/** Mishaps by the number of the worker's call, counted from 1 over all its runs. */
type Plan = readonly (readonly [at: number, mishap: Mishap])[];

async function runWithCallFault(
  { plan, token, wish }: { plan: Plan; token: string; wish: Wish },
  defect: Defect,
): Promise<Outcome & { happened: boolean; reached: boolean; what: string }> {
  const stage = new Stage(wish, defect, {});
  const [last] = plan.at(-1)!;
  let calls = 0;
  let what = '';
  let happened = false;
  stage.world.gate.mishap = (step) => {
    if (!step.actor.startsWith('run-checkout') || step.actor.includes('~')) return undefined;
    calls++;
    if (calls === 1) void stage.wished('first');
    const mishap = plan.find(([at]) => at === calls)?.[1];
    if (calls !== last) return mishap;
    what = nameOf(step);
    void stage.wished('fault');
    happened = mishap !== undefined && isPossible(mishap, step);
    return happened ? mishap : undefined;
  };
  const outcome = await stage.play(token);
  return { ...outcome, happened, reached: calls >= last, what };
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

/** One order from its beginning to its rest, in a world of its own. */
class Stage {
  readonly world: World;
  readonly #actors: Actors;
  readonly #deliveries: Deliveries;
  readonly #wish: Wish;
  #granted = false;
  /** Whether somebody was told so. */
  #cancelled = false;

  constructor(wish: Wish, defect: Defect, faults: SagaFaults) {
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
    await untilQuiet(world, this.#actors, this.#deliveries);
    const events = eventsOf(world, orderId);
    const wrong = wrongsAtRest(world, { units });
    const end = events.length > 0 ? fold(events).status : 'none';
    if (this.#cancelled && end !== 'cancelled') wrong.push(`a cancelled order is ${end}`);
    return { end, wrong };
  }
}
