import type { ContentionWindow } from './contention.ts';
import { capacityOf, capacityOfFailure, isBilled } from './dynamodb-capacity.ts';
import { isSingleWrite, type Touch, touchesOf } from './dynamodb-operations.ts';
import { prepareTable, type TableDefinition, tableDefinition } from './dynamodb-tables.ts';
import { type Hold, TableThroughputs } from './dynamodb-throughput.ts';
import { type BackendAnswer, type DynamoDbBackend, startDynamoDb } from './dynoxide.ts';
import { StreamRecords, type StreamSignal } from './streams.ts';
import { AwsError, type AwsResponse, type Caller, type Runtime, type Service } from './types.ts';

const API = 'DynamoDB_20120810.';
const STREAMS_API = 'DynamoDBStreams_20120810.';
const STREAM_OPERATIONS = new Set(['DescribeStream', 'GetRecords', 'GetShardIterator']);
/** How often it is looked whether there are records to delete, and how soon again when there were. */
const TRIM_EVERY_MS = 1_000;
const TRIM_NEXT_MS = 20;

/** DynamoDB with its streams. Its HTTP entry hands bodies over as they came, see `forward`. */
export interface DynamoDb extends Service {
  forward(operation: string, body: Buffer, caller: Caller): Promise<AwsResponse>;
  /** Every reader of the stream has passed this sequence number: the records before it may go. */
  passed(streamArn: string, sequence: number): void;
}

interface Table {
  readonly definition: TableDefinition;
  readonly arn: string;
  readonly streamArn: string;
  readonly keyNames: readonly string[];
  /** The customer-managed key of the table's encryption. */
  readonly keyArn: string | undefined;
}

