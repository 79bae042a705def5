import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The functions of Task states, by name as in their specs. */
export type Tasks = Readonly<Record<string, (input: any) => Promise<unknown>>>;

/** What befalls a state. Only that of a Task has an effect; with the others there is nothing to `task`. */
export type StateFault = (state: string, task: () => Promise<unknown>, type: string) => Promise<unknown>;

/** A state machine; the `Resource` of a Task is its function's name, as in its spec. */
export interface Definition {
  readonly StartAt: string;
  readonly TimeoutSeconds?: number;
  readonly States: Readonly<Record<string, any>>;
}

/** How a run ended. */
export interface Ended {
  readonly ended: 'succeeded' | 'failed';
  readonly error: string;
}

/** The name of a failure, as Retry and Catch know it. */
export class TaskFailed extends Error {
  constructor(name: string) {
    super(name);
    this.name = name;
  }
}

/** Makes a run begin again with its first input, as an Express workflow may. No Retry knows it. */
export const startAgain = 'Simulated.StartAgain';
/** Ends a run as its own time limit does. No Retry knows it. */
export const outOfTime = 'Simulated.OutOfTime';

const folder = join(import.meta.dirname, '../../statemachines');
const stateFields: Readonly<Record<string, readonly string[]>> = {
  Task: ['Resource', 'InputPath', 'ResultPath', 'TimeoutSeconds', 'Retry', 'Next', 'End'],
  Choice: ['Choices', 'Default'],
  Pass: ['Next', 'End'],
  Succeed: [],
  Fail: ['Error', 'Cause'],
};

/**
 * Runs a state machine. Retries follow at once and nothing times out, unless there is a `wait` by which time passes.
 */
export class Workflow {
  readonly #definition: Definition;
  readonly #tasks: Tasks;
  readonly #fault: StateFault;
  readonly #wait: ((seconds: number) => Promise<void>) | undefined;

  /** @throws Error when a state has no function */
  constructor(
    definition: Definition,
    tasks: Tasks,
    fault: StateFault = (_state, task) => task(),
    wait?: (seconds: number) => Promise<void>,
  ) {
    this.#definition = definition;
    this.#tasks = tasks;
    this.#fault = fault;
    this.#wait = wait;
    for (const { Type, Resource } of Object.values(definition.States))
      if (Type === 'Task' && !tasks[Resource]) throw new Error(`there is no function ${Resource}`);
  }

  async run(input: unknown): Promise<Ended> {
    const ended = await this.#inTime(this.#definition.TimeoutSeconds, this.#once(input)).catch(
      (error: Error): Ended => ({ ended: 'failed', error: error.name }),
    );
    if (ended.error === startAgain) return this.run(input);
    return ended.error === outOfTime ? { ended: 'failed', error: 'States.Timeout' } : ended;
  }

  async #once(input: unknown): Promise<Ended> {
    let data: any = structuredClone(input);
    for (let name: string | undefined = this.#definition.StartAt; name !== undefined; ) {
      const state: any = this.#definition.States[name];
      try {
        if (state.Type !== 'Task') await this.#fault(name, async () => {}, state.Type);
        if (state.Type === 'Fail') return { ended: 'failed', error: state.Error };
        if (state.Type === 'Choice') name = chosen(state, data);
        else {
          if (state.Type === 'Task') data = await this.#task(name, state, data);
          name = state.Next;
        }
      } catch (error) {
        return { ended: 'failed', error: error instanceof Error ? error.name : String(error) };
      }
    }
    return { ended: 'succeeded', error: '' };
  }

  async #task(name: string, state: any, data: any): Promise<any> {
    const task = this.#tasks[state.Resource]!;
    const input = at(data, state.InputPath ?? '$');
    const retried = new Map<any, number>();
    for (;;) {
      try {
        const result = await this.#inTime(
          state.TimeoutSeconds,
          this.#fault(name, () => task(structuredClone(input)), state.Type),
        );
        return placed(data, state.ResultPath ?? '$', structuredClone(result));
      } catch (error) {
        const retrier = (state.Retry ?? []).find((one: any) => catches(one.ErrorEquals, error as Error));
        const times = retried.get(retrier) ?? 0;
        if (!retrier || times >= (retrier.MaxAttempts ?? 3)) throw error;
        retried.set(retrier, times + 1);
        await this.#wait?.((retrier.IntervalSeconds ?? 1) * (retrier.BackoffRate ?? 2) ** times);
      }
    }
  }

  /** Fails once the time is over; what was begun goes on. */
  #inTime<T>(seconds: number | undefined, work: Promise<T>): Promise<T> {
    if (!this.#wait || seconds === undefined) return work;
    const over = this.#wait(seconds).then(() => {
      throw new TaskFailed('States.Timeout');
    });
    // It may come when nobody waits any more.
    over.catch(() => {});
    return Promise.race([work, over]);
  }
}

const sources = new Map<string, Definition>();

/**
 * The state machine of a file in `statemachines/`: each placeholder stands for the function of its name. That this is
 * what is deployed, test/stacks/workflows.test.ts says.
 */
export function sourceOf(file: string): Definition {
  const known = sources.get(file);
  if (known) return known;
  const text = readFileSync(join(folder, `${file}.asl.json`), 'utf8');
  const definition = definitionOf(text, (placeholder) =>
    placeholder
      .replace(/Arn$/, '')
      .replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
      .slice(1),
  );
  sources.set(file, definition);
  return definition;
}

/**
 * Reads a state machine.
 * @param functionOf the name of the function that a placeholder is substituted by
 * @throws Error when a state uses what is beyond the small part of the language that is known here
 */
export function definitionOf(text: string, functionOf: (placeholder: string) => string): Definition {
  const definition = JSON.parse(text.replace(/\$\{(\w+)\}/g, (_, placeholder) => functionOf(placeholder)));
  for (const [name, { Type, Comment: _, ...state }] of Object.entries<any>(definition.States)) {
    const known = stateFields[Type];
    const strange = Object.keys(state).filter((field) => !known?.includes(field));
    if (!known || strange.length > 0) throw new Error(`${name}: ${Type} ${strange} is not known here`);
  }
  return definition;
}

function chosen(state: any, data: any): string {
  const found = state.Choices.find((choice: any) => {
    const { Variable, Next: _, Comment: __, ...test } = choice;
    const value = at(data, Variable);
    const [[operator, operand] = []] = Object.entries(test);
    if (operator === 'StringEquals') return value === operand;
    if (operator === 'BooleanEquals') return value === operand;
    if (operator === 'IsPresent') return (value !== undefined) === operand;
    throw new Error(`the choice by ${operator} is not known here`);
  });
  return found?.Next ?? state.Default;
}

function at(data: any, path: string): any {
  if (!/^\$(\.\w+)*$/.test(path)) throw new Error(`the path ${path} is not known here`);
  return path
    .split('.')
    .slice(1)
    .reduce((value, name) => value?.[name], data);
}

function placed(data: any, path: string, result: unknown): any {
  if (path === '$') return result;
  const [, name, ...deeper] = path.split('.');
  if (!name || deeper.length > 0) throw new Error(`the ResultPath ${path} is not known here`);
  return { ...data, [name]: result };
}

function catches(names: readonly string[], error: Error): boolean {
  if (error.name === startAgain || error.name === outOfTime) return false;
  if (names.includes('States.ALL') || names.includes(error.name)) return true;
  return names.includes('States.TaskFailed') && error.name !== 'States.Timeout';
}
