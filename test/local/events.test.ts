import { describe, expect, test, vi } from 'vitest';
import { compileInput } from '../../local/event-input.ts';
import { compilePattern } from '../../local/event-pattern.ts';
import { createEvents } from '../../local/events.ts';
import { createSqs } from '../../local/sqs.ts';
import { AwsError } from '../../local/types.ts';
import { fakeRuntime, operator, queue, queueArn, resource } from './support/runtime.ts';

const role = { kind: 'role', roleArn: 'arn:aws:iam::111122223333:role/pipe' } as const;
const busArn = 'arn:aws:events:eu-west-1:111122223333:event-bus/store';
const ruleArn = 'arn:aws:events:eu-west-1:111122223333:rule/store/placed';
const archiveArn = 'arn:aws:events:eu-west-1:111122223333:archive/all';

function cloud(target: Record<string, any> = {}, pattern: object = { 'detail-type': ['order.placed'] }) {
  const runtime = fakeRuntime({
    resources: [
      queue('inbox'),
      queue('dead'),
      resource('AWS::Events::EventBus', 'store', {}, busArn),
      resource('AWS::Events::Archive', 'all', { SourceArn: busArn, RetentionDays: 30 }, archiveArn),
      resource(
        'AWS::Events::Rule',
        'placed',
        {
          EventBusName: 'store',
          EventPattern: pattern,
          Targets: [{ Id: 'T', Arn: queueArn('inbox'), ...target }],
        },
        ruleArn,
      ),
    ],
  });
  const sqs = runtime.use(createSqs);
  const events = runtime.use(createEvents);
  const received = async (name: string) => {
    const input = {
      QueueUrl: queue(name).ref,
      MaxNumberOfMessages: 10,
      VisibilityTimeout: 0,
      MessageAttributeNames: ['All'],
    };
    return ((await sqs.call('ReceiveMessage', input, operator)).Messages ?? []) as any[];
  };
  const put = (detail: object = {}, more: object = {}) => events.call('PutEvents', entry(detail, more), role);
  return { runtime, sqs, events, received, put };
}

function entry(detail: object, more: object = {}) {
  return {
    Entries: [
      {
        EventBusName: 'store',
        Source: 'floodgate.order',
        DetailType: 'order.placed',
        Detail: JSON.stringify(detail),
        ...more,
      },
    ],
  };
}

