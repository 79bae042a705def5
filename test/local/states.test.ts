import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { readDefinition } from '../../local/asl.ts';
import { createStates } from '../../local/states.ts';
import { AwsError } from '../../local/types.ts';
import { type FakeRuntime, fakeRuntime, operator, resource } from './support/runtime.ts';

const worker = { kind: 'role', roleArn: 'arn:aws:iam::111122223333:role/worker' } as const;
const roleArn = 'arn:aws:iam::111122223333:role/machine';
const machineArn = 'arn:aws:states:eu-west-1:111122223333:stateMachine:machine';
const functionArn = (name: string) => `arn:aws:lambda:eu-west-1:111122223333:function:${name}`;

type Handler = (input: any) => unknown;

function cloud(
  definition: object,
  functions: Record<string, Handler> = {},
  properties: object = {},
): FakeRuntime {
  const runtime = fakeRuntime({
    resources: [
      resource(
        'AWS::StepFunctions::StateMachine',
        'machine',
        {
          RoleArn: roleArn,
          StateMachineType: 'EXPRESS',
          DefinitionString: JSON.stringify(definition),
          ...properties,
        },
        machineArn,
        machineArn,
      ),
    ],
  });
  answerWith(runtime, functions);
  return runtime;
}

function answerWith(runtime: FakeRuntime, functions: Record<string, Handler>): void {
  runtime.answer('lambda', async (_operation, input) => {
    const name = input.FunctionName.split(':').at(-1);
    try {
      return { StatusCode: 200, Payload: await functions[name]?.(input.Payload) };
    } catch (error: any) {
      if (error instanceof AwsError) throw error;
      const Payload = { errorType: error.name, errorMessage: error.message, trace: [] };
      return { StatusCode: 200, FunctionError: 'Unhandled', Payload };
    }
  });
}

async function run(definition: object, input: unknown, functions: Record<string, Handler> = {}) {
  const states = cloud(definition, functions).use(createStates);
  const request = { stateMachineArn: machineArn, input: JSON.stringify(input) };
  const answer = await states.call('StartSyncExecution', request, worker);
  return { ...answer, output: answer.output && JSON.parse(answer.output) };
}

/** A machine of one state, which ends. */
function only(state: object): object {
  return { StartAt: 'Only', States: { Only: { End: true, ...state } } };
}

function named(name: string, message = 'no'): Error {
  return Object.assign(new Error(message), { name });
}

const task = (name: string, more: object = {}) => ({ Type: 'Task', Resource: functionArn(name), ...more });

