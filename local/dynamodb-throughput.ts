import { createHash } from 'node:crypto';
import type { Touch } from './dynamodb-operations.ts';
import { throttledTransaction } from './throttling.ts';
import { TokenBucket } from './token-bucket.ts';
import { AwsError, type Clock, type Limits, type Resource } from './types.ts';

/*
 * What an on-demand table takes in a second (bench/limits.json): read and write units of each of its partitions and of
 * the whole table, whose rate may double within half an hour. A partition that has been busy for a minute is split
 * where its requests divide evenly; one item alone cannot be divided. How long "busy" is AWS does not say.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html
 *
 * A request passes while its partitions have units left, and what it turns out to cost is taken then: AWS does not
 * know it earlier either. Burst capacity is one second's, as AWS promises no more.
 */

type Kind = 'Write' | 'Read';

/** Where requests of the last minute went. */
interface Partition {
  /** Items from here to the next partition's start; 0 to below 1. */
  readonly start: number;
  readonly Write: TokenBucket;
  readonly Read: TokenBucket;
  busyUnits: number;
  places: number[];
}

/** What a request holds while it runs: units of places, to be set right by what it cost. */
export interface Hold {
  readonly throughput: Throughput;
  readonly kind: Kind;
  readonly place: number | undefined;
  readonly units: number;
}

const minute = 60_000;
/** Of what a partition could take in the minute. */
const busyShare = 0.8;
const keptPlaces = 200;

/** A table or an index. */
export class Throughput {
  readonly #arn: string;
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #isIndex: boolean;
  readonly #ramps: Readonly<Record<Kind, Ramp>>;
  #partitions: Partition[];
  #minuteEnds: number;

  constructor(arn: string, warmWriteUnits: number, limits: Limits, clock: Clock) {
    this.#arn = arn;
    this.#isIndex = arn.includes('/index/');
    this.#limits = limits;
    this.#clock = clock;
    this.#ramps = {
      Write: new Ramp('Write', limits, clock, warmWriteUnits),
      Read: new Ramp('Read', limits, clock),
    };
    const most = Math.max(warmWriteUnits, limits.documented('dynamodb.onDemandStartWriteUnits'));
    const count = Math.ceil(most / limits.documented('dynamodb.partitionWriteUnits'));
    this.#partitions = Array.from({ length: count }, (_, index) => this.#partition(index / count));
    this.#minuteEnds = clock.now() + minute;
  }

  /** How many there are by now. */
  get partitions(): number {
    return this.#partitions.length;
  }

  /** Why so many units of a place cannot be had now; undefined when they can. Without a place: of the whole table. */
  exhausted(kind: Kind, place: number | undefined, units: number): AwsError | undefined {
    this.#roll();
    const resource = this.#isIndex ? 'Index' : 'Table';
    const refuse = (code: string, reason: string, message: string) =>
      new AwsError(code, message, 400, {
        ThrottlingReasons: [{ reason: `${resource}${kind}${reason}`, resource: this.#arn }],
      });
    const ramp = this.#ramps[kind];
    if (!ramp.has(units)) {
      return ramp.atQuota
        ? refuse(
            'RequestLimitExceeded',
            'AccountLimitExceeded',
            'Throughput exceeds the current throughput quota for your account.',
          )
        : refuse('ThrottlingException', 'KeyRangeThroughputExceeded', exceeded);
    }
    const partition = place === undefined ? undefined : this.#at(place);
    if (!partition || partition[kind].has(units)) return undefined;
    // What is refused is heat as well.
    partition.busyUnits += units;
    this.#see(partition, place!);
    return refuse('ThrottlingException', 'KeyRangeThroughputExceeded', exceeded);
  }

  spend(kind: Kind, place: number | undefined, units: number): void {
    this.#ramps[kind].spend(units);
    if (place === undefined) return;
    const partition = this.#at(place);
    partition[kind].spend(units);
    const most = this.#limits.scaled(`dynamodb.partition${kind}Units`);
    // Of reads as much as they weigh against writes.
    partition.busyUnits += (units * this.#limits.scaled('dynamodb.partitionWriteUnits')) / most;
    this.#see(partition, place);
  }

  #see(partition: Partition, place: number): void {
    partition.places.push(place);
    if (partition.places.length > keptPlaces) partition.places.shift();
  }

  #at(place: number): Partition {
    return this.#partitions.findLast(({ start }) => start <= place)!;
  }

  #partition(start: number): Partition {
    const bucket = (kind: Kind) => {
      const rate = this.#limits.scaled(`dynamodb.partition${kind}Units`);
      return new TokenBucket(rate, Math.max(1, rate), this.#clock.now);
    };
    return { start, Write: bucket('Write'), Read: bucket('Read'), busyUnits: 0, places: [] };
  }

  /** At the end of each minute the busy partitions are split. */
  #roll(): void {
    if (this.#clock.now() < this.#minuteEnds) return;
    this.#minuteEnds = this.#clock.now() + minute;
    const busy = busyShare * 60 * this.#limits.scaled('dynamodb.partitionWriteUnits');
    this.#partitions = this.#partitions.flatMap((partition) => {
      const places = partition.places.toSorted((a, b) => a - b);
      const middle = places[Math.floor(places.length / 2)] ?? 0;
      const split = places.find((place) => place >= middle && place > places[0]!);
      const isBusy = partition.busyUnits >= busy;
      partition.busyUnits = 0;
      partition.places = [];
      return isBusy && split !== undefined ? [partition, this.#partition(split)] : [partition];
    });
  }
}

