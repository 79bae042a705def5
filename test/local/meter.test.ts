import { describe, expect, it, onTestFinished, test } from 'vitest';
import { ContentionWindow } from '../../local/contention.ts';
import { createDynamoDb } from '../../local/dynamodb.ts';
import { capacityOf, itemBytes } from '../../local/dynamodb-capacity.ts';
import { createEvents } from '../../local/events.ts';
import {
  accessLogBytes,
  executionLogBytes,
  platformLogBytes,
  writtenLogBytes,
} from '../../local/log-bytes.ts';
import { RequestMeter } from '../../local/meter.ts';
import { costOf, priceOf } from '../../local/pricing.ts';
import { startRuntime } from '../../local/runtime.ts';
import { createSqs } from '../../local/sqs.ts';
import { StreamSignal } from '../../local/streams.ts';
import type { Caller } from '../../local/types.ts';
import { fakeRuntime, operator, queue, resource, temporaryFolder } from './support/runtime.ts';
import { attribute, roleFor, table, writeAssembly } from './support/templates.ts';

/** A table with an index on `group` that projects `shown`, and a role that may do everything to it. */
async function startTable() {
  const Orders = table({
    TableName: 'orders',
    AttributeDefinitions: ['pk', 'sk', 'group'].map((AttributeName) => ({
      AttributeName,
      AttributeType: 'S',
    })),
    GlobalSecondaryIndexes: [
      {
        IndexName: 'by-group',
        KeySchema: [{ AttributeName: 'group', KeyType: 'HASH' }],
        Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['shown'] },
      },
    ],
  });
  const own = attribute('Orders');
  const Worker = roleFor('lambda', ['dynamodb:*'], [own, { 'Fn::Join': ['', [own, '/index/*']] }]);
  const assembly = writeAssembly({ shop: { Resources: { Orders, Worker } } });
  const contention = new ContentionWindow(undefined);
  let dynamodb: ReturnType<typeof createDynamoDb> | undefined;
  const cloud = await startRuntime({ assembly, home: temporaryFolder(), quiet: true }, [
    (runtime) => {
      dynamodb = createDynamoDb(runtime, contention, new StreamSignal());
      return dynamodb;
    },
  ]);
  onTestFinished(() => cloud.stop());
  const { meter } = cloud.runtime;
  const role: Caller = { kind: 'role', roleArn: cloud.runtime.resources('AWS::IAM::Role')[0]!.arn };
  /** What a request is billed as, whether it succeeds or not. */
  const billed = async (operation: string, input: object) => {
    meter.reset();
    await dynamodb!.call(operation, input, role).catch((error: Error) => error);
    return Object.assign({}, ...meter.read().lines.map(({ counts }) => counts));
  };
  return { billed, contention, meter, call: dynamodb!.call, role };
}

const TableName = 'orders';
const key = (pk: string) => ({ pk: { S: pk }, sk: { S: '1' } });
const item = (pk: string, bytes: number, more: object = {}) => ({
  ...key(pk),
  text: { S: 'x'.repeat(bytes) },
  ...more,
});
const isNew = { ConditionExpression: 'attribute_not_exists(pk)' };
const shown = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' };