describe('an event pattern', () => {
  const event = {
    source: 'floodgate.order',
    'detail-type': 'Order.Placed',
    detail: {
      status: 'placed',
      total: 120,
      note: null,
      tags: ['gift', 'express'],
      ip: '10.0.3.7',
      lines: [
        { sku: 'A', quantity: 1 },
        { sku: 'B', quantity: 5 },
      ],
    },
  };

  test.each<[string, object, boolean]>([
    ['exact', { source: ['floodgate.order'] }, true],
    ['exact, other', { source: ['floodgate.cart'] }, false],
    ['exact by type', { detail: { total: ['120'] } }, false],
    ['null', { detail: { note: [null] } }, true],
    ['null is not absence', { detail: { missing: [null] } }, false],
    ['prefix', { source: [{ prefix: 'floodgate.' }] }, true],
    ['prefix, other', { source: [{ prefix: 'aws.' }] }, false],
    ['prefix ignoring case', { 'detail-type': [{ prefix: { 'equals-ignore-case': 'ORDER' } }] }, true],
    ['suffix', { 'detail-type': [{ suffix: '.Placed' }] }, true],
    ['suffix ignoring case', { 'detail-type': [{ suffix: { 'equals-ignore-case': '.PLACED' } }] }, true],
    ['equals-ignore-case', { 'detail-type': [{ 'equals-ignore-case': 'order.placed' }] }, true],
    ['anything-but', { detail: { status: [{ 'anything-but': 'placed' }] } }, false],
    ['anything-but a list', { detail: { status: [{ 'anything-but': ['paid', 'expired'] }] } }, true],
    ['anything-but a number', { detail: { total: [{ 'anything-but': [120] }] } }, false],
    ['anything-but prefix', { detail: { status: [{ 'anything-but': { prefix: 'pl' } }] } }, false],
    ['anything-but suffixes', { detail: { status: [{ 'anything-but': { suffix: ['x', 'y'] } }] } }, true],
    ['anything-but wildcard', { detail: { status: [{ 'anything-but': { wildcard: 'p*d' } }] } }, false],
    ['anything-but needs the field', { detail: { missing: [{ 'anything-but': 'x' }] } }, false],
    ['numeric range', { detail: { total: [{ numeric: ['>', 100, '<=', 120] }] } }, true],
    ['numeric, outside', { detail: { total: [{ numeric: ['<', 120] }] } }, false],
    ['numeric equality', { detail: { total: [{ numeric: ['=', 120] }] } }, true],
    ['exists', { detail: { status: [{ exists: true }] } }, true],
    ['exists on an object', { detail: [{ exists: true }] }, false],
    ['exists false', { detail: { missing: [{ exists: false }] } }, true],
    ['exists false below a missing object', { nothing: { here: [{ exists: false }] } }, true],
    ['exists false, present', { detail: { status: [{ exists: false }] } }, false],
    ['wildcard', { source: [{ wildcard: 'flood*.or*' }] }, true],
    ['wildcard, escaped', { source: [{ wildcard: 'flood\\*' }] }, false],
    ['wildcard is anchored', { source: [{ wildcard: 'gate*' }] }, false],
    ['cidr', { detail: { ip: [{ cidr: '10.0.0.0/16' }] } }, true],
    ['cidr, outside', { detail: { ip: [{ cidr: '10.0.0.0/24' }] } }, false],
    ['cidr 6 against 4', { detail: { ip: [{ cidr: '::/0' }] } }, false],
    ['a list in the event', { detail: { tags: ['express'] } }, true],
    ['one object of a list', { detail: { lines: { sku: ['B'], quantity: [{ numeric: ['>', 2] }] } } }, true],
    ['not across objects', { detail: { lines: { sku: ['A'], quantity: [{ numeric: ['>', 2] }] } } }, false],
    ['or', { $or: [{ source: ['x'] }, { detail: { total: [{ numeric: ['>', 100] }] } }] }, true],
    ['or, none', { detail: { $or: [{ status: ['paid'] }, { total: [1] }] } }, false],
    ['or and another field', { source: ['x'], $or: [{ detail: { status: ['placed'] } }] }, false],
    ['alternatives in a list', { detail: { status: ['paid', { prefix: 'pla' }] } }, true],
  ])('%s', (_name, pattern, expected) => {
    expect(compilePattern(pattern)(event)).toBe(expected);
  });

  test.each<[object, string]>([
    [{ detail: { x: [{ regex: '.*' }] } }, 'unknown operator "regex" at $.detail.x'],
    [{ x: [{ 'anything-but': { numeric: ['>', 1] } }] }, 'anything-but numeric'],
    [{ x: [{ numeric: ['!=', 1] }] }, 'numeric'],
    [{ x: [{ cidr: '10.0.0.0' }] }, 'cidr'],
    [{ x: [{ prefix: 'a', suffix: 'b' }] }, 'one operator'],
    [{ x: 'bare' }, '$.x must be a list or an object'],
    [{ x: [] }, '$.x is an empty list'],
  ])('%j is refused by name', (pattern, message) => {
    expect(() => compilePattern(pattern)).toThrow(message);
  });
});

describe('a target input', () => {
  const event = { time: '2026-11-22T00:00:00Z', detail: { name: 'a "b"', total: 5, lines: [{ sku: 'A' }] } };
  const map = { name: '$.detail.name', total: '$.detail.total', sku: '$.detail.lines[0].sku', none: '$.x.y' };

  test.each<[string, object, string]>([
    ['the event', {}, JSON.stringify(event)],
    ['a constant', { Input: '{"a":1}' }, '{"a":1}'],
    ['a part', { InputPath: '$.detail.lines[0]' }, '{"sku":"A"}'],
    ['JSON', { t: '{"n":<name>,"t":<total>,"s":"<sku>-<total>"}' }, '{"n":"a \\"b\\"","t":5,"s":"A-5"}'],
    ['text', { t: '"<name> has <none>"' }, '"a \\"b\\" has "'],
    ['the rule', { t: '"<aws.events.rule-name>"' }, '"placed"'],
  ])('can be %s', (_name, { t, ...target }: any, expected) => {
    const properties = t ? { InputTransformer: { InputPathsMap: map, InputTemplate: t } } : target;
    expect(compileInput(properties, ruleArn)(event)).toBe(expected);
  });

  test('refuses a path outside its subset', () => {
    expect(() => compileInput({ InputPath: '$.detail.lines[*]' }, ruleArn)).toThrow('$.detail.lines[*]');
  });
});

