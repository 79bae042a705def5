import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ContentionWindow } from '../../local/contention.ts';
import { createDynamoDb, type DynamoDb } from '../../local/dynamodb.ts';
import { fillTemplate } from '../../local/pipe-template.ts';
import { createPipes } from '../../local/pipes.ts';
import { type RunningCloud, startRuntime } from '../../local/runtime.ts';
import { StreamSignal } from '../../local/streams.ts';
import { AwsError, type Caller, type Service } from '../../local/types.ts';
import { operator, temporaryFolder } from './support/runtime.ts';
import { attribute, roleFor, type TemplateSource, table, writeAssembly } from './support/templates.ts';

interface Options {
  readonly home?: string;
  readonly stream?: Record<string, unknown>;
  readonly filters?: { Pattern: string }[];
  readonly target?: Record<string, unknown>;
}

/** What the bus and the dead-letter queue of a test have taken, and how they take it. */
interface Outside {
  readonly entries: any[];
  readonly calls: any[][];
  readonly deadLetters: any[];
  readonly callers: Set<string>;
  /** Answers the next PutEvents in place of the bus; the entries it refuses by index, or an error. */
  refuse: ((entries: any[]) => number[]) | undefined;
}

function outside(): Outside {
  return { entries: [], calls: [], deadLetters: [], callers: new Set(), refuse: undefined };
}

function busAndQueue(seen: Outside): (() => Service)[] {
  const remember = (caller: Caller) =>
    seen.callers.add(caller.kind === 'role' ? caller.roleArn : caller.kind);
  const events = {
    name: 'events',
    async call(_: string, { Entries }: any, caller: Caller) {
      remember(caller);
      seen.calls.push(Entries);
      const refused = seen.refuse?.(Entries) ?? [];
      seen.entries.push(...Entries.filter((_: any, index: number) => !refused.includes(index)));
      return {
        FailedEntryCount: refused.length,
        Entries: Entries.map((_: any, index: number) =>
          refused.includes(index) ? { ErrorCode: 'InternalFailure' } : { EventId: String(index) },
        ),
      };
    },
  };
  const sqs = {
    name: 'sqs',
    async call(_: string, { MessageBody }: any, caller: Caller) {
      remember(caller);
      seen.deadLetters.push(JSON.parse(MessageBody));
    },
  };
  return [() => events, () => sqs];
}

function template(options: Options): TemplateSource {
  const actions = ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'];
  return {
    Resources: {
      Orders: table({ TableName: 'orders' }),
      Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'shop' } },
      DeadLetters: { Type: 'AWS::SQS::Queue' },
      Role: roleFor('pipes', actions, attribute('Orders', 'StreamArn')),
      Pipe: {
        Type: 'AWS::Pipes::Pipe',
        Properties: {
          RoleArn: attribute('Role'),
          Source: attribute('Orders', 'StreamArn'),
          Target: attribute('Bus'),
          SourceParameters: {
            DynamoDBStreamParameters: {
              StartingPosition: 'TRIM_HORIZON',
              DeadLetterConfig: { Arn: attribute('DeadLetters') },
              ...options.stream,
            },
            ...(options.filters && { FilterCriteria: { Filters: options.filters } }),
          },
          TargetParameters: options.target ?? { InputTemplate: '{"pk": <$.dynamodb.NewImage.pk.S>}' },
        },
      },
    },
  };
}

async function start(seen: Outside, options: Options = {}): Promise<RunningCloud> {
  const signal = new StreamSignal();
  let dynamodb: DynamoDb;
  const cloud = await startRuntime(
    {
      assembly: writeAssembly({ shop: template(options) }),
      home: options.home ?? temporaryFolder(),
      quiet: true,
    },
    [
      (runtime) => {
        dynamodb = createDynamoDb(runtime, new ContentionWindow(), signal);
        return dynamodb;
      },
      ...busAndQueue(seen),
      (runtime) => createPipes(runtime, signal, (stream, sequence) => dynamodb.passed(stream, sequence)),
    ],
  );
  onTestFinished(() => cloud.stop());
  return cloud;
}

const put = (cloud: RunningCloud, pk: string, more: object = {}) =>
  cloud.runtime.call(
    'dynamodb',
    'PutItem',
    { TableName: 'orders', Item: { pk: { S: pk }, sk: { S: '1' }, ...more } },
    operator,
  );

