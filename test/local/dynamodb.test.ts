import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DynamoDBClient,
  type DynamoDBServiceException,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactGetItemsCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ContentionWindow } from '../../local/contention.ts';
import { createDynamoDb } from '../../local/dynamodb.ts';
import { accessKeyFor, OPERATOR_ACCESS_KEY } from '../../local/iam.ts';
import type { LimitOptions } from '../../local/limits.ts';
import { commandOf } from '../../local/processes.ts';
import { type RunningCloud, startRuntime } from '../../local/runtime.ts';
import { StreamSignal } from '../../local/streams.ts';
import { temporaryFolder } from './support/runtime.ts';
import { attribute, roleFor, type TemplateSource, table, writeAssembly } from './support/templates.ts';

interface Options {
  readonly home?: string;
  readonly table?: ReturnType<typeof table>;
  readonly resources?: TemplateSource['Resources'];
  readonly windowMs?: number;
  readonly limits?: LimitOptions;
}

/** A cloud of one table, `orders`, and DynamoDB alone. */
async function start(options: Options = {}): Promise<RunningCloud & { contention: ContentionWindow }> {
  const Orders = options.table ?? table({ TableName: 'orders' });
  const assembly = writeAssembly({ shop: { Resources: { Orders, ...options.resources } } });
  const home = options.home ?? temporaryFolder();
  const contention = new ContentionWindow(options.windowMs);
  const cloud = await startRuntime(
    { assembly, home, quiet: true, ...(options.limits && { limits: options.limits }) },
    [(runtime) => createDynamoDb(runtime, contention, new StreamSignal())],
  );
  onTestFinished(() => cloud.stop());
  return { ...cloud, contention };
}

function clientOf(cloud: RunningCloud, accessKeyId = OPERATOR_ACCESS_KEY): DynamoDBClient {
  const client = new DynamoDBClient({
    endpoint: cloud.runtime.endpoint,
    region: cloud.runtime.region,
    credentials: { accessKeyId, secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  onTestFinished(() => client.destroy());
  return client;
}

const TableName = 'orders';
const key = (pk: string) => ({ pk: { S: pk }, sk: { S: '1' } });
const put = (pk: string, more = {}) => new PutItemCommand({ TableName, Item: { ...key(pk), ...more } });
const get = (pk: string) => new GetItemCommand({ TableName, Key: key(pk), ConsistentRead: true });
const putAction = (pk: string, more = {}) => ({ Put: { TableName, Item: { ...key(pk), ...more } } });
const transaction = (pks: readonly string[], ClientRequestToken?: string) =>
  new TransactWriteItemsCommand({
    TransactItems: pks.map((pk) => putAction(pk)),
    ...(ClientRequestToken && { ClientRequestToken }),
  });

describe('imposed limits', () => {
  it('throttle a hot key over the wire: a write, a transaction, and what is left of a batch', async () => {
    const actions = ['dynamodb:PutItem', 'dynamodb:BatchWriteItem'];
    const Worker = roleFor('lambda', actions, attribute('Orders'));
    // A unit a partition at first; what it owes is paid back slowly.
    const factors = { 'dynamodb.partitionWriteUnits': 0.000_5 };
    const cloud = await start({ resources: { Worker }, limits: { factors } });
    const role = cloud.runtime.resources('AWS::IAM::Role')[0]!;
    const client = clientOf(cloud, accessKeyFor(role.arn));
    await client.send(put('hot', { text: { S: 'x'.repeat(2_500) } }));
    await expect(client.send(put('hot'))).rejects.toMatchObject({
      name: 'ThrottlingException',
      $metadata: { httpStatusCode: 400 },
    });
    const cancelled = await client.send(transaction(['cold', 'hot'])).catch((error) => error);
    expect(cancelled).toBeInstanceOf(TransactionCanceledException);
    expect(cancelled.CancellationReasons.map(({ Code }: any) => Code)).toEqual(['None', 'ThrottlingError']);
    const writes = ['hot', 'cold'].map((pk) => ({ PutRequest: { Item: key(pk) } }));
    const batch = await client.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: writes } }));
    expect(batch.UnprocessedItems).toEqual({ [TableName]: [writes[0]] });
    const throttles = cloud.runtime.meter.read().lines.filter(({ counts }) => counts.throttles);
    expect(throttles.map(({ operation, resource }) => `${operation} ${resource}`).sort()).toEqual([
      `PutItem ${TableName}`,
      `TransactWriteItems ${TableName}`,
    ]);
  });
});

