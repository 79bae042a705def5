import { setTimeout as pause } from 'node:timers/promises';
import { compilePattern } from './event-pattern.ts';
import { chunksOf } from './meter.ts';
import { fillTemplate, valueAt } from './pipe-template.ts';
import type { StreamSignal } from './streams.ts';
import { AwsError, type Caller, type Crossing, type Resource, type Runtime, type Service } from './types.ts';

/** PutEvents takes no more (EventBridge quota), and a pipe to a bus no larger batch (Pipes guide, batching). */
const MAXIMUM_ENTRIES = 10;
/** How long a pipe waits for a signal before it looks by itself. */
const SLOW_POLL_MS = 1_000;
const FIRST_RETRY_MS = 20;
/** AWS does not say how long a pipe waits between two attempts. */
const LONGEST_RETRY_MS = 1_000;
const DEFAULT_BATCH_SIZE = 100;

interface StreamRecord {
  readonly eventSourceARN: string;
  readonly dynamodb: {
    readonly SequenceNumber: string;
    /** Seconds since the epoch. */
    readonly ApproximateCreationDateTime: number;
  };
}

/** A shard of the stream and how far it has been read in this run. */
interface Shard {
  readonly id: string;
  iterator?: string;
}

/** What is left of a delivery: the records that the bus did not take. */
interface Rest {
  readonly failed: readonly StreamRecord[];
  readonly error: unknown;
  /** The call itself failed, so that nothing is known of a single record. */
  readonly whole: boolean;
}

/**
 * Streams of DynamoDB tables to event buses, at least once: a checkpoint is saved after its delivery.
 * @param passed told when every pipe of a stream is through with a sequence number
 */
export function createPipes(
  runtime: Runtime,
  signal: StreamSignal,
  passed: (streamArn: string, sequence: number) => void,
): Service {
  runtime.db.exec(
    'CREATE TABLE IF NOT EXISTS pipes_checkpoints (pipe TEXT, shard TEXT, sequence TEXT, PRIMARY KEY (pipe, shard))',
  );
  const pipes: Pipe[] = [];
  const moved = (source: string): void => {
    const positions = pipes.filter((pipe) => pipe.source === source).map((pipe) => pipe.position);
    passed(source, Math.min(...positions));
  };
  for (const resource of runtime.resources('AWS::Pipes::Pipe')) {
    pipes.push(new Pipe(runtime, resource, signal, moved));
  }
  return {
    name: 'pipes',
    async call(operation) {
      throw new AwsError('UnknownOperationException', `pipes:${operation} is not served here`);
    },
    async start() {
      for (const pipe of pipes) await pipe.start();
    },
    async stop() {
      await Promise.all(pipes.map((pipe) => pipe.stop()));
    },
  };
}

class Pipe {
  readonly source: string;
  /** The highest sequence number that this pipe is through with. */
  position = 0;
  readonly #runtime: Runtime;
  readonly #resource: Resource;
  readonly #signal: StreamSignal;
  readonly #moved: (source: string) => void;
  readonly #caller: Caller;
  readonly #settings: Record<string, any>;
  readonly #filters: ((event: unknown) => boolean)[];
  readonly #stopping = new AbortController();
  /** Sequence numbers of records that a fault made unreadable. */
  readonly #poisoned = new Set<string>();
  #shards: Shard[] | undefined;
  #running: Promise<void> | undefined;