/** Writes all items in one transaction, so that they come out of the stream together. */
const putTogether = (cloud: RunningCloud, pks: readonly string[]) =>
  cloud.runtime.call(
    'dynamodb',
    'TransactWriteItems',
    {
      TransactItems: pks.map((pk) => ({
        Put: { TableName: 'orders', Item: { pk: { S: pk }, sk: { S: '1' } } },
      })),
    },
    operator,
  );

const delivered = (seen: Outside) => seen.entries.map((entry) => JSON.parse(entry.Detail).pk);

describe('a pipe', () => {
  it('takes no larger batch than its bus does', async () => {
    await expect(start(outside(), { stream: { BatchSize: 11 } })).rejects.toThrow(/batches of at most 10/);
  });

  it('carries what is written to the bus, shaped by its template and paths, as its role', async () => {
    const seen = outside();
    const cloud = await start(seen, {
      target: {
        InputTemplate:
          '{"id": "<$.dynamodb.NewImage.pk.S>", "event": <$.eventName>, "n": <$.dynamodb.NewImage.n>}',
        EventBridgeEventBusParameters: {
          Source: 'shop.order',
          DetailType: '$.dynamodb.NewImage.type.S',
          Time: '$.dynamodb.NewImage.at.S',
        },
      },
    });
    await put(cloud, 'say "hi"', {
      type: { S: 'order.placed' },
      n: { N: '7' },
      at: { S: '2026-01-02T03:04:05Z' },
    });
    await vi.waitFor(() => expect(seen.entries).toHaveLength(1));
    const { Detail, ...entry } = seen.entries[0];
    expect(JSON.parse(Detail)).toEqual({ id: 'say "hi"', event: 'INSERT', n: { N: '7' } });
    expect(entry).toEqual({
      EventBusName: 'arn:aws:events:ap-northeast-2:000000000000:event-bus/shop',
      Source: 'shop.order',
      DetailType: 'order.placed',
      Time: Date.UTC(2026, 0, 2, 3, 4, 5) / 1000,
    });
    expect([...seen.callers]).toEqual(['arn:aws:iam::000000000000:role/shop-Role']);
  });

  it('passes on only what a filter lets through', async () => {
    const seen = outside();
    const pattern = { eventName: ['INSERT'], dynamodb: { NewImage: { pk: { S: [{ prefix: 'evt' }] } } } };
    const cloud = await start(seen, { filters: [{ Pattern: JSON.stringify(pattern) }] });
    await put(cloud, 'evt1');
    await put(cloud, 'evt1', { changed: { BOOL: true } });
    await put(cloud, 'other');
    await put(cloud, 'evt2');
    await vi.waitFor(() => expect(delivered(seen)).toContain('evt2'));
    expect(delivered(seen)).toEqual(['evt1', 'evt2']);
  });

  it('calls the bus with at most ten entries', async () => {
    const seen = outside();
    const cloud = await start(seen);
    const pks = Array.from({ length: 25 }, (_, index) => `o${index}`);
    await putTogether(cloud, pks);
    await vi.waitFor(() => expect(delivered(seen)).toHaveLength(25));
    expect(delivered(seen)).toEqual(pks);
    expect(Math.max(...seen.calls.map((entries) => entries.length))).toBeLessThanOrEqual(10);
  });

  it('stands still without its role and goes on when it is given back', async () => {
    const seen = outside();
    const cloud = await start(seen);
    const giveBack = cloud.runtime.iam.revoke('arn:aws:iam::000000000000:role/shop-Role');
    const refused = new Promise((done) =>
      cloud.runtime.iam.onDecision(({ action, allowed }) => !allowed && done(action)),
    );
    await put(cloud, 'a');
    expect(await refused).toMatch(/^dynamodb:/);
    expect(seen.entries).toEqual([]);
    giveBack();
    await vi.waitFor(() => expect(delivered(seen)).toEqual(['a']));
  });
});

