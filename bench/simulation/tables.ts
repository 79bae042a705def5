import {
  ConditionalCheckFailedException,
  TransactionCanceledException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { TableSpec } from '../../lib/constructs/function-spec.ts';
import { type Item, meets, updated } from './expressions.ts';

/** A part of the world that a step reads or writes. Without `sk`: the whole partition. */
export interface Touch {
  readonly place: string;
  readonly sk?: string | undefined;
  readonly write: boolean;
}

interface Write {
  readonly table: string;
  readonly pk: string;
  readonly sk: string;
  /** The item afterwards; undefined when it is deleted. @throws ConditionalCheckFailed */
  readonly after: (before: Item | undefined) => Item | undefined;
  readonly showOld: boolean;
}

const conditionFailed = Symbol('the condition is not met');

/**
 * Tables in memory with DynamoDB's semantics: conditional writes, transactions that do all or nothing and say why
 * not, queries of partitions and indexes. One command at a time; what runs at once is the scheduler's business.
 * Index reads are as fresh as the table's.
 */
export class Tables {
  readonly #tables = new Map<string, Map<string, Map<string, Item>>>();
  readonly #specs: readonly TableSpec[];
  readonly #inserted: (table: string, item: Item) => void;

  /** @param inserted hears of every item that was not there before, as a stream would */
  constructor(specs: readonly TableSpec[], inserted: (table: string, item: Item) => void) {
    this.#specs = specs;
    this.#inserted = inserted;
    for (const { name } of specs) this.#tables.set(name, new Map());
  }

  item(table: string, pk: string, sk: string): Item | undefined {
    return this.#table(table).get(pk)?.get(sk);
  }

  /** In the order of their sort keys. */
  partition(table: string, pk: string): Item[] {
    return sorted([...(this.#table(table).get(pk)?.values() ?? [])], 'sk');
  }

  all(table: string): Item[] {
    return [...this.#table(table).values()].flatMap((partition) => [...partition.values()]);
  }

  /** A text that is the same for the same contents. */
  contents(): string {
    const lines: string[] = [];
    for (const [table, partitions] of this.#tables)
      for (const partition of partitions.values())
        for (const item of partition.values())
          lines.push(`${table} ${item.pk} ${item.sk} ${JSON.stringify(item)}`);
    return lines.sort().join('\n');
  }

  /** What the command reads and writes. @throws Error on a command that is not known here */
  touches(command: unknown): readonly Touch[] {
    if (command instanceof QueryCommand) return [this.#queried(command.input)];
    if (command instanceof GetCommand) return [readOf(command.input.TableName!, command.input.Key as any)];
    if (command instanceof BatchGetCommand) {
      return Object.entries(command.input.RequestItems ?? {}).flatMap(([table, { Keys }]) =>
        (Keys ?? []).map((key) => readOf(table, key as any)),
      );
    }
    if (command instanceof ScanCommand) return [{ place: command.input.TableName!, write: false }];
    return writesOf(command).flatMap((write) => [
      { place: `${write.table} ${write.pk}`, sk: write.sk, write: true },
      ...this.#indexTouches(write),
    ]);
  }

  /** Does what the command says. @throws the SDK's exceptions */
  execute(command: unknown): unknown {
    if (command instanceof GetCommand) {
      const { TableName, Key } = command.input as any;
      return { Item: this.item(TableName, Key.pk, Key.sk) };
    }
    if (command instanceof BatchGetCommand) {
      const asked = Object.entries(command.input.RequestItems ?? {}) as [string, { Keys: Item[] }][];
      const Responses = asked.map(([table, { Keys }]) => [
        table,
        Keys.flatMap(({ pk, sk }) => this.item(table, pk, sk) ?? []),
      ]);
      return { Responses: Object.fromEntries(Responses) };
    }
    if (command instanceof QueryCommand) return { Items: this.#query(command.input) };
    if (command instanceof ScanCommand) {
      const { TableName, FilterExpression, ...given } = command.input as any;
      return { Items: this.all(TableName).filter((item) => meets(item, FilterExpression, given)) };
    }
    return this.#write(command);
  }

  #write(command: unknown): unknown {
    const writes = writesOf(command);
    const befores = writes.map(({ table, pk, sk }) => this.item(table, pk, sk));
    const afters = writes.map(({ after }, index) => {
      try {
        return { item: after(befores[index]) };
      } catch (error) {
        if (error !== conditionFailed) throw error;
        return undefined;
      }
    });
    if (afters.includes(undefined)) {
      throw refusal(
        command,
        writes.map(({ showOld }, index) =>
          afters[index]
            ? { Code: 'None' }
            : {
                Code: 'ConditionalCheckFailed',
                ...(showOld && befores[index] && { Item: wire(befores[index]) }),
              },
        ),
      );
    }
    const inserted: (() => void)[] = [];
    for (const [index, { table, pk, sk }] of writes.entries()) {
      const { item } = afters[index]!;
      const partitions = this.#table(table);
      const partition = partitions.get(pk) ?? new Map();
      partitions.set(pk, partition);
      if (item) partition.set(sk, item);
      else partition.delete(sk);
      if (item && !befores[index]) inserted.push(() => this.#inserted(table, item));
    }
    for (const tell of inserted) tell();
    return {};
  }

  #query(input: any): Item[] {
    const {
      TableName,
      IndexName,
      KeyConditionExpression,
      FilterExpression,
      ScanIndexForward,
      Limit,
      ...given
    } = input;
    const index = this.#index(TableName, IndexName);
    const { value } = this.#partitionAsked(input);
    const candidates = index ? this.all(TableName) : this.partition(TableName, value);
    const found = sorted(
      candidates.filter(
        (item) => meets(item, KeyConditionExpression, given) && meets(item, FilterExpression, given),
      ),
      index?.sortKey ?? 'sk',
    );
    if (ScanIndexForward === false) found.reverse();
    return found.slice(0, Limit ?? found.length);
  }

  #queried(input: any): Touch {
    const { name, value } = this.#partitionAsked(input);
    const place = input.IndexName ? `${input.TableName} ${name}=${value}` : `${input.TableName} ${value}`;
    return { place, write: false };
  }

  /** The partition key's name and value in a key condition, which always begins with them. */
  #partitionAsked(input: any): { name: string; value: string } {
    const [, token = '', placeholder = ''] =
      /^\s*(#?\w+)\s*=\s*(:\w+)/.exec(input.KeyConditionExpression) ?? [];
    const name = input.ExpressionAttributeNames?.[token] ?? token;
    const value = input.ExpressionAttributeValues?.[placeholder];
    if (value === undefined) throw new Error(`no partition in ${input.KeyConditionExpression}`);
    return { name, value };
  }

  /** A write of an item that is in an index is met by queries of that index. */
  #indexTouches({ table, pk, sk, after }: Write): Touch[] {
    const indexes = this.#specs.find(({ name }) => name === table)?.indexes ?? [];
    if (indexes.length === 0) return [];
    let next: Item | undefined;
    try {
      next = after(this.item(table, pk, sk));
    } catch {
      // What will not be written now may be written later: by then the command is another.
    }
    return indexes.flatMap(({ partitionKey }) => {
      const value = next?.[partitionKey] ?? this.item(table, pk, sk)?.[partitionKey];
      return value === undefined ? [] : [{ place: `${table} ${partitionKey}=${value}`, write: true }];
    });
  }

  #index(table: string, name: string | undefined) {
    if (name === undefined) return undefined;
    const index = this.#specs
      .find((spec) => spec.name === table)
      ?.indexes?.find((spec) => spec.name === name);
    if (!index) throw new Error(`${table} has no index ${name}`);
    return index;
  }

  #table(name: string) {
    const table = this.#tables.get(name);
    if (!table) throw new Error(`there is no table ${name}`);
    return table;
  }
}

/** How DynamoDB answers a write that meets another in flight: a plain one by itself, a transaction with its reasons. */
export function conflictOf(command: unknown, contended: (touch: Touch) => boolean): Error {
  const reasons = writesOf(command).map(({ table, pk, sk }) => ({
    Code: contended({ place: `${table} ${pk}`, sk, write: true }) ? 'TransactionConflict' : 'None',
  }));
  return command instanceof TransactWriteCommand
    ? refusal(command, reasons)
    : new TransactionConflictException({ message: 'Transaction is ongoing for the item', $metadata: {} });
}

function refusal(command: unknown, reasons: readonly { Code: string; Item?: any }[]): Error {
  if (command instanceof TransactWriteCommand) {
    return new TransactionCanceledException({
      message: `Transaction cancelled [${reasons.map(({ Code }) => Code).join(', ')}]`,
      $metadata: {},
      CancellationReasons: [...reasons],
    });
  }
  const message = 'The conditional request failed';
  return new ConditionalCheckFailedException({ message, $metadata: {}, Item: reasons[0]?.Item });
}

function writesOf(command: unknown): Write[] {
  if (command instanceof PutCommand) return [putOf(command.input)];
  if (command instanceof UpdateCommand) return [updateOf(command.input)];
  if (command instanceof DeleteCommand) return [deleteOf(command.input)];
  if (command instanceof BatchWriteCommand) {
    return Object.entries(command.input.RequestItems ?? {}).flatMap(([TableName, requests]) =>
      requests.map(({ PutRequest, DeleteRequest }) =>
        PutRequest ? putOf({ TableName, ...PutRequest }) : deleteOf({ TableName, ...DeleteRequest }),
      ),
    );
  }
  if (command instanceof TransactWriteCommand) {
    return (command.input.TransactItems ?? []).map((action) => {
      if (action.Put) return putOf(action.Put);
      if (action.Update) return updateOf(action.Update);
      if (action.Delete) return deleteOf(action.Delete);
      return checkOf(action.ConditionCheck);
    });
  }
  throw new Error(`the command ${(command as object).constructor.name} is not known here`);
}

function putOf(input: any): Write {
  const item = stored(input.Item);
  return writeOf(input, item, () => item);
}

function updateOf(input: any): Write {
  const { pk, sk } = input.Key;
  return writeOf(input, input.Key, (before) =>
    stored(updated(before ?? { pk, sk }, input.UpdateExpression, input)),
  );
}

function deleteOf(input: any): Write {
  return writeOf(input, input.Key, () => undefined);
}

function checkOf(input: any): Write {
  return writeOf(input, input.Key, (before) => before);
}

function writeOf(input: any, key: Item, change: (before: Item | undefined) => Item | undefined): Write {
  return {
    table: input.TableName,
    pk: key.pk,
    sk: key.sk,
    showOld: input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD',
    after: (before) => {
      if (!meets(before, input.ConditionExpression, input)) throw conditionFailed;
      return change(before);
    },
  };
}

function readOf(table: string, { pk, sk }: Item): Touch {
  return { place: `${table} ${pk}`, sk, write: false };
}

/** As the document client stores it: a copy without what is undefined. */
function stored(item: Item): Item {
  return JSON.parse(JSON.stringify(item));
}

function wire(item: Item): any {
  return marshall(item, { removeUndefinedValues: true });
}

function sorted(items: Item[], by: string): Item[] {
  return items.sort((a, b) => (a[by] < b[by] ? -1 : a[by] > b[by] ? 1 : 0));
}
