import { IdempotentParameterMismatchException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  BatchWriteCommand,
  GetCommand,
  QueryCommand,
  ScanCommand,
  TransactGetCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb';
import type { TableSpec } from '../../lib/constructs/function-spec.ts';
import { equal, type Item, meets } from './expressions.ts';
import { type Index, inOrder, paged, projected, returned } from './pages.ts';
import { invalid, reasonOf, refusal, type Touch, type Write, writesOf } from './writes.ts';

/** What a command changed, as a stream tells it: one of `before` and `after` may be missing. */
export interface Change {
  readonly table: string;
  readonly pk: string;
  readonly sk: string;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
}

/**
 * How many milliseconds after its write a version of an item reaches the reads that may be behind: those of an index,
 * and those of the table that do not ask for consistency (`index` is undefined).
 */
export type Lag = (
  table: string,
  index: string | undefined,
  pk: string,
  sk: string,
  version: number,
) => number;

/** What an item was, and when it became so. */
interface Version {
  readonly at: number;
  readonly item: Item | undefined;
}

/** Milliseconds for which DynamoDB remembers a transaction by its token. */
const tokenLife = 10 * 60_000;
const mostKeys = 100;

/**
 * Tables in memory with DynamoDB's semantics: conditional writes, transactions that do all or nothing and say why
 * not, queries of partitions and indexes, tokens. One command at a time; what runs at once is the scheduler's business.
 * Held equal to a real engine over random commands by test/faults/engine.test.ts.
 */
export class Tables {
  readonly #tables = new Map<string, Map<string, Map<string, Item>>>();
  readonly #specs: readonly TableSpec[];
  readonly #committed: (changes: readonly Change[], actor: string | undefined) => void;
  /** By table, index and partition: where items are, or were, that the index shows there. */
  readonly #indexed = new Map<string, Map<string, readonly [pk: string, sk: string]>>();
  readonly #versions = new Map<string, Version[]>();
  readonly #tokens = new Map<string, { readonly at: number; readonly content: string }>();
  readonly #now: () => number;
  /** Unless set, every read is as fresh as can be. */
  lag: Lag | undefined;

  /** @param committed hears of the changes of each command that had its effect, together */
  constructor(
    specs: readonly TableSpec[],
    committed: (changes: readonly Change[], actor: string | undefined) => void = () => {},
    now: () => number = () => 0,
  ) {
    this.#specs = specs;
    this.#committed = committed;
    this.#now = now;
    for (const { name } of specs) this.#tables.set(name, new Map());
  }

  item(table: string, pk: string, sk: string): Item | undefined {
    return this.#table(table).get(pk)?.get(sk);
  }

  /** In the order of their sort keys. */
  partition(table: string, pk: string): Item[] {
    return inOrder([...(this.#table(table).get(pk)?.values() ?? [])], undefined);
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
    if (command instanceof TransactGetCommand) {
      return (command.input.TransactItems ?? []).map(({ Get }) => readOf(Get!.TableName!, Get!.Key as any));
    }
    if (command instanceof ScanCommand) return [{ place: command.input.TableName!, write: false }];
    return writesOf(command).flatMap((write) => [
      { place: `${write.table} ${write.pk}`, sk: write.sk, write: true },
      ...this.#indexTouches(write),
    ]);
  }

  /** Does what the command says. @throws the SDK's exceptions */
  execute(command: unknown, actor?: string): unknown {
    if (command instanceof GetCommand) {
      const { TableName, Key, ConsistentRead } = command.input as any;
      return { Item: this.#read(TableName, Key, ConsistentRead) };
    }
    if (command instanceof BatchGetCommand) return this.#batchGet(command.input);
    if (command instanceof TransactGetCommand) {
      const gets = (command.input.TransactItems ?? []) as any[];
      const keys = gets.map(({ Get }) => placeOf(Get.TableName, Get.Key.pk, Get.Key.sk));
      if (new Set(keys).size < keys.length) throw invalid('one item cannot be read twice at once');
      return { Responses: gets.map(({ Get }) => ({ Item: this.#read(Get.TableName, Get.Key, true) })) };
    }
    if (command instanceof QueryCommand) return this.#query(command.input);
    if (command instanceof ScanCommand) return this.#scan(command.input);
    if (command instanceof TransactWriteCommand) return this.#transact(command, actor);
    return this.#write(command, actor);
  }

  #read(table: string, { pk, sk }: Item, consistent: boolean | undefined): Item | undefined {
    return consistent || !this.lag ? this.item(table, pk, sk) : this.#seen(table, undefined, pk, sk);
  }

  #batchGet(input: any): unknown {
    const asked = Object.entries<any>(input.RequestItems ?? {});
    const keys = asked.flatMap(([table, { Keys }]) => Keys.map(({ pk, sk }: Item) => `${table} ${pk} ${sk}`));
    if (keys.length === 0 || keys.length > mostKeys) throw invalid(`1 to ${mostKeys} keys are allowed`);
    if (new Set(keys).size < keys.length) throw invalid('the keys contain duplicates');
    const Responses = asked.map(([table, { Keys, ConsistentRead }]) => [
      table,
      Keys.flatMap((key: Item) => this.#read(table, key, ConsistentRead) ?? []),
    ]);
    return { Responses: Object.fromEntries(Responses), UnprocessedKeys: {} };
  }

  #transact(command: TransactWriteCommand, actor: string | undefined): unknown {
    const { ClientRequestToken: token } = command.input;
    if (token === undefined) return this.#write(command, actor);
    const content = JSON.stringify(command.input.TransactItems);
    const earlier = this.#tokens.get(token);
    if (earlier && earlier.at > this.#now() - tokenLife) {
      if (earlier.content === content) return {};
      const message = 'the token was used for another transaction';
      throw new IdempotentParameterMismatchException({ message, $metadata: {} });
    }
    const answer = this.#write(command, actor);
    this.#tokens.set(token, { at: this.#now(), content });
    return answer;
  }

  #write(command: unknown, actor: string | undefined): unknown {
    const writes = writesOf(command);
    const befores = writes.map(({ table, pk, sk }) => this.item(table, pk, sk));
    const failed: { Code: string; Item?: any }[] = [];
    const afters = writes.map((write, index) => {
      try {
        return write.after(befores[index]);
      } catch (error) {
        failed[index] = reasonOf(error, write, befores[index]);
        return undefined;
      }
    });
    if (failed.length > 0)
      throw refusal(
        command,
        writes.map((_, index) => failed[index] ?? { Code: 'None' }),
      );
    const changes = writes.flatMap(({ table, pk, sk }, index) => {
      const [before, after] = [befores[index], afters[index]];
      // As in a stream: a write that changes nothing is not told.
      if (before === after || equal(before, after)) return [];
      this.#set(table, pk, sk, after);
      return [{ table, pk, sk, before, after }];
    });
    if (changes.length > 0) this.#committed(changes, actor);
    if (command instanceof BatchWriteCommand) return { UnprocessedItems: {} };
    return returned(command, befores[0], afters[0]);
  }

  #set(table: string, pk: string, sk: string, item: Item | undefined): void {
    const partitions = this.#table(table);
    const partition = partitions.get(pk) ?? new Map<string, Item>();
    partitions.set(pk, partition);
    if (this.lag) {
      const place = placeOf(table, pk, sk);
      const versions = this.#versions.get(place) ?? [
        { at: Number.NEGATIVE_INFINITY, item: partition.get(sk) },
      ];
      versions.push({ at: this.#now(), item });
      this.#versions.set(place, versions);
    }
    if (!item) {
      partition.delete(sk);
      return;
    }
    partition.set(sk, item);
    for (const { name, partitionKey } of this.#indexesOf(table)) {
      if (item[partitionKey] === undefined) continue;
      const members = placeOf(table, name, item[partitionKey]);
      const known = this.#indexed.get(members) ?? new Map<string, readonly [string, string]>();
      known.set(placeOf(table, pk, sk), [pk, sk]);
      this.#indexed.set(members, known);
    }
  }

  /** The newest version that has reached these reads. */
  #seen(table: string, index: string | undefined, pk: string, sk: string): Item | undefined {
    const versions = this.lag && this.#versions.get(placeOf(table, pk, sk));
    if (!versions) return this.item(table, pk, sk);
    for (let at = versions.length - 1; at > 0; at--) {
      const version = versions[at]!;
      if (version.at + this.lag!(table, index, pk, sk, at) <= this.#now()) return version.item;
    }
    return versions[0]!.item;
  }

  #query(input: any): unknown {
    const { TableName, IndexName, KeyConditionExpression, ScanIndexForward, ConsistentRead } = input;
    const index = this.#index(TableName, IndexName);
    if (index && ConsistentRead) throw invalid('an index is never read consistently');
    const { value } = this.#partitionAsked(input);
    const candidates = index
      ? this.#inIndex(TableName, index, value)
      : this.#inPartition(TableName, value, ConsistentRead);
    const found = candidates.filter((item) => meets(item, KeyConditionExpression, input));
    return paged(found, input, index, ScanIndexForward === false);
  }

  #inIndex(table: string, index: Index, value: string): Item[] {
    const places = [...(this.#indexed.get(placeOf(table, index.name, value))?.values() ?? [])];
    return places.flatMap(([pk, sk]) => {
      const item = this.#seen(table, index.name, pk, sk);
      return item && item[index.partitionKey] === value && item[index.sortKey] !== undefined
        ? [projected(item, index)]
        : [];
    });
  }

  #inPartition(table: string, pk: string, consistent: boolean | undefined): Item[] {
    if (consistent || !this.lag) return [...(this.#table(table).get(pk)?.values() ?? [])];
    const sorts = [...(this.#table(table).get(pk)?.keys() ?? [])];
    return sorts.flatMap((sk) => this.#seen(table, undefined, pk, sk) ?? []);
  }

  #scan(input: any): unknown {
    return paged(this.all(input.TableName), input, undefined);
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
    const indexes = this.#indexesOf(table);
    if (indexes.length === 0) return [];
    let next: Item | undefined;
    try {
      next = after(this.item(table, pk, sk));
    } catch {
      // What will not be written now may be written later: by then the command is another.
    }
    return indexes.flatMap(({ partitionKey }) => {
      const value = next?.[partitionKey] ?? this.item(table, pk, sk)?.[partitionKey];
      const own = `${pk} ${sk}`;
      return value === undefined
        ? []
        : [{ place: `${table} ${partitionKey}=${value}`, sk: own, write: true }];
    });
  }

  #indexesOf(table: string): readonly Index[] {
    return this.#specs.find(({ name }) => name === table)?.indexes ?? [];
  }

  #index(table: string, name: string | undefined): Index | undefined {
    if (name === undefined) return undefined;
    const index = this.#indexesOf(table).find((spec) => spec.name === name);
    if (!index) throw new Error(`${table} has no index ${name}`);
    return index;
  }

  #table(name: string) {
    const table = this.#tables.get(name);
    if (!table) throw new Error(`there is no table ${name}`);
    return table;
  }
}

function placeOf(...parts: readonly string[]): string {
  return parts.join('\n');
}

function readOf(table: string, { pk, sk }: Item): Touch {
  return { place: `${table} ${pk}`, sk, write: false };
}