describe('request units of DynamoDB', () => {
  it('bills writes by the KB, and an index only when what it holds changes', async () => {
    const { billed } = await startTable();
    const grouped = { group: { S: 'g' }, shown: { S: 'a' } };
    expect(await billed('PutItem', { TableName, Item: item('1', 100) })).toEqual({ writeUnits: 1 });
    expect(await billed('PutItem', { TableName, Item: item('1', 1_100) })).toEqual({ writeUnits: 2 });
    expect(await billed('PutItem', { TableName, Item: item('1', 100) })).toEqual({ writeUnits: 2 });
    expect(await billed('PutItem', { TableName, Item: item('2', 1_500, grouped) })).toEqual({
      writeUnits: 3,
      indexWriteUnits: 1,
    });
    expect(await billed('PutItem', { TableName, Item: item('2', 1_600, grouped) })).toEqual({
      writeUnits: 2,
    });
    const moved = { ...grouped, group: { S: 'h' } };
    expect(await billed('PutItem', { TableName, Item: item('2', 1_600, moved) })).toEqual({
      writeUnits: 4,
      indexWriteUnits: 2,
    });
    const puts = [item('3', 100), item('4', 1_100)].map((Item) => ({ PutRequest: { Item } }));
    expect(await billed('BatchWriteItem', { RequestItems: { orders: puts } })).toEqual({ writeUnits: 3 });
  });

  it('bills a transaction twice, its index writes included', async () => {
    const { billed } = await startTable();
    const TransactItems = [
      { Put: { TableName, Item: item('1', 1_100, { group: { S: 'g' } }) } },
      { Put: { TableName, Item: item('2', 100) } },
    ];
    expect(await billed('TransactWriteItems', { TransactItems })).toEqual({
      writeUnits: 8,
      indexWriteUnits: 2,
    });
    const reads = [{ Get: { TableName, Key: key('1') } }];
    expect(await billed('TransactGetItems', { TransactItems: reads })).toEqual({ readUnits: 2 });
  });

  it('bills failed conditions and cancelled transactions', async () => {
    const { billed } = await startTable();
    await billed('PutItem', { TableName, Item: item('1', 1_500) });
    const again = { TableName, Item: item('1', 100), ...isNew };
    expect(await billed('PutItem', again)).toEqual({ writeUnits: 1 });
    expect(await billed('PutItem', { ...again, ...shown })).toEqual({ writeUnits: 2 });
    const TransactItems = [{ Put: { TableName, Item: item('2', 1_500) } }, { Put: { ...again, ...shown } }];
    const { meter, call, role } = await startTable();
    await call('PutItem', { TableName, Item: item('1', 1_500) }, role);
    meter.reset();
    await expect(call('TransactWriteItems', { TransactItems }, role)).rejects.toThrow('cancelled');
    expect(meter.read().lines).toMatchObject([{ counts: { writeUnits: 8 } }]);
  });

  it('bills a write that meets a transaction, and nothing that is not valid or not allowed', async () => {
    const { billed, contention } = await startTable();
    contention.set(50);
    const transaction = billed('TransactWriteItems', {
      TransactItems: [{ Put: { TableName, Item: item('1', 10) } }],
    });
    const [, conflicting] = await Promise.all([
      transaction,
      billed('PutItem', { TableName, Item: item('1', 10) }),
    ]);
    contention.set(undefined);
    expect(conflicting).toEqual({ writeUnits: 1 });
    expect(await billed('PutItem', { TableName, Item: { pk: { S: '1' } } })).toEqual({});
  });

  it('bills reads by 4 KB: half when eventual, together in a query, one by one in a batch', async () => {
    const { billed } = await startTable();
    await billed('PutItem', { TableName, Item: item('1', 5_000) });
    await billed('PutItem', { TableName, Item: item('2', 100, { group: { S: 'g' } }) });
    expect(await billed('GetItem', { TableName, Key: key('1') })).toEqual({ readUnits: 1 });
    expect(await billed('GetItem', { TableName, Key: key('1'), ConsistentRead: true })).toEqual({
      readUnits: 2,
    });
    expect(await billed('GetItem', { TableName, Key: key('none') })).toEqual({ readUnits: 0.5 });
    const Keys = [key('1'), key('2'), key('none')];
    expect(await billed('BatchGetItem', { RequestItems: { orders: { Keys } } })).toEqual({ readUnits: 2 });
    const ofGroup = {
      TableName,
      IndexName: 'by-group',
      KeyConditionExpression: '#group = :group',
      ExpressionAttributeNames: { '#group': 'group' },
      ExpressionAttributeValues: { ':group': { S: 'g' } },
    };
    expect(await billed('Query', ofGroup)).toEqual({ readUnits: 0.5 });
  });

  it('answers what was asked and no more', async () => {
    const { call, role } = await startTable();
    expect(await call('PutItem', { TableName, Item: item('1', 10) }, role)).toEqual({});
    const asked = await call('GetItem', { TableName, Key: key('1'), ReturnConsumedCapacity: 'TOTAL' }, role);
    expect(asked.ConsumedCapacity).toMatchObject({ CapacityUnits: 0.5 });
  });

  it('takes an item’s size from its names and values', () => {
    expect(itemBytes({ pk: { S: 'é' } })).toBe(4);
    expect(itemBytes({ n: { N: '123' } })).toBe(4);
    expect(itemBytes({ m: { M: { a: { BOOL: true } } } })).toBe(1 + 3 + 1 + 2);
    expect(itemBytes({ l: { L: [{ S: 'ab' }] } })).toBe(1 + 3 + 1 + 2);
  });

  it('adds up the tables of a transaction each for itself', () => {
    const consumed = ['a', 'b'].map((name) => ({ TableName: name, CapacityUnits: 2 }));
    expect(capacityOf('TransactWriteItems', consumed)).toEqual([
      { table: 'a', counts: { writeUnits: 2 } },
      { table: 'b', counts: { writeUnits: 2 } },
    ]);
  });
});