const exceeded =
  'Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or ' +
  'index so please try again shortly. If exceptions persist, check if you have a hot key.';

/** The rate of a whole on-demand table: at its start, later twice the most of any half hour before, to its quota. */
class Ramp {
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #quota: number;
  #allowed: number;
  #bucket: TokenBucket;
  #windowEnds: number;
  #peak = 0;
  #second = 0;
  #secondUnits = 0;

  constructor(kind: Kind, limits: Limits, clock: Clock, warmUnits = 0) {
    this.#limits = limits;
    this.#clock = clock;
    this.#quota = limits.scaled(`dynamodb.table${kind}Units`);
    const start = `dynamodb.onDemandStart${kind}Units`;
    const share = limits.scaled(start) / limits.documented(start);
    this.#allowed = Math.min(this.#quota, Math.max(limits.scaled(start), warmUnits * share));
    this.#bucket = this.#fill();
    this.#windowEnds = this.#nextWindow();
  }

  get atQuota(): boolean {
    return this.#allowed >= this.#quota;
  }

  has(units: number): boolean {
    if (this.#clock.now() >= this.#windowEnds) {
      const grown = this.#peak * this.#limits.documented('dynamodb.onDemandGrowth');
      this.#peak = 0;
      this.#windowEnds = this.#nextWindow();
      if (grown > this.#allowed) {
        this.#allowed = Math.min(this.#quota, grown);
        this.#bucket = this.#fill();
      }
    }
    return this.#bucket.has(units);
  }

  spend(units: number): void {
    this.#bucket.spend(units);
    const second = Math.floor(this.#clock.now() / 1000);
    if (second !== this.#second) this.#secondUnits = 0;
    this.#second = second;
    this.#secondUnits += units;
    this.#peak = Math.max(this.#peak, this.#secondUnits);
  }

  #fill(): TokenBucket {
    return new TokenBucket(this.#allowed, Math.max(1, this.#allowed), this.#clock.now);
  }

  #nextWindow(): number {
    return this.#clock.now() + this.#limits.documented('dynamodb.onDemandGrowthMinutes') * minute;
  }
}

const writes = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem', 'TransactWriteItems']);

/** All tables of the template with their indexes. */
export class TableThroughputs {
  readonly #of = new Map<string, Throughput>();
  readonly #indexes = new Map<string, readonly { name: string; partitionKey: string }[]>();
  readonly #partitionKeys = new Map<string, string>();

  constructor(tables: readonly Resource[], limits: Limits, clock: Clock) {
    for (const { ref, arn, properties } of tables) {
      const warm = Number(properties.WarmThroughput?.WriteUnitsPerSecond ?? 0);
      this.#of.set(ref, new Throughput(arn, warm, limits, clock));
      this.#partitionKeys.set(ref, hashKeyOf(properties.KeySchema));
      const indexes = (properties.GlobalSecondaryIndexes ?? []).map((index: any) => {
        this.#of.set(
          `${ref}/${index.IndexName}`,
          new Throughput(`${arn}/index/${index.IndexName}`, warm, limits, clock),
        );
        return { name: index.IndexName, partitionKey: hashKeyOf(index.KeySchema) };
      });
      this.#indexes.set(ref, indexes);
    }
  }