describe('a state machine', () => {
  const saga = {
    StartAt: 'Authorise',
    TimeoutSeconds: 30,
    States: {
      Authorise: {
        Type: 'Task',
        Resource: 'arn:aws:states:::lambda:invoke',
        Parameters: { FunctionName: functionArn('authorise'), 'Payload.$': '$' },
        ResultSelector: { 'id.$': '$.Payload.id' },
        ResultPath: '$.authorisation',
        Catch: [{ ErrorEquals: ['payment-declined'], ResultPath: '$.failure', Next: 'Release' }],
        Next: 'Capture',
      },
      Capture: task('capture', {
        ResultPath: '$.capture',
        Retry: [{ ErrorEquals: ['provider-busy'], IntervalSeconds: 1, MaxAttempts: 2, BackoffRate: 1 }],
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'Void' }],
        End: true,
      }),
      Void: task('void', { ResultPath: null, Next: 'Release' }),
      Release: task('release', { ResultPath: null, Next: 'Declined' }),
      Declined: { Type: 'Pass', Parameters: { 'reason.$': '$.failure.Error' }, End: true },
    },
  };

  test('runs a saga to its end as its role', async () => {
    const runtime = cloud(saga, { authorise: () => ({ id: 'auth_1' }), capture: () => 'done' });
    const states = runtime.use(createStates);
    const request = { stateMachineArn: machineArn, input: '{"orderId":"ord_1"}' };
    const answer = await states.call('StartSyncExecution', request, worker);
    expect(answer).toMatchObject({
      status: 'SUCCEEDED',
      stateMachineArn: machineArn,
      startDate: expect.any(Number),
    });
    expect(JSON.parse(answer.output)).toEqual({
      orderId: 'ord_1',
      authorisation: { id: 'auth_1' },
      capture: 'done',
    });
    expect(runtime.calls.map((call) => call.caller)).toEqual([
      { kind: 'role', roleArn },
      { kind: 'role', roleArn },
    ]);
    const { events } = await states.call(
      'GetExecutionHistory',
      { executionArn: answer.executionArn },
      operator,
    );
    expect(events.map((event: any) => [event.id, event.type, nameIn(event)])).toEqual([
      [1, 'ExecutionStarted', undefined],
      [2, 'TaskStateEntered', 'Authorise'],
      [3, 'TaskStateExited', 'Authorise'],
      [4, 'TaskStateEntered', 'Capture'],
      [5, 'TaskStateExited', 'Capture'],
      [6, 'ExecutionSucceeded', undefined],
    ]);
  });

  test('compensates by the name of a function error', async () => {
    const ran: string[] = [];
    const answer = await run(
      saga,
      { orderId: 'ord_1' },
      {
        authorise: () => {
          throw named('payment-declined');
        },
        release: () => ran.push('release'),
      },
    );
    expect(answer).toMatchObject({ status: 'SUCCEEDED', output: { reason: 'payment-declined' } });
    expect(ran).toEqual(['release']);
  });

  test('retries, then catches anything and compensates in order', async () => {
    const ran: string[] = [];
    const answer = await run(
      saga,
      {},
      {
        authorise: () => ({ id: 'auth_1' }),
        capture: () => {
          ran.push('capture');
          throw named(ran.length < 2 ? 'provider-busy' : 'capture-refused');
        },
        void: () => ran.push('void'),
        release: () => ran.push('release'),
      },
    );
    expect(ran).toEqual(['capture', 'capture', 'void', 'release']);
    expect(answer.output).toEqual({ reason: 'capture-refused' });
  });

  function nameIn(event: any): string | undefined {
    return (event.stateEnteredEventDetails ?? event.stateExitedEventDetails)?.name;
  }
});

describe('a task failure', () => {
  const caught = (errors: string[], more: object = {}) => ({
    StartAt: 'Work',
    States: {
      Work: task('work', { ...more, Catch: [{ ErrorEquals: errors, Next: 'Caught' }], End: true }),
      Caught: { Type: 'Pass', End: true },
    },
  });

  test.each<[string, string, Error]>([
    ['a function error', 'order-not-found', named('order-not-found')],
    ['a missing permission', 'Lambda.AWSLambdaException', new AwsError('AccessDeniedException', 'no', 403)],
    ['throttling', 'Lambda.TooManyRequestsException', new AwsError('TooManyRequestsException', 'no', 429)],
    ['a service error', 'Lambda.ServiceException', new AwsError('ServiceException', 'no', 500)],
  ])('by %s is named %s and caught by name, States.TaskFailed and States.ALL', async (_case, name, error) => {
    const work = () => {
      throw error;
    };
    for (const catcher of [name, 'States.TaskFailed', 'States.ALL'])
      expect((await run(caught([catcher]), {}, { work })).output).toMatchObject({ Error: name });
    const uncaught = await run(caught(['another-name']), {}, { work });
    expect(uncaught).toMatchObject({ status: 'FAILED', error: name });
  });

  test('gives the cause of a function error as JSON', async () => {
    const work = () => {
      throw named('declined', 'card 1');
    };
    const { output } = await run(caught(['declined']), {}, { work });
    expect(JSON.parse(output.Cause)).toMatchObject({ errorType: 'declined', errorMessage: 'card 1' });
  });

  test('by time is States.Timeout, which States.TaskFailed does not match', async () => {
    const work = () => new Promise(() => {});
    const limited = { TimeoutSeconds: 1 };
    const [byName, byFailure] = await Promise.all([
      run(caught(['States.Timeout'], limited), {}, { work }),
      run(caught(['States.TaskFailed'], limited), {}, { work }),
    ]);
    expect(byName).toMatchObject({ status: 'SUCCEEDED', output: { Error: 'States.Timeout' } });
    expect(byFailure).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
  });

  test('by the time of the machine ends it as TIMED_OUT', async () => {
    const definition = { ...only(task('work')), TimeoutSeconds: 1 };
    const answer = await run(definition, {}, { work: () => new Promise(() => {}) });
    expect(answer).toMatchObject({ status: 'TIMED_OUT', error: 'States.Timeout' });
  });
});