describe('permissions', () => {
  /** Runs a command as a role that is allowed `actions` on the table or its index. */
  async function asRole(actions: string[], resource: unknown, command: any): Promise<string> {
    const Worker = roleFor('lambda', actions, resource);
    const indexed = table({
      TableName,
      GlobalSecondaryIndexes: [
        {
          IndexName: 'by-sk',
          KeySchema: [{ AttributeName: 'sk', KeyType: 'HASH' }],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    });
    const cloud = await start({ table: indexed, resources: { Worker } });
    const role = cloud.runtime.resources('AWS::IAM::Role')[0]!;
    try {
      await clientOf(cloud, accessKeyFor(role.arn)).send(command);
      return 'allowed';
    } catch (error) {
      return (error as DynamoDBServiceException).name;
    }
  }
  const own = attribute('Orders');
  const index = { 'Fn::Join': ['', [own, '/index/by-sk']] };
  const condition = {
    ConditionCheck: { TableName, Key: key('b'), ConditionExpression: 'attribute_not_exists(pk)' },
  };
  const byIndex = {
    TableName,
    IndexName: 'by-sk',
    KeyConditionExpression: 'sk = :sk',
    ExpressionAttributeValues: { ':sk': { S: '1' } },
  };

  it.each<[string, string[], unknown, any, string]>([
    ['a write', ['dynamodb:PutItem'], own, put('a'), 'allowed'],
    ['a write with the permission to read', ['dynamodb:GetItem'], own, put('a'), 'AccessDeniedException'],
    ['an index', ['dynamodb:Query'], index, new QueryCommand(byIndex), 'allowed'],
    [
      'an index with the table alone',
      ['dynamodb:Query'],
      own,
      new QueryCommand(byIndex),
      'AccessDeniedException',
    ],
    ['a scan', ['dynamodb:Query'], own, new ScanCommand({ TableName }), 'AccessDeniedException'],
    ['a transaction', ['dynamodb:PutItem'], own, transaction(['a', 'b']), 'allowed'],
    [
      'a transaction, one action of which is not allowed',
      ['dynamodb:PutItem'],
      own,
      new TransactWriteItemsCommand({ TransactItems: [putAction('a'), condition] }),
      'AccessDeniedException',
    ],
    [
      'a batch of reads',
      ['dynamodb:BatchGetItem'],
      own,
      new BatchGetItemCommand({ RequestItems: { orders: { Keys: [key('a')] } } }),
      'allowed',
    ],
    [
      'a batch of writes with the permission to put',
      ['dynamodb:PutItem'],
      own,
      new BatchWriteItemCommand({ RequestItems: { orders: [{ PutRequest: { Item: key('a') } }] } }),
      'AccessDeniedException',
    ],
    [
      'a transaction of reads',
      ['dynamodb:GetItem'],
      own,
      new TransactGetItemsCommand({ TransactItems: [{ Get: { TableName, Key: key('a') } }] }),
      'allowed',
    ],
  ])('%s', async (_, actions, resource, command, expected) => {
    expect(await asRole(actions, resource, command)).toBe(expected);
  });

  it('take in the policy of the table’s key', async () => {
    const keyFor = (service: string) => ({
      Type: 'AWS::KMS::Key',
      Properties: {
        KeyPolicy: {
          Statement: {
            Effect: 'Allow',
            Principal: { AWS: '*' },
            Action: 'kms:Decrypt',
            Resource: '*',
            Condition: { StringEquals: { 'kms:ViaService': `${service}.ap-northeast-2.amazonaws.com` } },
          },
        },
      },
    });
    const outcome = async (service: string) => {
      const SSESpecification = { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: attribute('Key') };
      const Worker = roleFor('lambda', ['dynamodb:PutItem'], attribute('Orders'));
      const cloud = await start({
        table: table({ TableName, SSESpecification }),
        resources: { Worker, Key: keyFor(service) },
      });
      const role = cloud.runtime.resources('AWS::IAM::Role')[0]!;
      const sent = clientOf(cloud, accessKeyFor(role.arn)).send(put('a'));
      return sent.then(
        () => 'allowed',
        (error) => error.message,
      );
    };
    expect(await outcome('dynamodb')).toBe('allowed');
    expect(await outcome('s3')).toMatch(/is not authorized to perform kms:Decrypt/);
  });
});

describe('transactions', () => {
  it('tell which condition failed and what stood there', async () => {
    const client = clientOf(await start());
    await client.send(put('taken', { owner: { S: 'kim' } }));
    const refused = {
      Put: {
        ...putAction('taken').Put,
        ConditionExpression: 'attribute_not_exists(pk)',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
      },
    };
    const failure = await client
      .send(new TransactWriteItemsCommand({ TransactItems: [putAction('free'), refused] }))
      .catch((error) => error);
    expect(failure).toBeInstanceOf(TransactionCanceledException);
    expect(failure.CancellationReasons).toEqual([
      { Code: 'None' },
      {
        Code: 'ConditionalCheckFailed',
        Message: expect.any(String),
        Item: { ...key('taken'), owner: { S: 'kim' } },
      },
    ]);
    expect((await client.send(get('free'))).Item).toBeUndefined();
  });

  it('apply once however often they are repeated with their token', async () => {
    const client = clientOf(await start());
    const add = new TransactWriteItemsCommand({
      ClientRequestToken: 'once',
      TransactItems: [
        {
          Update: {
            TableName,
            Key: key('counter'),
            UpdateExpression: 'ADD n :one',
            ExpressionAttributeValues: { ':one': { N: '1' } },
          },
        },
      ],
    });
    await Promise.all([client.send(add), client.send(add)]);
    await client.send(add);
    expect((await client.send(get('counter'))).Item?.n).toEqual({ N: '1' });
  });
});

describe('contention', () => {
  const conflict = { Code: 'TransactionConflict', Message: 'Transaction is ongoing for the item' };

  /** Keeps a transaction on item `a` in flight; resolves to its outcome. */
  function hold(client: DynamoDBClient, token?: string): Promise<unknown> {
    return client.send(transaction(['a'], token)).catch((error) => error);
  }

  it('cancels a transaction that meets another, naming the item', async () => {
    const client = clientOf(await start({ windowMs: 1_000 }));
    const first = hold(client);
    const second = await vi.waitUntil(() =>
      client.send(transaction(['b', 'a'])).then(
        () => undefined,
        (error) => error,
      ),
    );
    expect(second).toBeInstanceOf(TransactionCanceledException);
    expect(second.CancellationReasons).toEqual([{ Code: 'None' }, conflict]);
    expect(await first).not.toBeInstanceOf(Error);
  });

  it('refuses a single write and a reading transaction, and lets plain reads pass', async () => {
    const cloud = await start();
    const client = clientOf(cloud);
    await client.send(put('a'));
    cloud.contention.set(1_000);
    const first = hold(client);
    const write = await vi.waitUntil(() =>
      client.send(put('a')).then(
        () => undefined,
        (error) => error,
      ),
    );
    const read = client.send(
      new TransactGetItemsCommand({ TransactItems: [{ Get: { TableName, Key: key('a') } }] }),
    );
    await expect(read).rejects.toMatchObject({ CancellationReasons: [conflict] });
    expect(write.name).toBe('TransactionConflictException');
    expect((await client.send(get('a'))).Item).toEqual(key('a'));
    await first;
    await client.send(put('a'));
  });

  it('does not set a repetition against itself', async () => {
    const client = clientOf(await start({ windowMs: 100 }));
    const outcomes = await Promise.all([hold(client, 'same'), hold(client, 'same')]);
    expect(outcomes.filter((outcome) => outcome instanceof Error)).toEqual([]);
  });

  it('is absent while the window is closed', async () => {
    const client = clientOf(await start());
    const all = Array.from({ length: 20 }, () => client.send(transaction(['a', 'b'])));
    await expect(Promise.all(all)).resolves.toHaveLength(20);
  });

  it('lets a transaction meet a single write in flight', async () => {
    const contention = new ContentionWindow(1);
    let finish = (): void => {};
    const writing = contention.write(['a'], () => new Promise<void>((done) => (finish = done)));
    const cancelled = contention.transaction(['b', 'a'], undefined, async () => {});
    await expect(cancelled).rejects.toMatchObject({
      members: { CancellationReasons: [{ Code: 'None' }, conflict] },
    });
    finish();
    await writing;
    await expect(contention.transaction(['b', 'a'], undefined, async () => 'done')).resolves.toBe('done');
  });
});

describe('what is kept', () => {
  it('survives a restart, and indexes are added to it', async () => {
    const home = temporaryFolder();
    const first = await start({ home });
    await clientOf(first).send(put('kept', { email: { S: 'a@example.com' } }));
    await first.stop();

    const definition = table({ TableName }).Properties;
    const second = await start({
      home,
      table: table({
        TableName,
        AttributeDefinitions: [
          ...definition.AttributeDefinitions,
          { AttributeName: 'email', AttributeType: 'S' },
        ],
        GlobalSecondaryIndexes: [
          {
            IndexName: 'by-email',
            KeySchema: [{ AttributeName: 'email', KeyType: 'HASH' }],
            Projection: { ProjectionType: 'ALL' },
          },
        ],
      }),
    });
    const found = await clientOf(second).send(
      new QueryCommand({
        TableName,
        IndexName: 'by-email',
        KeyConditionExpression: 'email = :email',
        ExpressionAttributeValues: { ':email': { S: 'a@example.com' } },
      }),
    );
    expect(found.Items).toEqual([{ ...key('kept'), email: { S: 'a@example.com' } }]);
  });

  it('is not forced into other keys', async () => {
    const home = temporaryFolder();
    await (await start({ home })).stop();
    const KeySchema = [{ AttributeName: 'pk', KeyType: 'HASH' }];
    const AttributeDefinitions = [{ AttributeName: 'pk', AttributeType: 'S' }];
    const changed = start({ home, table: table({ TableName, KeySchema, AttributeDefinitions }) });
    await expect(changed).rejects.toThrow(/key schema of the table orders .* --fresh/s);
  });

  it('belongs to one process', async () => {
    const home = temporaryFolder();
    await start({ home });
    await expect(start({ home })).rejects.toThrow(/already serving from/);
  });
});

it('leaves no process behind', async () => {
  const home = temporaryFolder();
  const cloud = await start({ home });
  const pid = Number(readFileSync(join(home, 'dynamodb.pid'), 'utf8'));
  expect(commandOf(pid)).toContain('dynoxide');
  await cloud.stop();
  expect(commandOf(pid)).toBeUndefined();
});

it('refuses operations that make tables, and tables that are not in the template', async () => {
  const cloud = await start();
  const call = (operation: string, input: object) =>
    cloud.runtime.call('dynamodb', operation, input, { kind: 'operator' });
  await expect(call('DeleteTable', { TableName })).rejects.toMatchObject({
    code: 'UnknownOperationException',
  });
  const missing = clientOf(cloud).send(
    new UpdateItemCommand({ TableName: 'others', Key: key('a'), UpdateExpression: 'REMOVE x' }),
  );
  await expect(missing).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});