  /**
   * Holds at least what the request will cost.
   * @returns what is held, and the request as far as it may go on: entries of a batch may have to wait
   * @throws AwsError `ThrottlingException` or, for a transaction, `TransactionCanceledException` with the reason
   * `ThrottlingError` of each action that had to stay out
   */
  admit(
    operation: string,
    input: any,
    touches: readonly Touch[],
  ): { holds: readonly Hold[]; admitted: readonly boolean[] } {
    const isTransaction = operation.startsWith('Transact');
    const kind: Kind = writes.has(operation) ? 'Write' : 'Read';
    const wanted = touches.map((touch, index) => this.#wantedBy(operation, kind, input, touch, index));
    const refusals = wanted.map((holds) => {
      for (const { throughput, place, units } of holds) {
        const refusal = throughput.exhausted(kind, place, units);
        if (refusal) return refusal;
      }
      for (const { throughput, place, units } of holds) throughput.spend(kind, place, units);
      return undefined;
    });
    const admitted = refusals.map((refusal) => !refusal);
    const holds = wanted.flatMap((some, index) => (admitted[index] ? some : []));
    const [first] = refusals.filter((refusal) => refusal !== undefined);
    if (first && (!operation.startsWith('Batch') || !admitted.includes(true))) {
      giveBack(holds);
      throw isTransaction ? throttledTransaction(refusals.map(Boolean)) : first;
    }
    return { holds, admitted };
  }

  /** What it did cost, by table. */
  settle(holds: readonly Hold[], costs: readonly { table: string; units: number }[]): void {
    const byTable = Map.groupBy(holds, ({ throughput }) => throughput);
    for (const { table, units } of costs) {
      const own = byTable.get(this.#of.get(table)!) ?? [];
      const held = own.reduce((sum, hold) => sum + hold.units, 0);
      for (const { throughput, kind, place } of own)
        throughput.spend(kind, place, (units - held) / own.length);
    }
  }

  partitionsOf(table: string): number {
    return this.#of.get(table)!.partitions;
  }

  #wantedBy(operation: string, kind: Kind, input: any, touch: Touch, index: number): Hold[] {
    const factor = operation.startsWith('Transact') ? 2 : 1;
    const units = kind === 'Write' ? factor : 0.5 * factor;
    const name = touch.index === undefined ? touch.table : `${touch.table}/${touch.index}`;
    const throughput = this.#of.get(name);
    if (!throughput) return [];
    const place = touch.key ? placeOf(Object.values(touch.key)) : this.#queried(input, touch);
    return [{ throughput, kind, place, units }, ...this.#ofIndexes(operation, input, touch, index, units)];
  }

  /** An item that is put is written into the indexes whose keys it has. */
  #ofIndexes(operation: string, input: any, touch: Touch, at: number, units: number): Hold[] {
    const item = operation === 'PutItem' ? input.Item : input.TransactItems?.[at]?.Put?.Item;
    if (!item) return [];
    return (this.#indexes.get(touch.table) ?? [])
      .filter(({ partitionKey }) => item[partitionKey] !== undefined)
      .map(({ name, partitionKey }) => ({
        throughput: this.#of.get(`${touch.table}/${name}`)!,
        kind: 'Write',
        place: placeOf([item[partitionKey], item]),
        units,
      }));
  }

  /** The place of a Query: that of its partition key. A Scan is everywhere. */
  #queried(input: any, { table, index }: Touch): number | undefined {
    const key =
      index === undefined
        ? this.#partitionKeys.get(table)
        : this.#indexes.get(table)?.find(({ name }) => name === index)?.partitionKey;
    for (const [, name, value] of String(input.KeyConditionExpression ?? '').matchAll(
      /([#\w]+)\s*=\s*(:\w+)/g,
    )) {
      const full = input.ExpressionAttributeNames?.[name!] ?? name;
      if (full === key) return placeOf([input.ExpressionAttributeValues?.[value!]]);
    }
    return undefined;
  }
}

function giveBack(holds: readonly Hold[]): void {
  for (const { throughput, kind, place, units } of holds) throughput.spend(kind, place, -units);
}

function hashKeyOf(schema: readonly { AttributeName: string; KeyType: string }[]): string {
  return schema.find(({ KeyType }) => KeyType === 'HASH')!.AttributeName;
}

/** Partition keys are spread by their hash; items of one lie next to each other. 0 to below 1. */
function placeOf([partition, ...rest]: readonly unknown[]): number {
  return hash(partition) + (rest.length > 0 ? hash(rest) * 2 ** -32 : 0);
}

function hash(value: unknown): number {
  return createHash('sha1').update(JSON.stringify(value)).digest().readUInt32BE() / 2 ** 32;
}
