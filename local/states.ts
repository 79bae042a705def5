import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { StateMachine } from 'aws-local-stepfunctions';
import { type LambdaTask, readDefinition } from './asl.ts';
import { executionLogBytes } from './log-bytes.ts';
import { requireOperator } from './operator.ts';
import { type InterpreterEvent, renderHistory } from './states-history.ts';
import { throttled } from './throttling.ts';
import { transaction } from './transaction.ts';
import { AwsError, type Caller, type Resource, type Runtime, type Service } from './types.ts';

/*
 * State machines, interpreted by aws-local-stepfunctions. Retry delays and Wait states take real time.
 * AWS: https://docs.aws.amazon.com/step-functions/latest/apireference/
 */

/** Ended executions kept for reading. */
const keptExecutions = 10_000;
const maxInputBytes = 262_144;

interface Machine {
  readonly arn: string;
  readonly name: string;
  readonly resource: Resource;
  readonly roleArn: string;
  readonly express: boolean;
  readonly tasks: ReadonlyMap<string, LambdaTask>;
  /** Parsing takes about 100 ms, so it is done once and not before it is needed. */
  readonly interpreter: () => Promise<StateMachine>;
}

interface ExecutionRow {
  readonly seq: number;
  readonly arn: string;
  readonly machine: string;
  readonly name: string;
  readonly status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  readonly input: string;
  readonly output: string | null;
  readonly error: string | null;
  readonly cause: string | null;
  readonly started_at: number;
  readonly stopped_at: number | null;
}

interface Running {
  abort(): void;
  readonly events: InterpreterEvent[];
  readonly ended: Promise<void>;
  /** What StopExecution said. */
  reason?: { readonly error: string | undefined; readonly cause: string | undefined };
}

/** Names a task's failure for Retry and Catch. */
class TaskFailure extends Error {
  constructor(name: string, cause: string) {
    super(cause);
    this.name = name;
  }
}

