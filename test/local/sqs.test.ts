import { describe, expect, test } from 'vitest';
import { createSqs } from '../../local/sqs.ts';
import type { Service } from '../../local/types.ts';
import { fakeRuntime, operator, queue, queueArn } from './support/runtime.ts';

const role = { kind: 'role', roleArn: 'arn:aws:iam::111122223333:role/worker' } as const;

function cloud() {
  const work = queue('work', {
    VisibilityTimeout: 60,
    RedrivePolicy: { deadLetterTargetArn: queueArn('dead'), maxReceiveCount: 2 },
  });
  const runtime = fakeRuntime({ resources: [work, queue('dead'), queue('slow', { DelaySeconds: 10 })] });
  const url = work.ref;
  const sqs = runtime.use(createSqs);
  return { runtime, sqs, url, slow: queue('slow').ref, dead: queue('dead').ref };
}

async function bodies(sqs: Service, url: string): Promise<string[]> {
  const answer = await sqs.call('ReceiveMessage', { QueueUrl: url, MaxNumberOfMessages: 10 }, operator);
  return (answer.Messages ?? []).map((message: any) => message.Body);
}

describe('a queue', () => {
  test('hands a message out once, and again after its visibility timeout', async () => {
    const { runtime, sqs, url } = cloud();
    await sqs.call('SendMessage', { QueueUrl: url, MessageBody: 'hello' }, role);
    expect(await bodies(sqs, url)).toEqual(['hello']);
    expect(await bodies(sqs, url)).toEqual([]);
    await runtime.clock.advance(60_000);
    expect(await bodies(sqs, url)).toEqual(['hello']);
  });

  test('forgets a deleted message', async () => {
    const { runtime, sqs, url } = cloud();
    await sqs.call('SendMessage', { QueueUrl: url, MessageBody: 'hello' }, role);
    const { Messages } = await sqs.call('ReceiveMessage', { QueueUrl: url }, role);
    await sqs.call('DeleteMessage', { QueueUrl: url, ReceiptHandle: Messages[0].ReceiptHandle }, role);
    await runtime.clock.advance(120_000);
    expect(await bodies(sqs, url)).toEqual([]);
  });

  test('keeps a message whose receipt a later receive has replaced', async () => {
    const { runtime, sqs, url } = cloud();
    await sqs.call('SendMessage', { QueueUrl: url, MessageBody: 'hello' }, role);
    const { Messages } = await sqs.call('ReceiveMessage', { QueueUrl: url }, role);
    await runtime.clock.advance(60_000);
    await bodies(sqs, url);
    await sqs.call('DeleteMessage', { QueueUrl: url, ReceiptHandle: Messages[0].ReceiptHandle }, role);
    const { items } = await sqs.call('ListQueueDepths', {}, operator);
    expect(items[0]).toEqual({ name: 'work', visible: 0, inFlight: 1, delayed: 0 });
  });

  test('moves a message to the dead-letter queue instead of a third receive, and back by a move task', async () => {
    const { runtime, sqs, url, dead } = cloud();
    await sqs.call('SendMessage', { QueueUrl: url, MessageBody: 'poison' }, role);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      expect(await bodies(sqs, url)).toEqual(['poison']);
      await runtime.clock.advance(60_000);
    }
    expect(await bodies(sqs, url)).toEqual([]);
    const answer = await sqs.call(
      'ReceiveMessage',
      { QueueUrl: dead, VisibilityTimeout: 0, MessageSystemAttributeNames: ['All'] },
      role,
    );
    expect(answer.Messages[0]).toMatchObject({
      Body: 'poison',
      Attributes: { DeadLetterQueueSourceArn: queueArn('work') },
    });
    await sqs.call('StartMessageMoveTask', { SourceArn: queueArn('dead') }, role);
    expect(await bodies(sqs, url)).toEqual(['poison']);
    expect(await bodies(sqs, dead)).toEqual([]);
  });

  test('delays by queue and by message', async () => {
    const { runtime, sqs, url, slow } = cloud();
    await sqs.call('SendMessage', { QueueUrl: slow, MessageBody: 'by queue' }, role);
    await sqs.call('SendMessage', { QueueUrl: url, MessageBody: 'by message', DelaySeconds: 5 }, role);
    expect(await bodies(sqs, url)).toEqual([]);
    await runtime.clock.advance(5000);
    expect(await bodies(sqs, url)).toEqual(['by message']);
    expect(await bodies(sqs, slow)).toEqual([]);
    await runtime.clock.advance(5000);
    expect(await bodies(sqs, slow)).toEqual(['by queue']);
  });

  test('drops what is older than its retention period', async () => {
    const { runtime, sqs, url } = cloud();
    await sqs.call('SendMessage', { QueueUrl: url, MessageBody: 'old' }, role);
    await runtime.clock.advance(345_600_000);
    expect(await bodies(sqs, url)).toEqual([]);
  });

  test('changes visibility: zero redelivers at once, more keeps it away', async () => {
    const { runtime, sqs, url } = cloud();
    await sqs.call('SendMessage', { QueueUrl: url, MessageBody: 'hello' }, role);
    const receive = async () => (await sqs.call('ReceiveMessage', { QueueUrl: url }, role)).Messages[0];
    const change = (message: any, VisibilityTimeout: number) =>
      sqs.call(
        'ChangeMessageVisibility',
        { QueueUrl: url, ReceiptHandle: message.ReceiptHandle, VisibilityTimeout },
        role,
      );
    await change(await receive(), 0);
    await change(await receive(), 600);
    await runtime.clock.advance(599_000);
    expect(await bodies(sqs, url)).toEqual([]);
  });
});

