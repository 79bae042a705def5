import type { Touch } from './writes.ts';

/** One call of a port: it takes effect at one moment, which the scheduler chooses. */
export interface Step {
  /** `<actor>:<n>`: the same whenever the same choices led here. */
  readonly id: string;
  readonly actor: string;
  /** For people. */
  readonly what: string;
  readonly touches: readonly Touch[];
  /** What it tells the checks, or they look at when it is taken: the order of such steps matters to them alone. */
  readonly judged?: readonly Touch[];
  /** Whether it is a transaction, which meets other writes in flight. */
  readonly transaction: boolean;
  readonly run: () => unknown;
  /** The answer when the place is at its limit; absent where there is no limit. */
  readonly throttle?: () => Error;
  /** Does a part of what was asked, and answers what is left; absent where all or nothing is done. */
  readonly partly?: () => unknown;
  /** The answer when it loses against writes in flight at these places; absent when it cannot. */
  readonly lose?: (contended: (touch: Touch) => boolean) => Error;
}

/** How a call of a port goes wrong. */
export type Mishap =
  /** It never arrives. */
  | 'lost'
  /** It takes effect, and its answer is lost. */
  | 'unanswered'
  /** It takes effect, its answer is lost, and the client sends it once more. */
  | 'repeated'
  /** As `repeated`, but others come in between. */
  | 'repeated-later'
  /** The database or provider refuses it for the time being. */
  | 'throttled'
  /** Of a batch, some is left undone. */
  | 'partly'
  /** The caller gives up, and it takes effect at some time afterwards. */
  | 'late'
  /** The caller ends, before or after the effect: nobody hears anything any more. */
  | 'ends-before'
  | 'ends-after';

interface Pending extends Step {
  readonly settle: (answer: { value: unknown } | { error: unknown }) => void;
}

/**
 * Holds every call of a port until it is chosen. What an actor does between two calls is its own business: it
 * happens at once.
 */
export class Gate {
  readonly #pending = new Map<string, Pending>();
  readonly #issued = new Map<string, number>();
  readonly #ended = new Set<string>();
  /** Steps taken, for the record of a schedule. */
  readonly taken: string[] = [];
  /** Decides what goes wrong with a step; nothing unless set. */
  mishap: (step: Step) => Mishap | undefined = () => undefined;
  /** Hears of every step when it is asked for. */
  issued: (step: Step) => void = () => {};
  /** Hears of every actor that ends in the middle of its work. */
  ended: (actor: string) => void = () => {};
  /** The error of a call whose answer is lost. */
  readonly #lostAnswer: (step: Step) => Error;

  constructor(lostAnswer: (step: Step) => Error) {
    this.#lostAnswer = lostAnswer;
  }

  /** Waits until the scheduler takes the step, and answers what it answered. */
  call<T>(step: Omit<Step, 'id'>): Promise<T> {
    const number = (this.#issued.get(step.actor) ?? 0) + 1;
    this.#issued.set(step.actor, number);
    const id = `${step.actor}:${number}`;
    return new Promise<T>((resolve, reject) => {
      this.#add({
        ...step,
        id,
        settle: (answer) => ('error' in answer ? reject(answer.error) : resolve(answer.value as T)),
      });
    });
  }

  #add(step: Pending): void {
    this.#pending.set(step.id, step);
    this.issued(step);
  }

  /** The step that waits under this id. */
  waiting(id: string): Step | undefined {
    return this.#pending.get(id);
  }

  /** The actor's process is gone: nobody hears the answers to what it has asked for. */
  end(actor: string): void {
    if (this.#ended.has(actor)) return;
    this.#ended.add(actor);
    this.ended(actor);
  }

  get pending(): readonly Step[] {
    return [...this.#pending.values()].filter(({ actor }) => !this.#ended.has(actor));
  }

  /** Whether the actor ended in the middle of its work. */
  hasEnded(actor: string): boolean {
    return this.#ended.has(actor);
  }

  /** Takes the step, with its mishap if it has one; ends when every actor waits again. */
  async take(id: string): Promise<void> {
    const step = this.#remove(id);
    const mishap = this.mishap(step);
    this.taken.push(mishap ? `${step.id} ${step.what} (${mishap})` : `${step.id} ${step.what}`);
    const answer = await this.#carryOut(step, mishap);
    if (answer) step.settle(answer);
    await everybodyWaits();
  }

  /** The step loses against a write in flight: it has no effect. */
  async lose(id: string): Promise<void> {
    const step = this.#remove(id);
    this.taken.push(`${step.id} ${step.what} (conflict)`);
    const others = this.pending
      .filter((other) => meetInFlight(step, other))
      .flatMap(({ touches }) => touches);
    const contended = (touch: Touch) => others.some((other) => other.write && overlap(touch, other));
    step.settle({ error: step.lose!(contended) });
    await everybodyWaits();
  }

  /** What an actor had sent before it ended: it arrives, or it does not. */
  async land(id: string, arrives: boolean): Promise<void> {
    const step = this.#remove(id);
    if (!arrives) return;
    this.taken.push(`${step.id} ${step.what} (nobody waits)`);
    await outcomeOf(step.run);
    await everybodyWaits();
  }

  async #carryOut(step: Pending, mishap: Mishap | undefined) {
    switch (mishap) {
      case undefined:
        return outcomeOf(step.run);
      case 'lost':
        return { error: this.#lostAnswer(step) };
      case 'unanswered':
        await outcomeOf(step.run);
        return { error: this.#lostAnswer(step) };
      case 'repeated':
        await outcomeOf(step.run);
        return outcomeOf(step.run);
      case 'repeated-later':
        await outcomeOf(step.run);
        this.#add({ ...step, id: `${step.id}~again` });
        return undefined;
      case 'throttled':
        return { error: step.throttle!() };
      case 'partly':
        return outcomeOf(step.partly!);
      case 'late':
        this.call({ ...step, actor: `${step.actor}~late`, what: `${step.what}, arriving late` }).catch(
          () => {},
        );
        return { error: this.#lostAnswer(step) };
      case 'ends-before':
        this.end(step.actor);
        return undefined;
      case 'ends-after':
        await outcomeOf(step.run);
        this.end(step.actor);
        return undefined;
    }
  }

  #remove(id: string): Pending {
    const step = this.#pending.get(id);
    if (!step) throw new Error(`no step ${id} is pending: the run is not a function of its choices`);
    this.#pending.delete(id);
    return step;
  }
}

async function outcomeOf(run: () => unknown): Promise<{ value: unknown } | { error: unknown }> {
  try {
    return { value: await run() };
  } catch (error) {
    return { error };
  }
}

/** Promises settle before the next tick: by then every actor waits for a step, or is done. */
export function everybodyWaits(): Promise<void> {
  return new Promise((done) => process.nextTick(done));
}

export function overlap(a: Touch, b: Touch): boolean {
  return a.place === b.place && (a.sk === undefined || b.sk === undefined || a.sk === b.sk);
}

/** Whether the order of the two matters: one writes what the other touches. */
export function dependent(a: readonly Touch[], b: readonly Touch[]): boolean {
  return a.some((one) => b.some((other) => (one.write || other.write) && overlap(one, other)));
}

/** Two writes of one item, a transaction among them: either may be told of a conflict, as on AWS. */
export function meetInFlight(step: Step, other: Step): boolean {
  if (step.id === other.id || !step.lose || !other.lose) return false;
  if (!step.transaction && !other.transaction) return false;
  return step.touches.some((one) => one.write && other.touches.some((two) => two.write && overlap(one, two)));
}