describe('the meter', () => {
  const fn = resource(
    'AWS::Lambda::Function',
    'place',
    { Role: 'arn:role/place' },
    'arn:aws:lambda:eu-west-1:111122223333:function:place',
  );
  const line = { service: 'sqs', resource: 'work', operation: 'SendMessage' };

  it('adds up by service, resource, operation and caller, and names the caller by its role', () => {
    const meter = new RequestMeter([fn], () => 0);
    const by: Caller = { kind: 'role', roleArn: 'arn:role/place' };
    meter.add({ ...line, by, counts: { requests: 1 } });
    meter.add({ ...line, by, counts: { requests: 2 } });
    meter.add({ ...line, by: 'rule', counts: { requests: 1 } });
    expect(meter.read().lines).toEqual([
      { ...line, by: 'place', counts: { requests: 3 } },
      { ...line, by: 'rule', counts: { requests: 1 } },
    ]);
  });

  it('begins anew when it is reset, and what was read stays as it was', () => {
    let now = 0;
    const meter = new RequestMeter([], () => now);
    meter.add({ ...line, by: '', counts: { requests: 1 } });
    const before = meter.read();
    now = 60_000;
    meter.reset();
    meter.add({ ...line, by: '', counts: { requests: 5 } });
    expect(before.lines[0]?.counts).toEqual({ requests: 1 });
    expect(meter.read()).toMatchObject({
      since: '1970-01-01T00:01:00.000Z',
      lines: [{ counts: { requests: 5 } }],
    });
  });

  it('is priced by the one table', () => {
    expect(priceOf('dynamodb.writeUnits', 1_000_000)).toBe(0.625);
    expect(costOf({ service: 'sqs', counts: { requests: 1_000_000, unheardOf: 5 } })).toBeCloseTo(0.4);
  });
});

describe('messages and events', () => {
  const role: Caller = { kind: 'role', roleArn: 'arn:aws:iam::111122223333:role/worker' };

  test('a queue bills by call and by 64 KB; a poll that finds nothing apart, an operator’s look not', async () => {
    const runtime = fakeRuntime({ resources: [queue('work')] });
    const sqs = runtime.use(createSqs);
    const QueueUrl = queue('work').ref;
    const counts = () =>
      Object.fromEntries(runtime.meter.read().lines.map((line) => [line.operation, line.counts]));
    await sqs.call('ReceiveMessage', { QueueUrl }, role);
    await sqs.call('SendMessage', { QueueUrl, MessageBody: 'x'.repeat(65 * 1024) }, role);
    await sqs.call('ReceiveMessage', { QueueUrl }, operator);
    await expect(sqs.call('SendMessage', { QueueUrl }, role)).rejects.toThrow();
    expect(counts()).toEqual({ ReceiveMessage: { emptyPolls: 1 }, SendMessage: { requests: 2 } });
  });

  test('a bus bills each event that it takes, and its archive by bytes', async () => {
    const busArn = 'arn:aws:events:eu-west-1:111122223333:event-bus/store';
    const runtime = fakeRuntime({
      resources: [
        resource('AWS::Events::EventBus', 'store', {}, busArn),
        resource('AWS::Events::Archive', 'all', { SourceArn: busArn }, 'arn:archive/all'),
      ],
    });
    const events = runtime.use(createEvents);
    const entry = { EventBusName: 'store', Source: 's', DetailType: 't', Detail: '{}' };
    await events.call('PutEvents', { Entries: [entry, entry, { ...entry, Source: '' }] }, role);
    expect(runtime.meter.read().lines).toMatchObject([
      { resource: 'store', counts: { events: 2, bytes: 8, archivedBytes: 8 } },
    ]);
  });
});

describe('log bytes', () => {
  it('counts each line and 26 bytes more', () => {
    expect(writtenLogBytes('one\ntwo\n')).toBe(6 + 2 * 26);
    expect(writtenLogBytes('é\n')).toBe(2 + 26);
  });

  it('counts what AWS itself writes, unless it is told to write warnings only', () => {
    const fn = (SystemLogLevel: string) =>
      resource('AWS::Lambda::Function', 'place', { LoggingConfig: { LogFormat: 'JSON', SystemLogLevel } });
    expect(platformLogBytes(fn('INFO'))).toBeGreaterThan(500);
    expect(platformLogBytes(fn('WARN'))).toBe(0);
    const machine = (Level: string) =>
      resource('AWS::StepFunctions::StateMachine', 'checkout', { LoggingConfiguration: { Level } });
    expect(executionLogBytes(machine('ALL'), 20, false)).toBeGreaterThan(20 * 300);
    expect(executionLogBytes(machine('ERROR'), 20, false)).toBe(0);
    expect(executionLogBytes(machine('ERROR'), 20, true)).toBeGreaterThan(0);
  });

  it('fills in the access log’s format', () => {
    expect(accessLogBytes('{"route":"$context.routeKey"}', { routeKey: 'GET /' })).toBe(17 + 26);
    expect(accessLogBytes(undefined, {})).toBe(0);
  });
});
