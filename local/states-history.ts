import type { LambdaTask } from './asl.ts';

/** What the interpreter reports, as far as it is read here. */
export interface InterpreterEvent {
  readonly type: string;
  /** Milliseconds of real time. */
  readonly timestamp: number;
  readonly state?: {
    readonly name: string;
    readonly type: string;
    readonly input: unknown;
    readonly output?: unknown;
  };
  readonly parentState?: { readonly name: string };
  readonly index?: number;
  readonly input?: unknown;
  readonly output?: unknown;
  readonly Error?: string;
  readonly Cause?: unknown;
}

/**
 * The events of an execution as GetExecutionHistory answers them. The interpreter does not tell when a task was
 * scheduled or tried again: a retry shows as a further failure or as the state's exit.
 * @param offset milliseconds that the cloud's clock is ahead of real time
 */
export function renderHistory(
  events: readonly InterpreterEvent[],
  tasks: ReadonlyMap<string, LambdaTask>,
  roleArn: string,
  offset: number,
): object[] {
  return events
    .flatMap((event) => {
      const details = render(event, tasks, roleArn);
      return details ? [{ timestamp: (event.timestamp + offset) / 1000, ...details }] : [];
    })
    .map((event, index) => ({ id: index + 1, previousEventId: index, ...event }));
}

function render(
  event: InterpreterEvent,
  tasks: ReadonlyMap<string, LambdaTask>,
  roleArn: string,
): object | undefined {
  const { type, state } = event;
  const failure = { error: event.Error, cause: text(event.Cause) };
  switch (type) {
    case 'ExecutionStarted':
      return { type, executionStartedEventDetails: { input: JSON.stringify(event.input), roleArn } };
    case 'ExecutionSucceeded':
      return { type, executionSucceededEventDetails: { output: JSON.stringify(event.output) } };
    case 'ExecutionFailed':
      return { type, executionFailedEventDetails: failure };
    case 'ExecutionAborted':
      return { type };
    case 'ExecutionTimeout':
      return { type: 'ExecutionTimedOut' };
    case 'StateEntered':
      return {
        type: `${state?.type}StateEntered`,
        stateEnteredEventDetails: { name: state?.name, input: JSON.stringify(state?.input) },
      };
    case 'StateExited':
      return {
        type: `${state?.type}StateExited`,
        stateExitedEventDetails: { name: state?.name, output: JSON.stringify(state?.output) },
      };
    case 'StateFailed': {
      if (state?.type !== 'Task') return undefined;
      const task = tasks.get(state.name);
      return task?.kind === 'function'
        ? { type: 'LambdaFunctionFailed', lambdaFunctionFailedEventDetails: failure }
        : {
            type: 'TaskFailed',
            taskFailedEventDetails: { resourceType: 'lambda', resource: 'invoke', ...failure },
          };
    }
    case 'MapIterationStarted':
    case 'MapIterationSucceeded':
    case 'MapIterationFailed': {
      const member = `${type[0]?.toLowerCase()}${type.slice(1)}EventDetails`;
      return { type, [member]: { name: event.parentState?.name, index: event.index } };
    }
    default:
      return undefined;
  }
}

function text(cause: unknown): string | undefined {
  return cause === undefined || typeof cause === 'string' ? cause : String(cause);
}