  constructor(runtime: Runtime, resource: Resource, signal: StreamSignal, moved: (source: string) => void) {
    const { properties } = resource;
    this.#runtime = runtime;
    this.#resource = resource;
    this.#signal = signal;
    this.#moved = moved;
    this.source = properties.Source;
    this.#caller = { kind: 'role', roleArn: properties.RoleArn };
    this.#settings = properties.SourceParameters?.DynamoDBStreamParameters ?? {};
    const filters: { Pattern: string }[] = properties.SourceParameters?.FilterCriteria?.Filters ?? [];
    this.#filters = filters.map(({ Pattern }) => compilePattern(JSON.parse(Pattern)));
    if (
      !this.source.includes(':dynamodb:') ||
      runtime.find(properties.Target)?.type !== 'AWS::Events::EventBus'
    ) {
      throw new Error(
        `${resource.stack}/${resource.logicalId}: a pipe leads from a table's stream to an event bus here`,
      );
    }
    if (this.#settings.BatchSize > MAXIMUM_ENTRIES) {
      throw new Error(
        `${resource.stack}/${resource.logicalId}: a pipe to an event bus takes batches of at most ${MAXIMUM_ENTRIES}`,
      );
    }
  }

  async start(): Promise<void> {
    if (this.#resource.properties.DesiredState === 'STOPPED') return;
    if (this.#settings.StartingPosition === 'LATEST' && !this.#hasCheckpoint()) await this.#skipToEnd();
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let retry = FIRST_RETRY_MS;
    while (!signal.aborted) {
      try {
        const seen = this.#signal.version(this.source);
        await this.#poll((records) => {
          const accepted = this.#accepted(records);
          this.#meter(accepted);
          return this.#deliver(accepted);
        });
        retry = FIRST_RETRY_MS;
        await this.#signal.wait(this.source, seen, SLOW_POLL_MS, signal);
      } catch (error) {
        this.#shards = undefined;
        if (signal.aborted) return;
        this.#runtime.log('pipes', `${this.#resource.ref} starts again from its checkpoint`, error);
        await this.#pause(retry).catch(() => {});
        retry = Math.min(retry * 2, LONGEST_RETRY_MS);
      }
    }
  }