describe('a bus', () => {
  test('delivers the envelope to the queue of a matching rule as the rule', async () => {
    const { runtime, events, received, put } = cloud();
    await events.start?.();
    const answer = await put({ orderId: 'ord_1' }, { Time: 1_795_305_600.7, Resources: ['r'] });
    await put({}, { DetailType: 'order.paid' });
    await vi.waitFor(async () => expect(await received('inbox')).toHaveLength(1));
    const [message] = await received('inbox');
    expect(JSON.parse(message.Body)).toEqual({
      version: '0',
      id: answer.Entries[0].EventId,
      'detail-type': 'order.placed',
      source: 'floodgate.order',
      account: '111122223333',
      time: '2026-11-22T00:00:00Z',
      region: 'eu-west-1',
      resources: ['r'],
      detail: { orderId: 'ord_1' },
    });
    expect(runtime.calls.find((call) => call.operation === 'SendMessage')?.caller).toEqual({
      kind: 'service',
      service: 'events.amazonaws.com',
      sourceArn: ruleArn,
    });
  });

  test('refuses a bad entry and takes the others', async () => {
    const { events, put } = cloud();
    const bad = [
      { Source: 'aws.order', DetailType: 't', Detail: '{}', EventBusName: 'store' },
      { Source: 's', DetailType: 't', Detail: '{', EventBusName: 'store' },
      { Source: 's', Detail: '{}', EventBusName: 'store' },
    ];
    const answer = await events.call('PutEvents', { Entries: [...bad, ...entry({}).Entries] }, role);
    expect(answer.FailedEntryCount).toBe(3);
    expect(answer.Entries.map((one: any) => one.ErrorCode)).toEqual([
      'NotAuthorizedForSourceException',
      'MalformedDetail',
      'InvalidArgument',
      undefined,
    ]);
    const recorded = await events.call('ListRecorded', {}, operator);
    expect(recorded.items).toHaveLength(1);
    await put();
    const { items } = await events.call('ListRecorded', { Since: recorded.items[0].seq }, operator);
    expect(items).toMatchObject([{ bus: 'store', event: { 'detail-type': 'order.placed' } }]);
    expect(
      (await events.call('ListRecorded', { Since: '2026-11-22T00:00:00.000Z' }, operator)).items,
    ).toHaveLength(2);
    expect(
      (await events.call('ListRecorded', { Since: '2026-11-22T00:00:00.001Z' }, operator)).items,
    ).toEqual([]);
  });

  test('refuses more than ten entries, and a caller without events:PutEvents', async () => {
    const { runtime, events, put } = cloud();
    const Entries = Array.from({ length: 11 }, () => entry({}).Entries[0]);
    await expect(events.call('PutEvents', { Entries }, role)).rejects.toMatchObject({
      code: 'ValidationException',
    });
    runtime.denied.add(`events:PutEvents ${busArn}`);
    await expect(put()).rejects.toMatchObject({ code: 'AccessDeniedException' });
  });

  test('owes a delivery across a crash', async () => {
    const { runtime, put } = cloud();
    // Never started, so what is accepted is only written down.
    await put({ orderId: 'ord_1' });
    const next = runtime.restart();
    const delivered: any[] = [];
    next.answer('sqs', (_operation, input) => delivered.push(input));
    const events = next.use(createEvents);
    await events.start?.();
    await vi.waitFor(() => expect(delivered).toHaveLength(1));
    const after = runtime.restart();
    after.answer('sqs', (_operation, input) => delivered.push(input));
    await after.use(createEvents).start?.();
    await after.clock.advance(1000);
    expect(delivered).toHaveLength(1);
  });
});

