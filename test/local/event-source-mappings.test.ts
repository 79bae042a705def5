import { describe, expect, test, vi } from 'vitest';
import { createEventSourceMappings } from '../../local/event-source-mappings.ts';
import { createSqs } from '../../local/sqs.ts';
import { fakeRuntime, operator, queue, queueArn, resource } from './support/runtime.ts';

const roleArn = 'arn:aws:iam::111122223333:role/worker';

function cloud(mapping: Record<string, any>, handler: (event: any) => any) {
  const worker = resource('AWS::Lambda::Function', 'worker', { Role: roleArn });
  const source = queue('work', { VisibilityTimeout: 60 });
  const runtime = fakeRuntime({
    resources: [
      source,
      worker,
      resource('AWS::Lambda::EventSourceMapping', 'mapping', {
        FunctionName: worker.ref,
        EventSourceArn: source.arn,
        ...mapping,
      }),
    ],
  });
  const sqs = runtime.use(createSqs);
  const batches: string[][] = [];
  runtime.answer('lambda', async (_operation, input) => {
    batches.push(input.Payload.Records.map((record: any) => record.body));
    return { StatusCode: 200, ...(await handler(input.Payload)) };
  });
  const mappings = runtime.use(createEventSourceMappings);
  const send = (...all: string[]) =>
    sqs.call(
      'SendMessageBatch',
      { QueueUrl: source.ref, Entries: all.map((MessageBody, index) => ({ Id: `${index}`, MessageBody })) },
      operator,
    );
  const depth = async () => (await sqs.call('ListQueueDepths', {}, operator)).items[0];
  return { runtime, sqs, mappings, batches, send, depth };
}

const empty = { name: 'work', visible: 0, inFlight: 0, delayed: 0 };

describe('a mapping', () => {
  test('invokes the function with the SQS event and deletes the batch', async () => {
    const { runtime, mappings, send, depth } = cloud({}, () => ({ Payload: null }));
    await mappings.start?.();
    await send('one');
    await vi.waitFor(async () => expect(await depth()).toEqual(empty));
    const invoke = runtime.calls.find((call) => call.service === 'lambda');
    expect(invoke?.caller).toMatchObject({ kind: 'service', service: 'lambda.amazonaws.com' });
    expect(invoke?.input.Payload.Records).toMatchObject([
      {
        messageId: expect.any(String),
        receiptHandle: expect.any(String),
        body: 'one',
        attributes: { ApproximateReceiveCount: '1', SentTimestamp: expect.any(String) },
        messageAttributes: {},
        eventSource: 'aws:sqs',
        eventSourceARN: queueArn('work'),
        awsRegion: 'eu-west-1',
      },
    ]);
    const receive = runtime.calls.find((call) => call.operation === 'ReceiveMessage');
    expect(receive?.caller).toEqual({ kind: 'role', roleArn });
  });

  test('takes no more than its batch size', async () => {
    const { mappings, send, batches, depth } = cloud({ BatchSize: 2 }, () => ({ Payload: null }));
    await send('1', '2', '3', '4', '5');
    await mappings.start?.();
    await vi.waitFor(async () => expect(await depth()).toEqual(empty));
    expect(batches.map((batch) => batch.length)).toEqual([2, 2, 1]);
  });

  test('keeps only the reported failures, which come back after the visibility timeout', async () => {
    const { runtime, mappings, send, batches, depth } = cloud(
      { FunctionResponseTypes: ['ReportBatchItemFailures'] },
      ({ Records }) => ({
        Payload: {
          batchItemFailures: Records.filter(
            (record: any) => record.body === 'bad' && record.attributes.ApproximateReceiveCount === '1',
          ).map((record: any) => ({ itemIdentifier: record.messageId })),
        },
      }),
    );
    await send('good', 'bad');
    await mappings.start?.();
    await vi.waitFor(async () => expect(await depth()).toEqual({ ...empty, inFlight: 1 }));
    await runtime.clock.advance(60_000);
    await vi.waitFor(async () => expect(await depth()).toEqual(empty));
    expect(batches).toEqual([['good', 'bad'], ['bad']]);
  });

  test.each([
    ['an unknown id', { Payload: { batchItemFailures: [{ itemIdentifier: 'unknown' }] } }],
    ['an empty id', { Payload: { batchItemFailures: [{ itemIdentifier: '' }] } }],
    ['no list', { Payload: { batchItemFailures: 'all' } }],
    ['a string', { Payload: 'ok' }],
    ['a function error', { FunctionError: 'Unhandled', Payload: { batchItemFailures: [] } }],
  ])('treats the whole batch as failed when the answer is %s', async (_case, answer) => {
    const { mappings, send, batches, depth } = cloud(
      { FunctionResponseTypes: ['ReportBatchItemFailures'] },
      () => answer,
    );
    await send('1', '2');
    await mappings.start?.();
    await vi.waitFor(() => expect(batches).toHaveLength(1));
    expect(await depth()).toEqual({ ...empty, inFlight: 2 });
  });

  test('runs no more batches at once than MaximumConcurrency', async () => {
    let running = 0;
    let most = 0;
    const releases: (() => void)[] = [];
    const { mappings, send, batches, depth } = cloud(
      { BatchSize: 1, ScalingConfig: { MaximumConcurrency: 2 } },
      async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise<void>((resolve) => releases.push(resolve));
        running -= 1;
        return { Payload: null };
      },
    );
    await send('1', '2', '3', '4', '5');
    await mappings.start?.();
    while (batches.length < 5 || running > 0) {
      await vi.waitFor(() => expect(releases.length).toBeGreaterThan(0));
      for (const release of releases.splice(0)) release();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await vi.waitFor(async () => expect(await depth()).toEqual(empty));
    expect(most).toBe(2);
  });

  test('deletes what its filter does not want without invoking', async () => {
    const { mappings, send, batches, depth } = cloud(
      { FilterCriteria: { Filters: [{ Pattern: '{"body":{"kind":["wanted"]}}' }] } },
      () => ({ Payload: null }),
    );
    await send('{"kind":"wanted"}', '{"kind":"other"}', 'no json');
    await mappings.start?.();
    await vi.waitFor(async () => expect(await depth()).toEqual(empty));
    expect(batches).toEqual([['{"kind":"wanted"}']]);
  });

  test.each(['ReceiveMessage', 'GetQueueAttributes'])(
    'does not run without sqs:%s, and runs once it is granted',
    async (action) => {
      const { runtime, mappings, send, batches } = cloud({}, () => ({ Payload: null }));
      const denial = `sqs:${action} ${queueArn('work')}`;
      runtime.denied.add(denial);
      await send('one');
      await mappings.start?.();
      await vi.waitFor(() => expect(runtime.logs.join()).toContain(action));
      expect(batches).toEqual([]);
      runtime.denied.delete(denial);
      await vi.waitFor(() => expect(batches).toEqual([['one']]), { timeout: 5000 });
    },
  );

  test('does not lose a message when the role may not delete it', async () => {
    const { runtime, mappings, send, depth } = cloud({}, () => ({ Payload: null }));
    runtime.denied.add(`sqs:DeleteMessage ${queueArn('work')}`);
    await send('one');
    await mappings.start?.();
    await vi.waitFor(() => expect(runtime.logs.join()).toContain('DeleteMessage'));
    expect(await depth()).toEqual({ ...empty, inFlight: 1 });
  });
});