  /** Reads every shard to its present end, handing each batch to `deliver` before its checkpoint is saved. */
  async #poll(deliver: (records: readonly StreamRecord[]) => Promise<void>): Promise<void> {
    this.#shards ??= await this.#describe();
    for (const shard of this.#shards) {
      shard.iterator ??= await this.#firstIterator(shard.id);
      for (;;) {
        this.#stopping.signal.throwIfAborted();
        const { Records, NextShardIterator } = await this.#ask('GetRecords', {
          ShardIterator: shard.iterator,
          Limit: this.#settings.BatchSize ?? DEFAULT_BATCH_SIZE,
        });
        const last: StreamRecord | undefined = Records.at(-1);
        if (last) {
          await deliver(Records.map((record: object) => ({ ...record, eventSourceARN: this.source })));
          this.#save(shard.id, last.dynamodb.SequenceNumber);
        }
        shard.iterator = NextShardIterator;
        // A closed shard ends here; its successors are found by asking anew.
        if (!NextShardIterator) this.#shards = undefined;
        if (!last || !NextShardIterator) break;
      }
    }
  }

  #accepted(records: readonly StreamRecord[]): readonly StreamRecord[] {
    if (this.#filters.length === 0) return records;
    return records.filter((record) => this.#filters.some((matches) => matches(record)));
  }

  /**
   * What passes the filters is billed by 64 KB, here record by record: batches would make it fewer. Reading the stream
   * costs a pipe nothing.
   */
  #meter(accepted: readonly StreamRecord[]): void {
    const requests = accepted.reduce((sum, one) => sum + chunksOf(Buffer.byteLength(JSON.stringify(one))), 0);
    if (requests === 0) return;
    const resource = this.#resource.ref;
    this.#runtime.meter.add({
      service: 'pipes',
      resource,
      operation: 'Request',
      by: '',
      counts: { requests },
    });
  }

  /** Returns when every record is on the bus or in the dead-letter queue. Rejects only when the pipe stops. */
  async #deliver(batch: readonly StreamRecord[]): Promise<void> {
    const { MaximumRetryAttempts: retries = -1, OnPartialBatchItemFailure: onFailure } = this.#settings;
    let pending = batch;
    let pauseMs = FIRST_RETRY_MS;
    for (let failures = 0; pending.length > 0; ) {
      this.#stopping.signal.throwIfAborted();
      const { failed, error, whole } = await this.#put(pending);
      if (failed.length === 0) return;
      if (whole && failed.length > 1 && onFailure === 'AUTOMATIC_BISECT') {
        const middle = Math.ceil(failed.length / 2);
        await this.#deliver(failed.slice(0, middle));
        return this.#deliver(failed.slice(middle));
      }
      failures += 1;
      const failure = failed.length < pending.length ? 'ExecutionPartiallyFailed' : 'ExecutionFailed';
      this.#runtime.metrics.add('AWS/EventBridge/Pipes', failure, { PipeName: this.#resource.ref });
      this.#runtime.log('pipes', `${this.#resource.ref}: ${failed.length} records failed`, error);
      if (retries >= 0 && failures > retries) return this.#giveUp(failed, 'RetryAttemptsExhausted');
      const old = failed.filter((record) => this.#isTooOld(record));
      if (old.length > 0) await this.#giveUp(old, 'MaximumRecordAgeExceeded');
      pending = failed.filter((record) => !old.includes(record));
      if (pending.length > 0) await this.#pause(pauseMs);
      pauseMs = Math.min(pauseMs * 2, LONGEST_RETRY_MS);
    }
  }

  async #put(records: readonly StreamRecord[]): Promise<Rest> {
    const failed: StreamRecord[] = [];
    let firstError: unknown;
    let whole = false;
    for (let at = 0; at < records.length; at += MAXIMUM_ENTRIES) {
      const chunk = records.slice(at, at + MAXIMUM_ENTRIES);
      try {
        const output = await this.#runtime.boundary.pass(this.#crossing(chunk), (Entries: object[]) =>
          this.#runtime.call('events', 'PutEvents', { Entries }, this.#caller),
        );
        if (!output.FailedEntryCount) continue;
        const refused = chunk.filter((_, index) => output.Entries[index]?.ErrorCode);
        firstError ??= output.Entries.find((entry: any) => entry.ErrorCode);
        failed.push(...refused);
      } catch (error) {
        firstError ??= error;
        whole = true;
        failed.push(...chunk);
      }
    }
    return { failed, error: firstError, whole };
  }

  #crossing(chunk: readonly StreamRecord[]): Crossing {
    const entries = (): object[] =>
      chunk.map((record) => {
        const entry = this.#entry(record);
        const unreadable = this.#poisoned.has(record.dynamodb.SequenceNumber);
        return unreadable ? { ...entry, Detail: '{"poison":true' } : entry;
      });
    return {
      kind: 'delivery',
      service: 'pipes',
      operation: 'Deliver',
      resources: [this.#resource.ref],
      by: this.#resource.ref,
      input: entries(),
      poisoned: () => {
        // A record that nobody can read is so each time that it comes.
        this.#poisoned.add(chunk[0]!.dynamodb.SequenceNumber);
        return entries();
      },
    };
  }

  #entry(record: StreamRecord): object {
    const { Target, TargetParameters = {} } = this.#resource.properties;
    const { InputTemplate, EventBridgeEventBusParameters: bus = {} } = TargetParameters;
    const dynamic = (value: string | undefined): string | undefined =>
      value?.startsWith('$.') ? String(valueAt(value, record) ?? '') : value;
    const time = Date.parse(dynamic(bus.Time) ?? '');
    return {
      EventBusName: Target,
      Source: dynamic(bus.Source) ?? `Pipe ${this.#resource.ref}`,
      DetailType: dynamic(bus.DetailType) ?? 'Event from aws:dynamodb',
      ...(bus.Resources ? { Resources: bus.Resources.map(dynamic) } : {}),
      ...(Number.isNaN(time) ? {} : { Time: time / 1000 }),
      Detail:
        InputTemplate === undefined
          ? JSON.stringify(record)
          : fillTemplate(InputTemplate, record, {
              'aws.pipes.pipe-arn': this.#resource.arn,
              'aws.pipes.pipe-name': this.#resource.ref,
              'aws.pipes.source-arn': this.source,
              'aws.pipes.target-arn': Target,
            }),
    };
  }

  /** Sends what AWS sends: where the records are, not the records. */
  async #giveUp(records: readonly StreamRecord[], condition: string): Promise<void> {
    const queue = this.#runtime.find(this.#settings.DeadLetterConfig?.Arn ?? '');
    if (!queue) return;
    const arrival = (record: StreamRecord) =>
      new Date(record.dynamodb.ApproximateCreationDateTime * 1000).toISOString();
    const [first] = records as [StreamRecord];
    const last = records.at(-1)!;
    const MessageBody = JSON.stringify({
      context: { partnerResourceArn: this.#resource.arn, condition },
      version: '1.0',
      timestamp: new Date(this.#runtime.clock.now()).toISOString(),
      DDBStreamBatchInfo: {
        startSequenceNumber: first.dynamodb.SequenceNumber,
        endSequenceNumber: last.dynamodb.SequenceNumber,
        approximateArrivalOfFirstRecord: arrival(first),
        approximateArrivalOfLastRecord: arrival(last),
        batchSize: records.length,
        streamArn: this.source,
      },
    });
    // Until the queue takes it, the pipe stands still: nothing is dropped silently.
    for (let pauseMs = FIRST_RETRY_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_RETRY_MS)) {
      try {
        const input = { QueueUrl: queue.ref, MessageBody };
        await this.#runtime.call('sqs', 'SendMessage', input, this.#caller);
        return;
      } catch (error) {
        this.#runtime.log('pipes', `${this.#resource.ref} cannot reach its dead-letter queue`, error);
        await this.#pause(pauseMs);
      }
    }
  }

  /** By real time, which the backend stamps records with, whatever the cloud's clock was moved to. */
  #isTooOld({ dynamodb }: StreamRecord): boolean {
    const { MaximumRecordAgeInSeconds: limit = -1 } = this.#settings;
    return limit >= 0 && Date.now() / 1000 - dynamodb.ApproximateCreationDateTime > limit;
  }

  async #describe(): Promise<Shard[]> {
    const { StreamDescription } = await this.#ask('DescribeStream', { StreamArn: this.source });
    return StreamDescription.Shards.map((shard: any) => ({ id: shard.ShardId }));
  }

  async #firstIterator(shard: string): Promise<string> {
    const row = this.#runtime.db
      .prepare('SELECT sequence FROM pipes_checkpoints WHERE pipe = ? AND shard = ?')
      .get(this.#resource.arn, shard);
    const after = row?.sequence
      ? { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: row.sequence }
      : { ShardIteratorType: 'TRIM_HORIZON' };
    const input = { StreamArn: this.source, ShardId: shard, ...after };
    return (await this.#ask('GetShardIterator', input)).ShardIterator;
  }

  #hasCheckpoint(): boolean {
    const count = this.#runtime.db.prepare('SELECT 1 FROM pipes_checkpoints WHERE pipe = ? LIMIT 1');
    return count.get(this.#resource.arn) !== undefined;
  }

  /** Passes over what was written before the pipe existed. An empty sequence marks a shard with nothing before. */
  async #skipToEnd(): Promise<void> {
    for (const { id } of await this.#describe()) this.#save(id, '');
    await this.#poll(async () => {});
  }

  #save(shard: string, sequence: string): void {
    this.#runtime.db
      .prepare('INSERT OR REPLACE INTO pipes_checkpoints (pipe, shard, sequence) VALUES (?, ?, ?)')
      .run(this.#resource.arn, shard, sequence);
    this.position = Number(sequence);
    this.#moved(this.source);
  }

  #ask(operation: string, input: object): Promise<any> {
    return this.#runtime.call('dynamodb', operation, input, this.#caller);
  }

  async #pause(milliseconds: number): Promise<void> {
    await pause(milliseconds, undefined, { signal: this.#stopping.signal });
  }
}