describe('a delivery that fails', () => {
  const deadLetters = { DeadLetterConfig: { Arn: queueArn('dead') } };

  function failing(target: Record<string, any>, failure: () => unknown) {
    const all = cloud(target);
    let attempts = 0;
    const real = all.sqs;
    all.runtime.answer('sqs', (operation, input, caller) => {
      if (operation === 'SendMessage' && input.QueueUrl.endsWith('/inbox')) {
        attempts += 1;
        const error = failure();
        if (error) throw error;
      }
      return real.call(operation, input, caller);
    });
    // The attempt has been made and its retry, if one is due, is on the clock.
    const attempted = (count: number) =>
      vi.waitFor(() => {
        const row = all.runtime.db.prepare('SELECT attempts FROM events_deliveries').get();
        expect(row).toEqual({ attempts: count });
      });
    return { ...all, attempts: () => attempts, attempted };
  }

  test('is repeated with backoff until it is taken', async () => {
    let broken = true;
    const { runtime, events, received, put, attempts, attempted } = failing(
      {},
      () => broken && new Error('down'),
    );
    await events.start?.();
    await put();
    await attempted(1);
    await runtime.clock.advance(200);
    await attempted(2);
    await runtime.clock.advance(399);
    expect(attempts()).toBe(2);
    broken = false;
    await runtime.clock.advance(1);
    await vi.waitFor(async () => expect(await received('inbox')).toHaveLength(1));
    await runtime.clock.advance(60_000);
    expect(attempts()).toBe(3);
  });

  test('goes to the dead-letter queue after the last retry, with what AWS says about it', async () => {
    const target = { ...deadLetters, RetryPolicy: { MaximumRetryAttempts: 2 } };
    const { runtime, events, received, put, attempted } = failing(target, () => new Error('down'));
    await events.start?.();
    await put({ orderId: 'ord_1' });
    for (const attempt of [1, 2]) {
      await attempted(attempt);
      await runtime.clock.advance(60_000);
    }
    await vi.waitFor(async () => expect(await received('dead')).toHaveLength(1));
    const [message] = await received('dead');
    expect(JSON.parse(message.Body).detail).toEqual({ orderId: 'ord_1' });
    expect(message.MessageAttributes).toMatchObject({
      RULE_ARN: { StringValue: ruleArn },
      TARGET_ARN: { StringValue: queueArn('inbox') },
      ERROR_MESSAGE: { StringValue: 'down' },
      RETRY_ATTEMPTS: { StringValue: '2' },
      EXHAUSTED_RETRY_CONDITION: { StringValue: 'MaximumRetryAttempts' },
    });
  });

  test('goes there when it is too old', async () => {
    const target = { ...deadLetters, RetryPolicy: { MaximumEventAgeInSeconds: 60 } };
    const { runtime, events, received, put, attempted } = failing(target, () => new Error('down'));
    await events.start?.();
    await put();
    await attempted(1);
    await runtime.clock.advance(61_000);
    await vi.waitFor(async () =>
      expect((await received('dead'))[0]?.MessageAttributes.EXHAUSTED_RETRY_CONDITION.StringValue).toBe(
        'MaximumEventAgeInSeconds',
      ),
    );
  });

  test('goes there at once when the target refuses the rule', async () => {
    const denied = () => new AwsError('AccessDeniedException', 'no', 403);
    const { events, received, put, attempts } = failing(deadLetters, denied);
    await events.start?.();
    await put();
    await vi.waitFor(async () => expect(await received('dead')).toHaveLength(1));
    expect(attempts()).toBe(1);
  });
});

describe('an archive', () => {
  const replay = (more: object = {}) => ({
    ReplayName: 'again',
    EventSourceArn: archiveArn,
    EventStartTime: Date.UTC(2026, 10, 21) / 1000,
    EventEndTime: Date.UTC(2026, 10, 23) / 1000,
    Destination: { Arn: busArn },
    ...more,
  });

  test('is replayed with the same id under its replay name, to rules that take replays', async () => {
    const { events, received, put } = cloud();
    await events.start?.();
    const { Entries } = await put({ orderId: 'ord_1' });
    await vi.waitFor(async () => expect(await received('inbox')).toHaveLength(1));
    const started = await events.call('StartReplay', replay(), operator);
    await vi.waitFor(async () => expect(await received('inbox')).toHaveLength(2));
    const bodies = (await received('inbox')).map((message) => JSON.parse(message.Body));
    expect(bodies.map((event) => event.id)).toEqual([Entries[0].EventId, Entries[0].EventId]);
    expect(bodies.map((event) => event['replay-name'])).toEqual([undefined, 'again']);
    expect(await events.call('DescribeReplay', { ReplayName: 'again' }, operator)).toMatchObject({
      ReplayArn: started.ReplayArn,
      State: 'COMPLETED',
    });
    expect((await events.call('ListReplays', {}, operator)).Replays).toHaveLength(1);
    await expect(events.call('StartReplay', replay(), operator)).rejects.toMatchObject({
      code: 'ResourceAlreadyExistsException',
    });
  });

  test('is not replayed to rules that exclude replays, nor outside the time asked for', async () => {
    const { runtime, events, put } = cloud({}, { 'replay-name': [{ exists: false }] });
    await events.start?.();
    await put();
    await events.call('StartReplay', replay(), operator);
    const later = { ReplayName: 'later', EventStartTime: Date.UTC(2026, 10, 22, 0, 0, 1) / 1000 };
    await events.call('StartReplay', replay(later), operator);
    const { items } = await events.call('ListRecorded', {}, operator);
    expect(items.map((item: any) => item.event['replay-name'])).toEqual([undefined, 'again']);
    const sent = runtime.calls.filter((call) => call.operation === 'SendMessage');
    expect(sent).toHaveLength(1);
  });

  test('forgets events after its retention', async () => {
    const { runtime, events, put } = cloud();
    await put();
    await runtime.clock.advance(31 * 86_400_000);
    await put();
    const all = { EventStartTime: 0, EventEndTime: runtime.clock.now() / 1000 + 1 };
    await events.call('StartReplay', replay(all), operator);
    expect((await events.call('ListRecorded', {}, operator)).items).toHaveLength(3);
  });
});

test('a rule with a target that is not emulated stops the cloud by name', () => {
  expect(() => cloud({ Arn: 'arn:aws:firehose:eu-west-1:111122223333:deliverystream/x' })).toThrow(
    'test/placed AWS::Events::Rule: target arn:aws:firehose',
  );
});
