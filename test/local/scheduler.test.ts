import { describe, expect, test, vi } from 'vitest';
import { readSchedule } from '../../local/cron.ts';
import { createScheduler } from '../../local/scheduler.ts';
import { fakeRuntime, operator, queue, queueArn, resource } from './support/runtime.ts';

const roleArn = 'arn:aws:iam::111122223333:role/schedule';

describe('a schedule expression', () => {
  // 2026-11-22 is a Sunday.
  test.each<[string, string, string, string | undefined]>([
    ['cron(0 3 * * ? *)', 'UTC', '2026-11-22T02:59:59Z', '2026-11-22T03:00:00Z'],
    ['cron(0 3 * * ? *)', 'UTC', '2026-11-22T03:00:00Z', '2026-11-23T03:00:00Z'],
    ['cron(0 3 * * ? *)', 'Asia/Seoul', '2026-11-22T00:00:00Z', '2026-11-22T18:00:00Z'],
    ['cron(0/15 9-10 ? * MON-FRI *)', 'UTC', '2026-11-22T00:00:00Z', '2026-11-23T09:00:00Z'],
    ['cron(0/15 9-10 ? * MON-FRI *)', 'UTC', '2026-11-23T10:45:00Z', '2026-11-24T09:00:00Z'],
    ['cron(0 0 ? * FRI-SUN *)', 'UTC', '2026-11-22T00:00:00Z', '2026-11-27T00:00:00Z'],
    ['cron(0 0 L * ? *)', 'UTC', '2027-02-01T00:00:00Z', '2027-02-28T00:00:00Z'],
    ['cron(0 0 LW * ? *)', 'UTC', '2027-02-01T00:00:00Z', '2027-02-26T00:00:00Z'],
    ['cron(0 0 1W * ? *)', 'UTC', '2027-04-30T00:00:00Z', '2027-05-03T00:00:00Z'],
    ['cron(0 0 15W * ? *)', 'UTC', '2027-08-01T00:00:00Z', '2027-08-16T00:00:00Z'],
    ['cron(0 0 14W * ? *)', 'UTC', '2027-08-01T00:00:00Z', '2027-08-13T00:00:00Z'],
    ['cron(0 0 ? * 2#1 *)', 'UTC', '2026-11-22T00:00:00Z', '2026-12-07T00:00:00Z'],
    ['cron(0 0 ? * MON#5 *)', 'UTC', '2026-12-01T00:00:00Z', '2027-03-29T00:00:00Z'],
    ['cron(0 0 ? * 6L *)', 'UTC', '2026-11-22T00:00:00Z', '2026-11-27T00:00:00Z'],
    ['cron(0 0 ? * L *)', 'UTC', '2026-11-22T00:00:00Z', '2026-11-28T00:00:00Z'],
    ['cron(0 0 29 2 ? *)', 'UTC', '2026-11-22T00:00:00Z', '2028-02-29T00:00:00Z'],
    ['cron(0 12 1 JAN,JUL ? 2027-2028)', 'UTC', '2027-07-01T12:00:00Z', '2028-01-01T12:00:00Z'],
    ['cron(0 12 1 JAN ? 2026)', 'UTC', '2026-11-22T00:00:00Z', undefined],
    // New York's clocks skip 02:30 on 2027-03-14 and have 01:30 twice on 2026-11-01.
    ['cron(30 2 * * ? *)', 'America/New_York', '2027-03-13T12:00:00Z', '2027-03-15T06:30:00Z'],
    ['cron(30 1 * * ? *)', 'America/New_York', '2026-11-01T00:00:00Z', '2026-11-01T05:30:00Z'],
    ['cron(30 1 * * ? *)', 'America/New_York', '2026-11-01T05:30:00Z', '2026-11-02T06:30:00Z'],
    ['rate(5 minutes)', 'UTC', '2026-11-22T00:07:00Z', '2026-11-22T00:10:00Z'],
    ['rate(1 day)', 'UTC', '2026-11-22T00:00:00Z', '2026-11-23T00:00:00Z'],
    ['at(2026-12-01T09:00:00)', 'Asia/Seoul', '2026-11-22T00:00:00Z', '2026-12-01T00:00:00Z'],
    ['at(2026-11-01T09:00:00)', 'UTC', '2026-11-22T00:00:00Z', undefined],
  ])('%s in %s after %s is due at %s', (expression, timezone, after, expected) => {
    const timetable = readSchedule(expression, timezone, Date.UTC(2026, 10, 22));
    const due = timetable.next(Date.parse(after));
    expect(due === undefined ? undefined : `${new Date(due).toISOString().slice(0, 19)}Z`).toBe(expected);
    if (due === undefined) return;
    expect(timetable.latest(due)).toBe(due);
    expect(timetable.latest(due + 1)).toBe(due);
    expect(timetable.latest(due - 1) ?? 0).toBeLessThanOrEqual(Date.parse(after));
  });

  test.each([
    'cron(0 3 * * * *)',
    'cron(0 3 ? * ? *)',
    'cron(0 3 * * ?)',
    'cron(60 3 * * ? *)',
    'cron(0 3 X * ? *)',
    'cron(0/0 3 * * ? *)',
    'rate(0 minutes)',
    'rate(5 weeks)',
    'at(tomorrow)',
    'every day',
  ])('%s is refused', (expression) => {
    expect(() => readSchedule(expression, 'UTC', 0)).toThrow(expression);
  });
});