describe('failures', () => {
  it('of single entries repeat those alone', async () => {
    const seen = outside();
    const cloud = await start(seen);
    let times = 2;
    seen.refuse = (entries) =>
      times-- > 0 ? entries.flatMap((entry, index) => (entry.Detail.includes('b') ? [index] : [])) : [];
    await putTogether(cloud, ['a', 'b', 'c']);
    await vi.waitFor(() => expect(delivered(seen).sort()).toEqual(['a', 'b', 'c']));
    expect(seen.calls.map((entries) => entries.length)).toEqual([3, 1, 1]);
  });

  it('of a whole call halve the batch until the bad record stands alone and goes to the queue', async () => {
    const seen = outside();
    const cloud = await start(seen, {
      stream: { OnPartialBatchItemFailure: 'AUTOMATIC_BISECT', MaximumRetryAttempts: 1 },
    });
    seen.refuse = (entries) => {
      if (entries.some((entry) => entry.Detail.includes('bad')))
        throw new AwsError('ValidationException', 'bad');
      return [];
    };
    await putTogether(cloud, ['a', 'b', 'bad', 'c']);
    await put(cloud, 'later');
    await vi.waitFor(() => expect(delivered(seen)).toEqual(['a', 'b', 'c', 'later']));
    expect(seen.deadLetters).toMatchObject([
      {
        context: { condition: 'RetryAttemptsExhausted' },
        DDBStreamBatchInfo: { batchSize: 1, startSequenceNumber: '3', endSequenceNumber: '3' },
      },
    ]);
  });
});

describe('over restarts', () => {
  it('nothing is lost and what was delivered is not repeated', async () => {
    const home = temporaryFolder();
    const first = outside();
    const before = await start(first, { home });
    await put(before, 'a');
    await vi.waitFor(() => expect(delivered(first)).toEqual(['a']));
    const attempted = new Promise<void>((done) => {
      first.refuse = (entries) => {
        done();
        return entries.map((_, index) => index);
      };
    });
    await put(before, 'b');
    await attempted;
    await before.stop();
    expect(delivered(first)).toEqual(['a']);

    const second = outside();
    await start(second, { home });
    await vi.waitFor(() => expect(delivered(second)).toEqual(['b']));
  });

  it('a pipe that starts with the latest passes over what was there before it, once', async () => {
    const home = temporaryFolder();
    const first = outside();
    const stopped = await start(first, { home });
    await put(stopped, 'old');
    await vi.waitFor(() => expect(delivered(first)).toEqual(['old']));
    stopped.runtime.db.exec('DELETE FROM pipes_checkpoints');
    await stopped.stop();

    const second = outside();
    const cloud = await start(second, { home, stream: { StartingPosition: 'LATEST' } });
    await put(cloud, 'new');
    await vi.waitFor(() => expect(delivered(second)).toEqual(['new']));
  });
});

it('records that every pipe has passed are deleted, and numbering goes on', async () => {
  const seen = outside();
  const home = temporaryFolder();
  const cloud = await start(seen, { home });
  const pks = Array.from({ length: 10 }, (_, index) => `o${index}`);
  await putTogether(cloud, pks);
  const records = new DatabaseSync(join(home, 'dynamodb.sqlite'), { readOnly: true });
  onTestFinished(() => records.close());
  const numbers = () =>
    records
      .prepare('SELECT sequence_number AS n FROM _stream_records')
      .all()
      .map((row) => row.n);
  await vi.waitFor(() => expect(numbers()).toEqual(['10']), { timeout: 10_000, interval: 50 });
  await put(cloud, 'next');
  await vi.waitFor(() => expect(delivered(seen)).toContain('next'));
  expect(numbers()).toContain('11');
});

describe('input templates', () => {
  const variables = {
    'aws.pipes.pipe-arn': 'arn',
    'aws.pipes.pipe-name': 'orders',
    'aws.pipes.source-arn': 'source',
    'aws.pipes.target-arn': 'target',
  };
  const event = { a: { b: 'x"y\n' }, n: 5, list: [{ id: 'one' }], o: { p: [true] } };

  it.each<[string, string]>([
    ['{"v": "<$.a.b>"}', '{"v": "x\\"y\\n"}'],
    ['{"v": <$.a.b>}', '{"v": "x\\"y\\n"}'],
    ['{"v": "n is <$.n>"}', '{"v": "n is 5"}'],
    ['{"v": <$.list[0].id>}', '{"v": "one"}'],
    ['{"v": <$.o>, "w": "<$.o>"}', '{"v": {"p":[true]}, "w": "{\\"p\\":[true]}"}'],
    ['{"v": <$.missing.path>, "w": "<$.missing>"}', '{"v": null, "w": ""}'],
    ['{"v": "<aws.pipes.pipe-name>"}', '{"v": "orders"}'],
    ['{"v": "a \\"<$.n>\\" < b"}', '{"v": "a \\"5\\" < b"}'],
  ])('%s', (template, expected) => {
    expect(fillTemplate(template, event, variables)).toBe(expected);
    expect(() => JSON.parse(expected)).not.toThrow();
  });
});