describe('the language', () => {
  const choose = (rule: object) => ({
    StartAt: 'Choose',
    States: {
      Choose: { Type: 'Choice', Choices: [{ ...rule, Next: 'Yes' }], Default: 'No' },
      Yes: { Type: 'Pass', Result: 'yes', End: true },
      No: { Type: 'Pass', Result: 'no', End: true },
    },
  });

  test.each<[object, string]>([
    [{ Variable: '$.status', StringEquals: 'paid' }, 'yes'],
    [{ Variable: '$.missing', IsPresent: true }, 'no'],
    [{ Variable: '$.missing', IsPresent: false }, 'yes'],
    [{ Variable: '$.status', IsPresent: false }, 'no'],
    [{ Variable: '$.nothing', IsNull: false }, 'no'],
    [{ Variable: '$.status', IsNull: false }, 'yes'],
    [
      {
        And: [
          { Variable: '$.total', NumericGreaterThan: 5 },
          { Variable: '$.total', IsNumeric: true },
        ],
      },
      'yes',
    ],
    [
      {
        Or: [
          { Variable: '$.missing', IsPresent: true },
          { Variable: '$.ok', BooleanEquals: true },
        ],
      },
      'yes',
    ],
    [{ Not: { Variable: '$.missing', IsPresent: false } }, 'no'],
  ])('chooses by %j: %s', async (rule, expected) => {
    const input = { status: 'paid', total: 10, nothing: null, ok: true };
    expect((await run(choose(rule), input)).output).toBe(expected);
  });

  test.each<[string, object, unknown, unknown]>([
    [
      'Pass with a result',
      { Type: 'Pass', Result: { a: 1 }, ResultPath: '$.b.c' },
      {},
      { b: { c: { a: 1 } } },
    ],
    ['ResultPath $', { Type: 'Pass', Result: { a: 1 }, ResultPath: '$' }, { x: 1 }, { a: 1 }],
    ['ResultPath null', { Type: 'Pass', Result: { a: 1 }, ResultPath: null }, { x: 1 }, { x: 1 }],
    ['InputPath', { Type: 'Pass', InputPath: '$.x' }, { x: { y: 1 } }, { y: 1 }],
    ['OutputPath', { Type: 'Pass', OutputPath: '$.x' }, { x: 5 }, 5],
    [
      'Parameters',
      { Type: 'Pass', Parameters: { fixed: true, 'y.$': '$.x[1]' } },
      { x: [1, 2] },
      { fixed: true, y: 2 },
    ],
    [
      'intrinsic functions',
      { Type: 'Pass', Parameters: { 'id.$': "States.Format('{}-{}', $.a, $.b)" } },
      { a: 'x', b: 3 },
      { id: 'x-3' },
    ],
    ['Succeed', { Type: 'Succeed', End: undefined }, { a: 1 }, { a: 1 }],
  ])('%s', async (_name, state, input, output) => {
    expect((await run(only(state), input)).output).toEqual(output);
  });

  test('Map with its items in the context object, Parallel, and the execution in it', async () => {
    const definition = {
      StartAt: 'Each',
      States: {
        Each: {
          Type: 'Map',
          ItemsPath: '$.lines',
          ItemSelector: { 'line.$': '$$.Map.Item.Value', 'index.$': '$$.Map.Item.Index', 'order.$': '$.id' },
          ItemProcessor: {
            StartAt: 'Line',
            States: {
              Line: {
                Type: 'Pass',
                Parameters: { 'line.$': '$', 'whole.$': '$$.Execution.Input.id' },
                End: true,
              },
            },
          },
          ResultPath: '$.lines',
          Next: 'Both',
        },
        Both: {
          Type: 'Parallel',
          Branches: [
            { StartAt: 'Left', States: { Left: { Type: 'Pass', OutputPath: '$.id', End: true } } },
            {
              StartAt: 'Right',
              States: {
                Right: {
                  Type: 'Pass',
                  Parameters: { 'at.$': '$$.Execution.StartTime', 'machine.$': '$$.StateMachine.Name' },
                  End: true,
                },
              },
            },
          ],
          ResultPath: '$.both',
          End: true,
        },
      },
    };
    const { output } = await run(definition, { id: 'ord_1', lines: ['a', 'b'] });
    expect(output.lines).toEqual([
      { line: { line: 'a', index: 0, order: 'ord_1' }, whole: 'ord_1' },
      { line: { line: 'b', index: 1, order: 'ord_1' }, whole: 'ord_1' },
    ]);
    expect(output.both).toEqual(['ord_1', { at: '2026-11-22T00:00:00.000Z', machine: 'machine' }]);
  });

  test('Fail names its error', async () => {
    const definition = {
      StartAt: 'Stop',
      States: { Stop: { Type: 'Fail', Error: 'refused', Cause: 'because' } },
    };
    expect(await run(definition, {})).toMatchObject({ status: 'FAILED', error: 'refused', cause: 'because' });
  });

  test('a path to nothing is States.Runtime, which nothing catches', async () => {
    const state = { Type: 'Pass', Parameters: { 'x.$': '$.missing' } };
    expect(await run(only(state), {})).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
  });

  test.each<[string, object, string]>([
    ['JSONata', { ...only({ Type: 'Pass' }), QueryLanguage: 'JSONata' }, 'QueryLanguage JSONata'],
    [
      'JSONata in a state',
      only({ Type: 'Pass', QueryLanguage: 'JSONata' }),
      'state Only: QueryLanguage JSONata',
    ],
    ['variables', only({ Type: 'Pass', Assign: { x: 1 } }), 'state Only: Assign'],
    ['another service', only({ Type: 'Task', Resource: 'arn:aws:states:::sns:publish' }), 'sns:publish'],
    [
      'a task token',
      only({ Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken' }),
      'waitForTaskToken',
    ],
    ['heartbeats', only(task('x', { HeartbeatSeconds: 5 })), 'HeartbeatSeconds'],
    [
      'distributed Map',
      only({ Type: 'Map', ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED' } } }),
      'distributed',
    ],
    ['a wildcard path', only({ Type: 'Pass', Parameters: { 'x.$': '$.lines[*].sku' } }), '$.lines[*].sku'],
    [
      'a slice in a function',
      only({ Type: 'Pass', Parameters: { 'x.$': 'States.ArrayLength($.l[0:2])' } }),
      '[0:2]',
    ],
    [
      'an unknown context member',
      only({ Type: 'Pass', Parameters: { 'x.$': '$$.State.Name' } }),
      '$$.State.Name',
    ],
    ['an odd ResultPath', only({ Type: 'Pass', ResultPath: "$['a']" }), "ResultPath $['a']"],
    ['an empty Result', only({ Type: 'Pass', Result: 0 }), 'Result 0'],
  ])('refuses %s by name', (_name, definition, message) => {
    expect(() => readDefinition(definition, true, 'stack/machine')).toThrow(message);
  });

  test('an invalid definition stops the start', async () => {
    const states = cloud({ StartAt: 'Nowhere', States: { Only: { Type: 'Pass', End: true } } }).use(
      createStates,
    );
    await expect(states.start?.()).rejects.toThrow('test/machine AWS::StepFunctions::StateMachine');
  });
});

describe('a definition', () => {
  test('is read from its asset, with substitutions', async () => {
    const runtime = cloud({}, {}, { DefinitionString: undefined });
    const path = join(runtime.home, 'definition.json');
    const placeholder = '$' + '{Work}';
    writeFileSync(path, JSON.stringify(only({ Type: 'Task', Resource: placeholder })));
    const [machine] = runtime.resources('AWS::StepFunctions::StateMachine');
    const other = fakeRuntime({
      assets: { 'hash.json': path },
      resources: [
        {
          ...machine!,
          properties: {
            RoleArn: roleArn,
            StateMachineType: 'EXPRESS',
            DefinitionS3Location: { Bucket: 'assets', Key: 'hash.json' },
            DefinitionSubstitutions: { Work: functionArn('work') },
          },
        },
      ],
    });
    answerWith(other, { work: () => 'worked' });
    const answer = await other
      .use(createStates)
      .call('StartSyncExecution', { stateMachineArn: machineArn }, worker);
    expect(answer.output).toBe('"worked"');
  });
});

describe('executions', () => {
  const standard = { StateMachineType: 'STANDARD' };

  test('of a Standard machine have a name that works once, and a description', async () => {
    const release = Promise.withResolvers<string>();
    const runtime = cloud(only(task('work')), { work: () => release.promise }, standard);
    const states = runtime.use(createStates);
    const start = (input: string, name = 'day-1') =>
      states.call('StartExecution', { stateMachineArn: machineArn, name, input }, worker);
    const { executionArn } = await start('{"a":1}');
    expect(executionArn).toBe('arn:aws:states:eu-west-1:111122223333:execution:machine:day-1');
    expect((await start('{"a":1}')).executionArn).toBe(executionArn);
    await expect(start('{"a":2}')).rejects.toMatchObject({ code: 'ExecutionAlreadyExists' });
    expect(await states.call('DescribeExecution', { executionArn }, worker)).toMatchObject({
      status: 'RUNNING',
    });
    release.resolve('done');
    const ended = await states.call('WaitForExecution', { executionArn }, operator);
    expect(ended).toMatchObject({ status: 'SUCCEEDED', output: '"done"', input: '{"a":1}', name: 'day-1' });
    await expect(start('{"a":1}')).rejects.toMatchObject({ code: 'ExecutionAlreadyExists' });
    await start('{}', 'day-2');
    const list = (more: object) =>
      states.call('ListExecutions', { stateMachineArn: machineArn, maxResults: 1, ...more }, worker);
    const first = await list({});
    expect(first.executions.map((one: any) => one.name)).toEqual(['day-2']);
    const second = await list({ nextToken: first.nextToken });
    expect(second.executions.map((one: any) => one.name)).toEqual(['day-1']);
    expect(runtime.calls.filter((call) => call.service === 'lambda')).toHaveLength(2);
  });

  test('can be stopped', async () => {
    const states = cloud(only(task('work')), { work: () => new Promise(() => {}) }, standard).use(
      createStates,
    );
    const { executionArn } = await states.call('StartExecution', { stateMachineArn: machineArn }, worker);
    await states.call('StopExecution', { executionArn, error: 'E', cause: 'C' }, worker);
    const ended = await states.call('DescribeExecution', { executionArn }, worker);
    expect(ended).toMatchObject({ status: 'ABORTED', error: 'E', cause: 'C' });
  });

  test('under way at a crash: Standard begins again, Express is over', async () => {
    for (const [type, expected] of [
      ['STANDARD', 'SUCCEEDED'],
      ['EXPRESS', 'ABORTED'],
    ]) {
      const runtime = cloud(
        only(task('work')),
        { work: () => new Promise(() => {}) },
        { StateMachineType: type },
      );
      const states = runtime.use(createStates);
      const { executionArn } = await states.call('StartExecution', { stateMachineArn: machineArn }, worker);
      await vi.waitFor(() => expect(runtime.calls).toHaveLength(1));
      await states.stop?.();
      const next = runtime.restart();
      answerWith(next, { work: () => 'again' });
      const restarted = next.use(createStates);
      await restarted.start?.();
      const ended = await restarted.call('WaitForExecution', { executionArn }, operator);
      expect(ended.status).toBe(expected);
      expect(next.logs.join()).toContain(executionArn);
    }
  });

  test('are refused without permission, with bad input or of the wrong type', async () => {
    const runtime = cloud(only({ Type: 'Pass' }), {}, standard);
    const states = runtime.use(createStates);
    const start = (operation: string, more: object = {}) =>
      states.call(operation, { stateMachineArn: machineArn, ...more }, worker);
    await expect(start('StartSyncExecution')).rejects.toMatchObject({ code: 'StateMachineTypeNotSupported' });
    await expect(start('StartExecution', { input: '{' })).rejects.toMatchObject({
      code: 'InvalidExecutionInput',
    });
    await expect(start('StartExecution', { name: 'a b' })).rejects.toMatchObject({ code: 'InvalidName' });
    await expect(start('StartExecution', { stateMachineArn: 'x' })).rejects.toMatchObject({
      code: 'StateMachineDoesNotExist',
    });
    runtime.denied.add(`states:StartExecution ${machineArn}`);
    await expect(start('StartExecution')).rejects.toMatchObject({ code: 'AccessDeniedException' });
  });
});