/** Serves the template's tables; they are created when it starts. */
export function createDynamoDb(
  runtime: Runtime,
  contention: ContentionWindow,
  signal: StreamSignal,
): DynamoDb {
  const tables = new Map<string, Table>();
  for (const resource of runtime.resources('AWS::DynamoDB::Table')) {
    const sse = resource.properties.SSESpecification;
    tables.set(resource.ref, {
      definition: tableDefinition(resource),
      arn: resource.arn,
      streamArn: resource.attributes.StreamArn!,
      keyNames: resource.properties.KeySchema.map((key: any) => key.AttributeName),
      keyArn: sse?.SSEEnabled === false ? undefined : sse?.KMSMasterKeyId,
    });
  }
  /** Our stream ARNs are made from the template; the backend has its own. */
  const backendStreams = new Map<string, string>();
  const passed = new Map<string, number>();
  const read = new Set(runtime.resources('AWS::Pipes::Pipe').map((pipe) => pipe.properties.Source));
  for (const { streamArn } of tables.values()) {
    if (!read.has(streamArn)) passed.set(streamArn, Number.MAX_SAFE_INTEGER);
  }
  const throughputs = runtime.limits.imposed
    ? new TableThroughputs(runtime.resources('AWS::DynamoDB::Table'), runtime.limits, runtime.clock)
    : undefined;
  let backend: DynamoDbBackend | undefined;
  let records: StreamRecords | undefined;
  let trimming: NodeJS.Timeout | undefined;

  function table(name: string): Table {
    const found = tables.get(name);
    if (!found) throw new AwsError('ResourceNotFoundException', `Requested resource not found: ${name}`);
    return found;
  }

  function authorize(touch: Touch, caller: Caller): void {
    if (caller.kind === 'operator') return;
    const { arn, keyArn, keyNames } = table(touch.table);
    const resource = touch.index === undefined ? arn : `${arn}/index/${touch.index}`;
    const partition = touch.key?.[keyNames[0]!] as Record<string, string> | undefined;
    const leading = partition && Object.values(partition)[0];
    const context = leading === undefined ? {} : { 'dynamodb:LeadingKeys': String(leading) };
    runtime.iam.authorize(caller, `dynamodb:${touch.action}`, resource, context);
    if (keyArn !== undefined) {
      runtime.iam.authorize(caller, 'kms:Decrypt', keyArn, {
        'kms:ViaService': `dynamodb.${runtime.region}.amazonaws.com`,
        'kms:CallerAccount': runtime.account,
      });
    }
  }

  async function send(target: string, body: string | Buffer): Promise<BackendAnswer> {
    if (!backend) throw new AwsError('InternalServerError', 'DynamoDB is not running', 500);
    try {
      return await backend.send(target, body);
    } catch (error) {
      throw new AwsError('InternalServerError', `DynamoDB: ${(error as Error).message}`, 500);
    }
  }

  /** The answer without what only the meter asked for; its request units go to the meter. */
  async function serve(operation: string, body: string | Buffer, given: any, caller: Caller) {
    if (caller.kind === 'operator' || !isBilled(operation)) return run(operation, body, given, caller);
    const { input, holds, left } = admitted(operation, given);
    const bill = (capacities: ReturnType<typeof capacityOf>) => {
      for (const { table, counts } of capacities) {
        runtime.meter.add({ service: 'dynamodb', resource: table, operation, by: caller, counts });
      }
      const costs = capacities.map(({ table, counts: { writeUnits, readUnits } }) => ({
        table,
        units: writeUnits ?? readUnits ?? 0,
      }));
      throughputs?.settle(holds, costs);
    };
    try {
      const asked = JSON.stringify({ ...input, ReturnConsumedCapacity: 'INDEXES' });
      const answer = await run(operation, asked, input, caller);
      const { ConsumedCapacity, ...output } = JSON.parse(answer.body.toString() || '{}');
      if (answer.status === 200) bill(capacityOf(operation, ConsumedCapacity));
      else {
        countThrottles(operation, input, failureIn(output));
        bill(capacityOfFailure(operation, input, failureIn(output)));
      }
      if (input.ReturnConsumedCapacity && !left) return answer;
      return { ...answer, body: Buffer.from(JSON.stringify(left ? withLeft(output, left) : output)) };
    } catch (error) {
      if (error instanceof AwsError) {
        countThrottles(operation, input, error);
        bill(capacityOfFailure(operation, input, error));
      }
      throw error;
    }
  }

  /**
   * The request as far as the tables' throughput allows, and what of a batch is left for later.
   * @throws AwsError as `TableThroughputs.admit`
   */
  function admitted(operation: string, input: any): { input: any; holds: readonly Hold[]; left?: any } {
    if (!throughputs) return { input, holds: [] };
    const touches = touchesOf(operation, input, (name) => table(name).keyNames);
    const { holds, admitted } = throughputs.admit(operation, input, touches);
    if (!admitted.includes(false)) return { input, holds };
    const [now, later] = splitBatch(operation, input.RequestItems, admitted);
    return {
      input: { ...input, RequestItems: now },
      holds,
      left: { [operation === 'BatchGetItem' ? 'UnprocessedKeys' : 'UnprocessedItems']: later },
    };
  }

  /** A request that was refused for want of capacity is an event for each table that it touches. */
  function countThrottles(operation: string, input: any, { code, members }: Failure): void {
    const reasons = (members?.CancellationReasons ?? []) as { Code?: string }[];
    const throttled = /Throttling|ProvisionedThroughputExceeded|RequestLimitExceeded/;
    if (![code, ...reasons.map(({ Code = '' }) => Code)].some((one) => throttled.test(one))) return;
    const metric = isRead(operation) ? 'ReadThrottleEvents' : 'WriteThrottleEvents';
    const touched = touchesOf(operation, input, (name) => table(name).keyNames).map((touch) => touch.table);
    for (const TableName of new Set(touched)) runtime.metrics.add('AWS/DynamoDB', metric, { TableName });
  }

  async function run(operation: string, body: string | Buffer, input: any, caller: Caller) {
    if (STREAM_OPERATIONS.has(operation)) return serveStream(operation, input, caller);
    const touches = touchesOf(operation, input, (name) => table(name).keyNames);
    for (const touch of touches) authorize(touch, caller);
    const go = () => send(API + operation, body);
    if (operation === 'TransactWriteItems') {
      const answer = await contention.transaction(keysOf(touches), input.ClientRequestToken, go);
      announce(touches, answer);
      return answer;
    }
    if (isSingleWrite(operation)) {
      const answer = await contention.write(keysOf(touches), go);
      announce(touches, answer);
      return answer;
    }
    if (operation === 'TransactGetItems') return contention.readTransaction(keysOf(touches), go);
    return go();
  }

  function keysOf(touches: readonly Touch[]): string[] {
    return touches.map((touch) => {
      const values = table(touch.table).keyNames.map((name) => touch.key?.[name]);
      return `${touch.table} ${JSON.stringify(values)}`;
    });
  }

  function announce(touches: readonly Touch[], answer: BackendAnswer): void {
    if (answer.status !== 200) return;
    for (const name of new Set(touches.map((touch) => touch.table))) signal.written(table(name).streamArn);
  }

  async function serveStream(operation: string, input: any, caller: Caller): Promise<BackendAnswer> {
    // Iterators carry the stream's ARN in front, as AWS's do: it says what to authorise.
    const [iteratorArn, iterator] = String(input.ShardIterator ?? '').split('|');
    const streamArn: string = operation === 'GetRecords' ? iteratorArn : input.StreamArn;
    const backendArn = backendStreams.get(streamArn);
    if (!backendArn)
      throw new AwsError('ResourceNotFoundException', `Requested resource not found: Stream: ${streamArn}`);
    runtime.iam.authorize(caller, `dynamodb:${operation}`, streamArn);
    const translated =
      operation === 'GetRecords'
        ? { ...input, ShardIterator: iterator }
        : { ...input, StreamArn: backendArn };
    const answer = await send(STREAMS_API + operation, JSON.stringify(translated));
    if (answer.status !== 200) return answer;
    const output = JSON.parse(answer.body.toString());
    for (const member of ['ShardIterator', 'NextShardIterator']) {
      if (output[member]) output[member] = `${streamArn}|${output[member]}`;
    }
    if (output.StreamDescription) output.StreamDescription.StreamArn = streamArn;
    for (const record of output.Records ?? []) record.awsRegion = runtime.region;
    return { status: 200, body: Buffer.from(JSON.stringify(output)) };
  }

  function trim(): void {
    let deleted = 0;
    for (const [name, { streamArn }] of tables) {
      const sequence = passed.get(streamArn);
      if (sequence !== undefined) deleted += records!.trim(name, sequence);
    }
    trimming = setTimeout(trim, deleted > 0 ? TRIM_NEXT_MS : TRIM_EVERY_MS);
  }

  return {
    name: 'dynamodb',
    async call(operation, input, caller) {
      const { status, body } = await serve(operation, JSON.stringify(input), input, caller);
      const output = JSON.parse(body.toString() || '{}');
      if (status === 200) return output;
      const { code, message, members } = failureIn(output);
      throw new AwsError(code, message, status, members);
    },
    async forward(operation, body, caller) {
      const answer = await serve(operation, body, JSON.parse(body.toString()), caller);
      return { ...answer, headers: { 'content-type': 'application/x-amz-json-1.0' } };
    },
    passed(streamArn, sequence) {
      passed.set(streamArn, sequence);
    },
    async start() {
      backend = await startDynamoDb(runtime.home);
      for (const { definition, streamArn } of tables.values()) {
        const backendArn = await prepareTable(send, definition);
        if (backendArn) backendStreams.set(streamArn, backendArn);
      }
      if (backend.file) {
        records = new StreamRecords(backend.file);
        trimming = setTimeout(trim, TRIM_EVERY_MS);
      }
    },
    async stop() {
      clearTimeout(trimming);
      records?.close();
      const stopping = backend;
      backend = undefined;
      await stopping?.stop();
    },
  };
}

