import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactGetCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Chance } from '../../bench/simulation/chance.ts';
import { type Change, Tables } from '../../bench/simulation/tables.ts';
import { canonicalJson } from '../../functions/kernel/ids.ts';
import { orderTable } from '../../functions/order/table.infra.ts';
import { reportingTable } from '../../functions/reporting/table.infra.ts';
import type { TableSpec } from '../../lib/constructs/function-spec.ts';
import { startDynamo, type TestDynamo } from '../support/dynamo.ts';

/*
 * The simulated tables against a real engine: the same random commands, one after another, get the same answers, the
 * same refusals with the same reasons, leave the same items, and tell their streams the same changes.
 */

const runs = 40;
const commandsPerRun = 90;

let dynamo: TestDynamo;
beforeAll(async () => {
  dynamo = await startDynamo(orderTable, reportingTable);
});
afterAll(() => dynamo?.stop());

const specs = [orderTable, reportingTable].map(
  (spec) => ({ ...spec, name: `test-${spec.name}` }) as unknown as TableSpec,
);

/** Random commands over few keys and attributes, so that they meet. */
class Commands {
  readonly #chance: Chance;
  readonly #run: number;
  #drawn = 0;

  constructor(run: number) {
    this.#run = run;
    this.#chance = new Chance(run);
  }