/** AWS Step Functions: every state machine of the template, Express and Standard. */
export function createStates(runtime: Runtime): Service {
  const { db, clock, iam } = runtime;
  db.exec(`
    CREATE TABLE IF NOT EXISTS states_executions (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, arn TEXT NOT NULL UNIQUE, machine TEXT NOT NULL, name TEXT NOT NULL,
      status TEXT NOT NULL, input TEXT NOT NULL, output TEXT, error TEXT, cause TEXT,
      started_at INTEGER NOT NULL, stopped_at INTEGER, history TEXT NOT NULL DEFAULT '[]');
    CREATE INDEX IF NOT EXISTS states_executions_machine ON states_executions (machine, seq);`);
  const columns = 'seq, arn, machine, name, status, input, output, error, cause, started_at, stopped_at';
  const sql = {
    insert: db.prepare(
      `INSERT INTO states_executions (arn, machine, name, status, input, started_at) VALUES (?, ?, ?, 'RUNNING', ?, ?)`,
    ),
    end: db.prepare(
      `UPDATE states_executions SET status = ?, output = ?, error = ?, cause = ?, stopped_at = ?, history = ?
       WHERE arn = ?`,
    ),
    forget: db.prepare(`DELETE FROM states_executions WHERE seq <= ? AND status <> 'RUNNING'`),
    read: db.prepare(`SELECT ${columns} FROM states_executions WHERE arn = ?`),
    history: db.prepare('SELECT history FROM states_executions WHERE arn = ?'),
    running: db.prepare(`SELECT ${columns} FROM states_executions WHERE status = 'RUNNING' ORDER BY seq`),
    list: db.prepare(
      `SELECT ${columns} FROM states_executions
       WHERE ($machine IS NULL OR machine = $machine) AND ($status IS NULL OR status = $status) AND seq < $before
       ORDER BY seq DESC LIMIT $limit`,
    ),
  };
  const machines = new Map<string, Machine>();
  for (const resource of runtime.resources('AWS::StepFunctions::StateMachine'))
    machines.set(resource.arn, readMachine(runtime, resource));
  const executions = new Map<string, Running>();
  let stopping = false;

  function findMachine(arn: unknown): Machine {
    const machine = machines.get(String(arn));
    if (!machine) throw new AwsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
    return machine;
  }

  function findExecution(arn: unknown): ExecutionRow {
    const row = sql.read.get(String(arn)) as ExecutionRow | undefined;
    if (!row) throw new AwsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
    return row;
  }

  /** @throws AwsError `ThrottlingException` beyond the rate at which executions of the machine's type may start */
  function demandRate({ express }: Machine): void {
    const taken = express
      ? runtime.limits.take('states.expressStartRate', { burst: 'states.expressStartBurst' })
      : runtime.limits.take('states.standardStartRate', { burst: 'states.standardStartBurst' });
    if (!taken) throw throttled('states', 'StartExecution');
  }

  /** Records the execution and begins it; answers its ARN. */
  function begin(machine: Machine, input: any): ExecutionRow {
    demandRate(machine);
    const name = input.name ?? randomUUID();
    if (!/^[^\s<>{}[\]?*"#%\\^|~`$&,;:/]{1,80}$/.test(name))
      throw new AwsError('InvalidName', `Invalid Name: '${name}'`);
    const text = input.input ?? '{}';
    if (Buffer.byteLength(text) > maxInputBytes || !isJson(text))
      throw new AwsError('InvalidExecutionInput', 'Invalid State Machine Execution Input');
    const prefix = machine.arn.replace(':stateMachine:', machine.express ? ':express:' : ':execution:');
    const arn = machine.express ? `${prefix}:${name}:${randomUUID()}` : `${prefix}:${name}`;
    const known = sql.read.get(arn) as ExecutionRow | undefined;
    if (known?.status === 'RUNNING' && known.input === text) return known;
    if (known) throw new AwsError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
    transaction(db, () => {
      const { lastInsertRowid } = sql.insert.run(arn, machine.arn, name, text, clock.now());
      sql.forget.run(Number(lastInsertRowid) - keptExecutions);
    });
    const row = findExecution(arn);
    execute(machine, row);
    return row;
  }

  function execute(machine: Machine, row: ExecutionRow): void {
    let aborted = false;
    const running: Running = {
      abort: () => {
        aborted = true;
      },
      events: [],
      ended: interpret().finally(() => executions.delete(row.arn)),
    };
    executions.set(row.arn, running);

    async function interpret(): Promise<void> {
      const interpreter = await machine.interpreter();
      const run = interpreter.run(JSON.parse(row.input), {
        // Members of the context object that definitions may use; see asl.ts for Run.
        context: {
          Run: {
            Id: row.arn,
            Name: row.name,
            RoleArn: machine.roleArn,
            StartTime: new Date(row.started_at).toISOString(),
            Input: JSON.parse(row.input),
          },
          StateMachine: { Id: machine.arn, Name: machine.name },
        } as any,
        overrides: { taskResourceLocalHandlers: handlers(machine) as any },
      });
      running.abort = run.abort;
      if (aborted) run.abort();
      const logged = readLog(run.eventLogs, running.events);
      const ended = await outcome(run.result);
      await logged;
      // A cloud that stops ends its functions. Executions under way did not fail: they run again after the start.
      if (stopping) return;
      const reason = ended.status === 'ABORTED' ? running.reason : {};
      const { status, output = null, error = null, cause = null } = { ...ended, ...reason };
      const history = renderHistory(running.events, machine.tasks, machine.roleArn, clock.offset);
      sql.end.run(status, output, error, cause, clock.now(), JSON.stringify(history), row.arn);
      meterExecution(machine, running.events, history.length, status !== 'SUCCEEDED');
    }
  }

  /** Standard: state transitions. Express: a request, and 64 MB for as long as it ran, in steps of 100 ms. */
  function meterExecution(
    machine: Machine,
    events: readonly InterpreterEvent[],
    historyLength: number,
    failed: boolean,
  ): void {
    const entered = events.filter(({ type }) => type === 'StateEntered');
    // Scheduled, started and succeeded: events of AWS's history that the interpreter does not tell of.
    const untold = 3 * entered.filter(({ state }) => state?.type === 'Task').length;
    const milliseconds = (events.at(-1)?.timestamp ?? 0) - (events[0]?.timestamp ?? 0);
    const billed = Math.max(100, Math.ceil(milliseconds / 100) * 100);
    const express = { expressRequests: 1, milliseconds, expressGbSeconds: (billed / 1000) * (64 / 1024) };
    runtime.meter.add({
      service: 'states',
      resource: machine.name,
      operation: 'Execution',
      by: '',
      counts: {
        statesEntered: entered.length,
        // The start of an execution is a transition, too.
        ...(machine.express ? express : { transitions: entered.length + 1 }),
        logBytes: executionLogBytes(machine.resource, historyLength + untold, failed),
      },
    });
  }

  function handlers(machine: Machine) {
    const entries = [...machine.tasks].map(([state, task]) => [
      state,
      (input: any) => invoke(machine, task, input),
    ]);
    return Object.fromEntries(entries);
  }

  async function invoke(machine: Machine, task: LambdaTask, input: any): Promise<unknown> {
    const request =
      task.kind === 'function'
        ? { FunctionName: task.resource, InvocationType: 'RequestResponse', Payload: input }
        : { InvocationType: 'RequestResponse', ...input };
    let answer: any;
    try {
      answer = await runtime.call('lambda', 'Invoke', request, { kind: 'role', roleArn: machine.roleArn });
    } catch (error) {
      throw new TaskFailure(serviceErrorName(error), error instanceof Error ? error.message : String(error));
    }
    if (answer.FunctionError)
      throw new TaskFailure(answer.Payload?.errorType ?? 'Lambda.Unknown', JSON.stringify(answer.Payload));
    return task.kind === 'function' ? (answer.Payload ?? null) : answer;
  }

  async function startSync(machine: Machine, input: any) {
    if (!machine.express)
      throw new AwsError(
        'StateMachineTypeNotSupported',
        'This operation is not supported by this type of state machine',
      );
    const row = begin(machine, input);
    await executions.get(row.arn)?.ended;
    if (stopping) throw new AwsError('ServiceUnavailable', 'The embedded cloud is stopping.', 503);
    return describe(findExecution(row.arn));
  }

  function list(input: any) {
    const limit = input.maxResults || 100;
    const rows = sql.list.all({
      $machine: input.stateMachineArn ?? null,
      $status: input.statusFilter ?? null,
      $before: input.nextToken ? Number(input.nextToken) : Number.MAX_SAFE_INTEGER,
      $limit: limit,
    }) as unknown as ExecutionRow[];
    const last = rows.at(-1);
    return {
      executions: rows.map((row) => {
        const { executionArn, stateMachineArn, name, status, startDate, stopDate } = describe(row);
        return { executionArn, stateMachineArn, name, status, startDate, ...(stopDate && { stopDate }) };
      }),
      ...(rows.length === limit && last && { nextToken: String(last.seq) }),
    };
  }

  function history(row: ExecutionRow, input: any) {
    const running = executions.get(row.arn);
    const machine = machines.get(row.machine);
    const events =
      running && machine
        ? renderHistory(running.events, machine.tasks, machine.roleArn, clock.offset)
        : JSON.parse((sql.history.get(row.arn) as { history: string }).history);
    return { events: input.reverseOrder ? events.toReversed() : events };
  }

  async function call(operation: string, input: any, caller: Caller): Promise<any> {
    switch (operation) {
      case 'StartExecution': {
        const machine = findMachine(input.stateMachineArn);
        iam.authorize(caller, 'states:StartExecution', machine.arn);
        const row = begin(machine, input);
        return { executionArn: row.arn, startDate: row.started_at / 1000 };
      }
      case 'StartSyncExecution': {
        const machine = findMachine(input.stateMachineArn);
        iam.authorize(caller, 'states:StartSyncExecution', machine.arn);
        return await startSync(machine, input);
      }
      case 'ListExecutions': {
        // The operator may leave the machine out and sees all of them.
        const machine = input.stateMachineArn === undefined ? undefined : findMachine(input.stateMachineArn);
        if (machine) iam.authorize(caller, 'states:ListExecutions', machine.arn);
        else requireOperator(caller);
        return list(input);
      }
      case 'WaitForExecution':
        requireOperator(caller);
        await executions.get(input.executionArn)?.ended;
        return describe(findExecution(input.executionArn));
      case 'DescribeExecution':
      case 'GetExecutionHistory':
      case 'StopExecution':
        break;
      default:
        throw new AwsError('UnknownOperationException', `states:${operation} is not emulated`);
    }
    iam.authorize(caller, `states:${operation}`, String(input.executionArn));
    const row = findExecution(input.executionArn);
    // AWS keeps no record of Express executions but logs; here the operator can read them.
    if (machines.get(row.machine)?.express && caller.kind !== 'operator')
      throw new AwsError(
        'StateMachineTypeNotSupported',
        'This operation is not supported by this type of state machine',
      );
    if (operation === 'DescribeExecution') return describe(row);
    if (operation === 'GetExecutionHistory') return history(row, input);
    const running = executions.get(row.arn);
    if (running) {
      running.reason = { error: input.error, cause: input.cause };
      running.abort();
      await running.ended;
    }
    return { stopDate: (findExecution(row.arn).stopped_at ?? clock.now()) / 1000 };
  }

  /**
   * Express executions of the last process are over: their source delivers again. Standard ones begin again from
   * their start, under the same name; AWS would go on where they were.
   */
  function resume(): void {
    for (const row of sql.running.all() as unknown as ExecutionRow[]) {
      const machine = machines.get(row.machine);
      if (machine && !machine.express) {
        runtime.log('states', `${row.arn} runs again from its beginning`);
        execute(machine, row);
      } else {
        runtime.log('states', `${row.arn} was ended by a restart`);
        sql.end.run('ABORTED', null, 'States.Runtime', 'The cloud was restarted', clock.now(), '[]', row.arn);
      }
    }
  }

  return {
    name: 'states',
    call,
    async start() {
      for (const machine of machines.values()) await machine.interpreter();
      resume();
    },
    async stop() {
      stopping = true;
      const under = [...executions.values()];
      for (const running of under) running.abort();
      await Promise.all(under.map((running) => running.ended));
    },
  };
}

function readMachine(runtime: Runtime, resource: Resource): Machine {
  const { properties, arn, stack, logicalId, type } = resource;
  const where = `${stack}/${logicalId} ${type}`;
  const express = properties.StateMachineType === 'EXPRESS';
  const { definition, tasks } = readDefinition(definitionOf(runtime, properties), express, where);
  let interpreter: Promise<StateMachine> | undefined;
  return {
    arn,
    name: arn.split(':').at(-1) as string,
    resource,
    roleArn: properties.RoleArn,
    express,
    tasks,
    interpreter() {
      interpreter ??= import('aws-local-stepfunctions')
        .then(({ StateMachine }) => new StateMachine(definition))
        .catch((error) => {
          throw new Error(`${where}: ${error.message}`);
        });
      return interpreter;
    },
  };
}

function definitionOf(runtime: Runtime, properties: Record<string, any>): unknown {
  if (properties.Definition) return properties.Definition;
  const text: string =
    properties.DefinitionString ?? readFileSync(runtime.asset(properties.DefinitionS3Location.Key), 'utf8');
  const substitutions: Record<string, unknown> = properties.DefinitionSubstitutions ?? {};
  return JSON.parse(
    text.replace(/\$\{([\w-]+)\}/g, (found, name) =>
      name in substitutions ? String(substitutions[name]) : found,
    ),
  );
}

async function readLog(log: AsyncIterable<unknown>, events: InterpreterEvent[]): Promise<void> {
  for await (const event of log) events.push(event as InterpreterEvent);
}

async function outcome(result: Promise<unknown>) {
  try {
    return { status: 'SUCCEEDED', output: JSON.stringify(await result) } as const;
  } catch (error: any) {
    if (error.name === 'ExecutionAbortedError') return { status: 'ABORTED' } as const;
    if (error.name === 'ExecutionTimeoutError')
      return { status: 'TIMED_OUT', error: 'States.Timeout' } as const;
    const cause = error.cause ?? error;
    return { status: 'FAILED', error: failureName(cause), cause: cause.message as string } as const;
  }
}

/** An exception of the interpreter itself is a States.Runtime error; a Fail state may have no name. */
function failureName(error: Error): string | undefined {
  if (error.name === 'FailStateError') return undefined;
  return /^(Type|Range|Syntax|Reference)?Error$/.test(error.name) && !(error instanceof TaskFailure)
    ? 'States.Runtime'
    : error.name;
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html */
function serviceErrorName(error: unknown): string {
  if (!(error instanceof AwsError) || error.status >= 500) return 'Lambda.ServiceException';
  return error.code === 'AccessDeniedException' ? 'Lambda.AWSLambdaException' : `Lambda.${error.code}`;
}

function describe(row: ExecutionRow) {
  return {
    executionArn: row.arn,
    stateMachineArn: row.machine,
    name: row.name,
    status: row.status,
    startDate: row.started_at / 1000,
    ...(row.stopped_at !== null && { stopDate: row.stopped_at / 1000 }),
    input: row.input,
    ...(row.output !== null && { output: row.output }),
    ...(row.error !== null && { error: row.error }),
    ...(row.cause !== null && { cause: row.cause }),
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