describe('a long poll', () => {
  test('ends when a message arrives', async () => {
    const { sqs, url } = cloud();
    const waiting = sqs.call('ReceiveMessage', { QueueUrl: url, WaitTimeSeconds: 20 }, role);
    await sqs.call('SendMessage', { QueueUrl: url, MessageBody: 'now' }, role);
    expect((await waiting).Messages[0].Body).toBe('now');
  });

  test('ends when a message becomes visible again', async () => {
    const { runtime, sqs, url } = cloud();
    await sqs.call('SendMessage', { QueueUrl: url, MessageBody: 'later', DelaySeconds: 3 }, role);
    const waiting = sqs.call('ReceiveMessage', { QueueUrl: url, WaitTimeSeconds: 20 }, role);
    await runtime.clock.advance(3000);
    expect((await waiting).Messages[0].Body).toBe('later');
  });

  test('ends empty at its time, and when the cloud stops', async () => {
    const { runtime, sqs, url } = cloud();
    const first = sqs.call('ReceiveMessage', { QueueUrl: url, WaitTimeSeconds: 2 }, role);
    await runtime.clock.advance(2000);
    expect(await first).toEqual({});
    const second = sqs.call('ReceiveMessage', { QueueUrl: url, WaitTimeSeconds: 2 }, role);
    await sqs.stop?.();
    expect(await second).toEqual({});
  });
});

test('after a crash, acknowledged messages are there and those in flight are visible again', async () => {
  const { runtime, sqs, url } = cloud();
  await sqs.call('SendMessage', { QueueUrl: url, MessageBody: 'in flight' }, role);
  await bodies(sqs, url);
  await sqs.call('SendMessage', { QueueUrl: url, MessageBody: 'waiting' }, role);
  const restarted = runtime.restart().use(createSqs);
  expect((await bodies(restarted, url)).sort()).toEqual(['in flight', 'waiting']);
});

describe('requests', () => {
  test('are refused entry by entry in a batch', async () => {
    const { sqs, url } = cloud();
    const answer = await sqs.call(
      'SendMessageBatch',
      {
        QueueUrl: url,
        Entries: [
          { Id: 'a', MessageBody: 'fine' },
          { Id: 'b', MessageBody: '' },
        ],
      },
      role,
    );
    expect(answer.Successful).toMatchObject([{ Id: 'a' }]);
    expect(answer.Failed).toMatchObject([{ Id: 'b', Code: 'MissingParameter' }]);
    expect(await bodies(sqs, url)).toEqual(['fine']);
  });

  test('are refused above 1 MiB', async () => {
    const { sqs, url } = cloud();
    const body = 'x'.repeat(1024 * 1024);
    await sqs.call('SendMessage', { QueueUrl: url, MessageBody: body }, role);
    await expect(sqs.call('SendMessage', { QueueUrl: url, MessageBody: `${body}x` }, role)).rejects.toThrow(
      'shorter than 1048576 bytes',
    );
  });

  test.each([
    ['SendMessage', 'SendMessage', { MessageBody: 'x' }],
    ['SendMessageBatch', 'SendMessage', { Entries: [{ Id: 'a', MessageBody: 'x' }] }],
    ['ReceiveMessage', 'ReceiveMessage', {}],
    ['DeleteMessageBatch', 'DeleteMessage', {}],
    ['ChangeMessageVisibility', 'ChangeMessageVisibility', {}],
    ['GetQueueAttributes', 'GetQueueAttributes', {}],
    ['PurgeQueue', 'PurgeQueue', {}],
  ])('%s needs sqs:%s', async (operation, action, input) => {
    const { runtime, sqs, url } = cloud();
    runtime.denied.add(`sqs:${action} ${queueArn('work')}`);
    await expect(sqs.call(operation, { QueueUrl: url, ...input }, role)).rejects.toMatchObject({
      code: 'AccessDeniedException',
    });
  });

  test('to an unknown queue fail', async () => {
    const { sqs } = cloud();
    await expect(sqs.call('SendMessage', { QueueUrl: 'http://x/nowhere' }, role)).rejects.toMatchObject({
      code: 'QueueDoesNotExist',
    });
  });

  test('answer the attributes asked for', async () => {
    const { sqs, url } = cloud();
    const answer = await sqs.call(
      'GetQueueAttributes',
      { QueueUrl: url, AttributeNames: ['QueueArn', 'VisibilityTimeout'] },
      role,
    );
    expect(answer.Attributes).toEqual({ QueueArn: queueArn('work'), VisibilityTimeout: '60' });
  });
});
