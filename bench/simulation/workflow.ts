import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pascalCase } from '../../lib/constructs/service-function.ts';

/** The functions of Task states, by name as in their specs. */
export type Tasks = Readonly<Record<string, (input: any) => Promise<unknown>>>;

/** What befalls a task; `undefined` lets it run. */
export type TaskFault = (state: string, task: () => Promise<unknown>) => Promise<unknown>;

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

/** Makes a run begin again with its first input, as an Express workflow may. */
export const startAgain = 'Simulated.StartAgain';

const folder = join(import.meta.dirname, '../../statemachines');
const stateFields: Readonly<Record<string, readonly string[]>> = {
  Task: ['Resource', 'InputPath', 'ResultPath', 'TimeoutSeconds', 'Retry', 'Next', 'End'],
  Choice: ['Choices', 'Default'],
  Pass: ['Next', 'End'],
  Succeed: [],
  Fail: ['Error', 'Cause'],
};

/**
 * A state machine from its file in `statemachines/`. Retries follow at once and nothing times out, unless there is a
 * `wait` by which time passes. What the file uses beyond this small part of the language is refused by name.
 */
export class Workflow {
  readonly #definition: any;
  readonly #tasks: Tasks;
  readonly #fault: TaskFault;
  readonly #wait: ((seconds: number) => Promise<void>) | undefined;

  /** @throws Error when a state uses what is not known here, or has no function */
  constructor(
    file: string,
    tasks: Tasks,
    fault: TaskFault = (_state, task) => task(),
    wait?: (seconds: number) => Promise<void>,
  ) {
    this.#definition = definitionOf(file);
    this.#tasks = tasks;
    this.#fault = fault;
    this.#wait = wait;
    for (const name of taskStates(file)) this.#taskOf(name);
  }

  async run(input: unknown): Promise<Ended> {
    const ended = await this.#inTime(this.#definition.TimeoutSeconds, this.#once(input)).catch(
      (error: Error): Ended => ({ ended: 'failed', error: error.name }),
    );
    return ended.error === startAgain ? this.run(input) : ended;
  }

  async #once(input: unknown): Promise<Ended> {
    let data: any = structuredClone(input);
    for (let name: string | undefined = this.#definition.StartAt; name !== undefined; ) {
      const state = this.#definition.States[name];
      try {
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
    const task = this.#taskOf(name);
    const input = at(data, state.InputPath ?? '$');
    const retried = new Map<any, number>();
    for (;;) {
      try {
        const result = await this.#inTime(
          state.TimeoutSeconds,
          this.#fault(name, () => task(structuredClone(input))),
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

  #taskOf(name: string): (input: any) => Promise<unknown> {
    const resource: string = this.#definition.States[name].Resource;
    const task = Object.entries(this.#tasks).find(([one]) => resource === `\${${pascalCase(one)}Arn}`)?.[1];
    if (!task) throw new Error(`no function for ${name}: ${resource}`);
    return task;
  }
}

/** The names of a file's Task states. */
export function taskStates(file: string): string[] {
  const states = Object.entries<any>(definitionOf(file).States);
  return states.filter(([, { Type }]) => Type === 'Task').map(([name]) => name);
}

const definitions = new Map<string, any>();

function definitionOf(file: string): any {
  let definition = definitions.get(file);
  if (!definition) {
    definition = JSON.parse(readFileSync(join(folder, `${file}.asl.json`), 'utf8'));
    for (const [name, { Type, Comment: _, ...state }] of Object.entries<any>(definition.States)) {
      const known = stateFields[Type];
      const strange = Object.keys(state).filter((field) => !known?.includes(field));
      if (!known || strange.length > 0)
        throw new Error(`${file}, ${name}: ${Type} ${strange} is not known here`);
    }
    definitions.set(file, definition);
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
  if (names.includes('States.ALL') || names.includes(error.name)) return true;
  return names.includes('States.TaskFailed') && error.name !== 'States.Timeout';
}