function cloud(properties: Record<string, any> = {}, target: Record<string, any> = {}) {
  const runtime = fakeRuntime({
    resources: [
      queue('inbox'),
      queue('dead'),
      resource('AWS::Lambda::Function', 'sweep', {}, 'arn:aws:lambda:eu-west-1:111122223333:function:sweep'),
      resource(
        'AWS::StepFunctions::StateMachine',
        'export',
        {},
        'arn:aws:states:eu-west-1:111122223333:stateMachine:export',
      ),
      resource('AWS::Scheduler::Schedule', 'nightly', {
        ScheduleExpression: 'rate(1 hour)',
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: {
          Arn: queueArn('inbox'),
          RoleArn: roleArn,
          Input: '{"time":"<aws.scheduler.scheduled-time>","id":"<aws.scheduler.execution-id>"}',
          ...target,
        },
        ...properties,
      }),
    ],
  });
  return runtime;
}

function recordSqs(runtime: ReturnType<typeof cloud>) {
  const sent: any[] = [];
  runtime.answer('sqs', (_operation, input, caller) => {
    sent.push({ ...JSON.parse(input.MessageBody), queue: input.QueueUrl, caller });
    return { MessageId: 'm' };
  });
  return sent;
}

describe('a schedule', () => {
  test('runs at its due time as its role', async () => {
    const runtime = cloud();
    const sent = recordSqs(runtime);
    await runtime.use(createScheduler).start?.();
    await runtime.clock.advance(3_599_999);
    expect(sent).toEqual([]);
    await runtime.clock.advance(1);
    await vi.waitFor(() => expect(sent).toHaveLength(1));
    expect(sent[0]).toMatchObject({
      time: '2026-11-22T01:00:00Z',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      caller: { kind: 'role', roleArn },
    });
    await runtime.clock.advance(3_600_000);
    await vi.waitFor(() => expect(sent).toHaveLength(2));
  });

  test('runs once for a long move of the clock, at the latest due time', async () => {
    const runtime = cloud({
      ScheduleExpression: 'cron(0 3 * * ? *)',
      ScheduleExpressionTimezone: 'Asia/Seoul',
    });
    const sent = recordSqs(runtime);
    await runtime.use(createScheduler).start?.();
    await runtime.clock.advance(10 * 86_400_000);
    await vi.waitFor(() => expect(sent.map((one) => one.time)).toEqual(['2026-12-01T18:00:00Z']));
    await runtime.clock.advance(1);
    expect(sent).toHaveLength(1);
  });

  test('does not repeat a run after a restart, and makes up for one that was missed', async () => {
    const runtime = cloud();
    const sent = recordSqs(runtime);
    const first = runtime.use(createScheduler);
    await first.start?.();
    await runtime.clock.advance(3_600_000);
    await vi.waitFor(() => expect(sent).toHaveLength(1));
    await first.stop?.();
    const second = runtime.restart();
    const later = recordSqs(second);
    const service = second.use(createScheduler);
    await service.start?.();
    expect(later).toEqual([]);
    await service.stop?.();
    await runtime.clock.advance(7_200_000);
    const third = runtime.restart();
    const latest = recordSqs(third);
    await third.use(createScheduler).start?.();
    await vi.waitFor(() => expect(latest.map((one) => one.time)).toEqual(['2026-11-22T03:00:00Z']));
  });

  test('does not run when disabled, before its start or after its end', async () => {
    for (const properties of [
      { State: 'DISABLED' },
      { StartDate: '2026-11-23T00:00:00Z' },
      { EndDate: '2026-11-22T00:30:00Z' },
    ]) {
      const runtime = cloud(properties);
      const sent = recordSqs(runtime);
      await runtime.use(createScheduler).start?.();
      await runtime.clock.advance(7_200_000);
      await new Promise((resolve) => setImmediate(resolve));
      expect(sent).toEqual([]);
    }
  });

  test('puts what its target refuses into its dead-letter queue, as its role', async () => {
    const runtime = cloud(
      {},
      { DeadLetterConfig: { Arn: queueArn('dead') }, RetryPolicy: { MaximumRetryAttempts: 0 } },
    );
    const dead: any[] = [];
    runtime.answer('sqs', (_operation, input, caller) => {
      if (input.QueueUrl.endsWith('/inbox')) throw new Error('down');
      dead.push(caller);
      return {};
    });
    await runtime.use(createScheduler).start?.();
    await runtime.clock.advance(3_600_000);
    await vi.waitFor(() => expect(dead).toEqual([{ kind: 'role', roleArn }]));
  });

  test('with a flexible window stops the cloud by name', () => {
    const runtime = cloud({ FlexibleTimeWindow: { Mode: 'FLEXIBLE' } });
    expect(() => runtime.use(createScheduler)).toThrow(
      'test/nightly AWS::Scheduler::Schedule: FlexibleTimeWindow',
    );
  });
});