/** Entries of a batch in the order of `touchesOf`: those that go on, and those that wait. */
function splitBatch(operation: string, all: Record<string, any>, admitted: readonly boolean[]): [any, any] {
  const sides: [Record<string, any>, Record<string, any>] = [{}, {}];
  let at = 0;
  for (const [table, request] of Object.entries(all)) {
    const entries: unknown[] = operation === 'BatchGetItem' ? request.Keys : request;
    const flags = entries.map(() => admitted[at++]);
    for (const [side, wanted] of [true, false].entries()) {
      const some = entries.filter((_, index) => flags[index] === wanted);
      if (some.length > 0)
        sides[side]![table] = operation === 'BatchGetItem' ? { ...request, Keys: some } : some;
    }
  }
  return sides;
}

/** A batch's answer with what had to wait, beside what the backend did not do. */
function withLeft(output: any, left: Record<string, Record<string, unknown>>): any {
  const [[member, tables]] = Object.entries(left) as [[string, Record<string, unknown>]];
  return { ...output, [member]: { ...output[member], ...tables } };
}

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly members?: Readonly<Record<string, unknown>> | undefined;
}

function isRead(operation: string): boolean {
  return /^(GetItem|BatchGetItem|Query|Scan|TransactGetItems)$/.test(operation);
}

/** The error in an answer's body. */
function failureIn(output: any): { code: string; message: string; members: Record<string, unknown> } {
  const { __type, message, Message, ...members } = output;
  return { code: String(__type).split('#').at(-1)!, message: message ?? Message ?? '', members };
}