  #pick<T>(values: readonly T[]): T {
    return this.#chance.pick(`${++this.#drawn}`, values);
  }

  #key() {
    return {
      pk: `run-${this.#run}-${this.#pick([1, 2])}`,
      sk: this.#pick(['EVENT#1', 'EVENT#2', 'ROW', 'X']),
    };
  }

  #item() {
    return {
      ...this.#key(),
      ...(this.#pick([true, false]) && { n: this.#pick([0, 1, 2, -3]) }),
      ...(this.#pick([true, false]) && { s: this.#pick(['a', 'ab', 'b']) }),
      ...(this.#pick([true, false, false]) && { n: 'no number' }),
      ...(this.#pick([true, false]) && { l: this.#pick([[], [1, 'a'], [null, true]]) }),
      ...(this.#pick([true, false]) && { m: { a: 1, b: { c: 'd' } } }),
      ...(this.#pick([true, false]) && {
        dueKey: `DUE#${this.#run}-${this.#pick([1, 2])}`,
        dueAt: `2026-0${this.#pick([1, 2, 3])}#${this.#pick(['x', 'y', 'z'])}`,
      }),
    };
  }

  #given(expression: string) {
    const values: Readonly<Record<string, any>> = {
      ':n': this.#pick([0, 1, 2]),
      ':k': this.#pick([1, 2, 3]),
      ':s': this.#pick(['a', 'ab', 'b', 1]),
      ':p': this.#pick(['E', 'EVENT', 'R']),
      ':t': this.#pick(['N', 'S', 'L', 'M', 'BOOL']),
      ':l': this.#pick([[1], ['a', null]]),
      ':m': { a: 1, b: { c: this.#pick(['d', 'e']) } },
    };
    const used = new Set(expression.match(/:\w+/g));
    const names = expression.includes('#n') ? { ExpressionAttributeNames: { '#n': 'n' } } : {};
    const given = Object.fromEntries(Object.entries(values).filter(([name]) => used.has(name)));
    return { ...names, ...(used.size > 0 && { ExpressionAttributeValues: given }) };
  }

  #condition(): string | undefined {
    const atom = () =>
      this.#pick([
        'attribute_exists(pk)',
        'attribute_not_exists(pk)',
        'attribute_not_exists(s)',
        'attribute_type(s, :t)',
        '#n = :n',
        '#n <> :n',
        's <> :s',
        'n >= :n',
        'n < :k',
        's > :s',
        's <= :s',
        'n IN (:n, :k)',
        'begins_with(sk, :e)',
        'contains(l, :s)',
        'size(l) > :n',
        'm = :m',
      ]).replace(':e', ':p');
    const [a, b, c] = [atom(), atom(), atom()];
    return this.#pick([
      undefined,
      a,
      a,
      `NOT ${a}`,
      `${a} AND ${b}`,
      `${a} OR ${b} AND ${c}`,
      `(${a} OR ${b}) AND NOT (${c})`,
    ]);
  }

  #conditioned(expression = '') {
    const condition = this.#condition();
    return {
      ...(condition && { ConditionExpression: condition }),
      ...this.#given(`${expression} ${condition ?? ''}`),
    };
  }

  #update() {
    const UpdateExpression = this.#pick([
      'SET n = :n',
      'SET n = n + :k',
      'SET n = if_not_exists(n, :n) - :k, s = :s',
      'SET #n = :k REMOVE s',
      'SET l = list_append(l, :l)',
      'SET s = s',
      'REMOVE s, l',
      'ADD n :k',
      'SET m = :m ADD n :k',
      'SET dueKey = :d, dueAt = :e',
      'REMOVE dueKey',
    ]);
    const due = UpdateExpression.includes(':d');
    const conditioned = this.#conditioned(UpdateExpression);
    return {
      UpdateExpression,
      ...conditioned,
      ...(due && {
        ExpressionAttributeValues: {
          ...conditioned.ExpressionAttributeValues,
          ':d': `DUE#${this.#run}-1`,
          ':e': '2026-02#u',
        },
      }),
    };
  }

  #table() {
    return this.#pick(['test-order', 'test-order', 'test-reporting']);
  }

  #action(): any {
    const TableName = this.#table();
    const old = this.#pick([{}, { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }]);
    switch (this.#pick(['Put', 'Update', 'Delete', 'ConditionCheck'])) {
      case 'Put':
        return { Put: { TableName, Item: this.#item(), ...this.#conditioned(), ...old } };
      case 'Update':
        return { Update: { TableName, Key: this.#key(), ...this.#update(), ...old } };
      case 'Delete':
        return { Delete: { TableName, Key: this.#key(), ...this.#conditioned(), ...old } };
      default: {
        const ConditionExpression = this.#condition() ?? 'attribute_exists(pk)';
        const given = this.#given(ConditionExpression);
        return { ConditionCheck: { TableName, Key: this.#key(), ConditionExpression, ...given, ...old } };
      }
    }
  }

  #query(): any {
    const TableName = 'test-order';
    const index = this.#pick([true, false]);
    const partition = index ? `DUE#${this.#run}-1` : `run-${this.#run}-1`;
    const [pk, sk] = index ? ['dueKey', 'dueAt'] : ['pk', 'sk'];
    const range = this.#pick([
      '',
      `AND begins_with(${sk}, :from)`,
      `AND ${sk} BETWEEN :from AND :to`,
      `AND ${sk} >= :from`,
    ]);
    const filter = this.#pick([undefined, 'attribute_exists(n)', 'sk <> :x']);
    return {
      TableName,
      ...(index ? { IndexName: 'by-due' } : { ConsistentRead: true }),
      KeyConditionExpression: `${pk} = :partition ${range}`,
      ...(filter && !index && { FilterExpression: filter.replace('sk <> :x', 's <> :x') }),
      ...(this.#pick([true, false]) && { Limit: this.#pick([1, 2, 3]) }),
      ...(this.#pick([true, false]) && { ScanIndexForward: this.#pick([true, false]) }),
      ...(this.#pick([true, false, false]) && { Select: 'COUNT' }),
      ExpressionAttributeValues: {
        ':partition': partition,
        ...(range.includes(':from') && { ':from': index ? '2026-01' : 'EVENT' }),
        ...(range.includes(':to') && { ':to': index ? '2026-03#y' : 'ROW' }),
        ...(filter?.includes(':x') && !index && { ':x': 'a' }),
      },
    };
  }

  next(): any {
    const TableName = this.#table();
    const old = this.#pick([{}, { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const }]);
    switch (
      this.#pick([
        'put',
        'put',
        'update',
        'update',
        'delete',
        'get',
        'query',
        'query',
        'transact',
        'transact',
        'again',
        'batch',
        'write',
        'gets',
        'scan',
      ])
    ) {
      case 'put':
        return new PutCommand({
          TableName,
          Item: this.#item(),
          ...this.#conditioned(),
          ...old,
          ReturnValues: this.#pick(['NONE', 'ALL_OLD']),
        });
      case 'update':
        return new UpdateCommand({
          TableName,
          Key: this.#key(),
          ...this.#update(),
          ...old,
          ReturnValues: this.#pick(['NONE', 'ALL_NEW', 'UPDATED_NEW']),
        });
      case 'delete':
        return new DeleteCommand({ TableName, Key: this.#key(), ...this.#conditioned(), ...old });
      case 'get':
        return new GetCommand({ TableName, Key: this.#key(), ConsistentRead: true });
      case 'query':
        return new QueryCommand(this.#query());
      case 'batch':
        return new BatchGetCommand({
          RequestItems: {
            [TableName]: { Keys: [this.#key(), this.#key(), this.#key()], ConsistentRead: true },
          },
        });
      case 'write': {
        const requests = [{ PutRequest: { Item: this.#item() } }, { DeleteRequest: { Key: this.#key() } }];
        return new BatchWriteCommand({ RequestItems: { [TableName]: requests } });
      }
      case 'gets':
        return new TransactGetCommand({
          TransactItems: [
            { Get: { TableName, Key: this.#key() } },
            { Get: { TableName: 'test-order', Key: this.#key() } },
          ],
        });
      case 'scan':
        return new ScanCommand({
          TableName,
          ConsistentRead: true,
          FilterExpression: 'begins_with(pk, :run)',
          ExpressionAttributeValues: { ':run': `run-${this.#run}-` },
        });
      default: {
        const TransactItems = Array.from({ length: this.#pick([1, 2, 3]) }, () => this.#action());
        const token = this.#pick([true, false]) && {
          ClientRequestToken: `${this.#run}-${this.#pick([1, 2, 3, 4])}`,
        };
        return new TransactWriteCommand({ TransactItems, ...token });
      }
    }
  }
}

/** What of an answer or a refusal must be the same. */
async function outcomeOf(send: () => unknown): Promise<any> {
  try {
    const answer: any = await send();
    const { Item, Items, Count, Attributes, Responses, LastEvaluatedKey } = answer;
    const batch = Responses && !Array.isArray(Responses);
    return JSON.parse(
      JSON.stringify({
        Item,
        Items,
        Count,
        Attributes,
        LastEvaluatedKey,
        Responses: batch ? Object.values(Responses).map((items: any) => sorted(items)) : Responses,
      }),
    );
  } catch (error: any) {
    const { name, Item, CancellationReasons } = error;
    if (!CancellationReasons && !/Exception$/.test(name)) throw error;
    const reasons = CancellationReasons?.map(({ Code = 'None', Item: item }: any) => [Code, plain(item)]);
    return JSON.parse(JSON.stringify({ name, Item: plain(Item), reasons }));
  }
}

const plain = (item: any) => item && unmarshall(item);
const sorted = (items: any[]) => items.map(canonicalJson).sort();

it('does as DynamoDB does, whatever is sent', async () => {
  const told: string[] = [];
  const tables = new Tables(specs, (changes) => told.push(...changes.filter(inOrders).map(recordOf)));
  const names = new Map<string, number>();
  for (let run = 1; run <= runs; run++) {
    const commands = new Commands(run);
    for (let sent = 1; sent <= commandsPerRun; sent++) {
      const command = commands.next();
      const ours = await outcomeOf(() => tables.execute(command));
      const theirs = await outcomeOf(() => dynamo.documents.send(command));
      expect(ours, `run ${run}, command ${sent}: ${JSON.stringify(command.input)}`).toEqual(theirs);
      const name = `${command.constructor.name} ${ours.name ?? 'done'}`;
      names.set(name, (names.get(name) ?? 0) + 1);
    }
  }
  // Every command has been done and refused in every way that there is.
  expect([...names.keys()].sort()).toMatchInlineSnapshot(`
    [
      "BatchGetCommand ValidationException",
      "BatchGetCommand done",
      "BatchWriteCommand ValidationException",
      "BatchWriteCommand done",
      "DeleteCommand ConditionalCheckFailedException",
      "DeleteCommand done",
      "GetCommand done",
      "PutCommand ConditionalCheckFailedException",
      "PutCommand done",
      "QueryCommand done",
      "ScanCommand done",
      "TransactGetCommand ValidationException",
      "TransactGetCommand done",
      "TransactWriteCommand IdempotentParameterMismatchException",
      "TransactWriteCommand TransactionCanceledException",
      "TransactWriteCommand ValidationException",
      "TransactWriteCommand done",
      "UpdateCommand ConditionalCheckFailedException",
      "UpdateCommand ValidationException",
      "UpdateCommand done",
    ]
  `);
  expect(told).toEqual(await streamOf('test-order'));
});

const inOrders = ({ table }: Change) => table === 'test-order';

function recordOf({ pk, sk, before, after }: Change): string {
  const kind = after ? (before ? 'MODIFY' : 'INSERT') : 'REMOVE';
  return `${kind} ${pk} ${sk} ${after ? sorted([after]) : ''}`;
}

/** All records of a table's stream, as far as order and contents are the table's own. */
async function streamOf(table: string): Promise<string[]> {
  const ask = async (operation: string, input: object): Promise<any> => {
    const headers = {
      'x-amz-target': `DynamoDBStreams_20120810.${operation}`,
      'content-type': 'application/x-amz-json-1.0',
      authorization:
        'AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
      'x-amz-date': '20260101T000000Z',
    };
    const response = await fetch(dynamo.endpoint, { method: 'POST', headers, body: JSON.stringify(input) });
    return response.json();
  };
  const { Streams } = await ask('ListStreams', { TableName: table });
  const { StreamDescription } = await ask('DescribeStream', { StreamArn: Streams[0].StreamArn });
  const records: string[] = [];
  for (const { ShardId } of StreamDescription.Shards) {
    const where = { StreamArn: Streams[0].StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' };
    let { ShardIterator } = await ask('GetShardIterator', where);
    for (;;) {
      const { Records, NextShardIterator } = await ask('GetRecords', { ShardIterator });
      if (!Records || Records.length === 0) break;
      records.push(
        ...Records.map(({ eventName, dynamodb: { Keys, NewImage } }: any) => {
          const { pk, sk } = unmarshall(Keys);
          return `${eventName} ${pk} ${sk} ${NewImage ? sorted([unmarshall(NewImage)]) : ''}`;
        }),
      );
      if (!NextShardIterator) break;
      ShardIterator = NextShardIterator;
    }
  }
  // The engine tells of a transaction's writes that change nothing, as AWS does not.
  const last = new Map<string, string>();
  return records.filter((record) => {
    const [, pk, sk, ...image] = record.split(' ');
    const same = last.get(`${pk} ${sk}`) === image.join(' ');
    last.set(`${pk} ${sk}`, image.join(' '));
    return !same;
  });
}