describe('RunNow', () => {
  test('waits for a function and answers what it returned', async () => {
    const runtime = cloud({}, { Arn: 'arn:aws:lambda:eu-west-1:111122223333:function:sweep' });
    runtime.answer('lambda', (_operation, input) => ({
      StatusCode: 200,
      Payload: { got: input.Payload.time },
    }));
    const scheduler = runtime.use(createScheduler);
    const input = { Name: 'nightly', Time: '2026-01-02T03:04:05Z' };
    expect(await scheduler.call('RunNow', input, operator)).toEqual({
      status: 'SUCCEEDED',
      output: { got: '2026-01-02T03:04:05Z' },
    });
    runtime.answer('lambda', () => ({ StatusCode: 200, FunctionError: 'Unhandled', Payload: {} }));
    expect(await scheduler.call('RunNow', input, operator)).toMatchObject({ status: 'FAILED' });
  });

  test('waits for the end of a workflow', async () => {
    const runtime = cloud({}, { Arn: 'arn:aws:states:eu-west-1:111122223333:stateMachine:export' });
    runtime.answer('states', (operation) =>
      operation === 'StartExecution' ? { executionArn: 'e' } : { status: 'SUCCEEDED', output: '{"rows":3}' },
    );
    const answer = await runtime.use(createScheduler).call('RunNow', { Name: 'nightly' }, operator);
    expect(answer).toMatchObject({ executionArn: 'e', status: 'SUCCEEDED', output: { rows: 3 } });
    expect(runtime.calls.map((call) => call.caller.kind)).toEqual(['role', 'operator']);
  });

  test('is for the operator, and for schedules that exist', async () => {
    const scheduler = cloud().use(createScheduler);
    await expect(
      scheduler.call('RunNow', { Name: 'nightly' }, { kind: 'role', roleArn }),
    ).rejects.toMatchObject({ code: 'AccessDeniedException' });
    await expect(scheduler.call('RunNow', { Name: 'other' }, operator)).rejects.toMatchObject({
      status: 404,
    });
  });
});
