import { compilePattern } from './event-pattern.ts';
import { nameOf } from './meter.ts';
import { AwsError, type Caller, type Crossing, type Resource, type Runtime, type Service } from './types.ts';

const serviceName = 'lambda-esm';
/** Batches at a time where the mapping has no MaximumConcurrency. AWS scales further; two cores do not. */
const defaultConcurrency = 10;
/** SQS hands out at most this many messages at once. */
const receiveLimit = 10;
const longPollSeconds = 20;
/** Milliseconds before polling again after a refusal. */
const pollErrorPause = 1000;
/** Milliseconds that `stop` waits for batches under way. */
const stopPatience = 5000;

interface ReceivedMessage {
  readonly MessageId: string;
  readonly ReceiptHandle: string;
  readonly Body: string;
  readonly MD5OfBody: string;
  readonly Attributes?: Record<string, string>;
  readonly MessageAttributes?: Record<string, any>;
}

/** The pollers that hand SQS messages to functions: one for each AWS::Lambda::EventSourceMapping. */
export function createEventSourceMappings(runtime: Runtime): Service {
  const pollers = runtime.resources('AWS::Lambda::EventSourceMapping').map((one) => new Poller(runtime, one));
  return {
    name: serviceName,
    async call(operation) {
      throw new AwsError('UnknownOperationException', `${serviceName}:${operation} is not emulated`);
    },
    async start() {
      for (const poller of pollers) poller.start();
    },
    async stop() {
      await Promise.all(pollers.map((poller) => poller.stop()));
    },
  };
}

class Poller {
  readonly #runtime: Runtime;
  readonly #mapping: Resource;
  readonly #function: Resource;
  readonly #queue: Resource;
  readonly #role: Caller;
  readonly #batchSize: number;
  /** Seconds. */
  readonly #window: number;
  readonly #concurrency: number;
  readonly #partial: boolean;
  readonly #filters: ((record: unknown) => boolean)[];
  readonly #underWay = new Set<Promise<void>>();
  readonly #stopped = new AbortController();
  #slotFreed: (() => void) | undefined;
  /** Ids of messages that a fault made unreadable. */
  readonly #poisoned = new Set<string>();
  #lastRefusal = '';

  constructor(runtime: Runtime, mapping: Resource) {
    const { properties } = mapping;
    this.#runtime = runtime;
    this.#mapping = mapping;
    this.#function = this.#target('FunctionName');
    this.#queue = this.#target('EventSourceArn');
    if (this.#queue.type !== 'AWS::SQS::Queue') throw this.#unsupported('EventSourceArn');
    this.#role = { kind: 'role', roleArn: this.#function.properties.Role };
    this.#batchSize = Number(properties.BatchSize ?? 10);
    this.#window = Number(properties.MaximumBatchingWindowInSeconds ?? 0);
    this.#concurrency = Number(properties.ScalingConfig?.MaximumConcurrency ?? defaultConcurrency);
    this.#partial = (properties.FunctionResponseTypes ?? []).includes('ReportBatchItemFailures');
    this.#filters = (properties.FilterCriteria?.Filters ?? []).map((filter: any) =>
      compilePattern(JSON.parse(filter.Pattern)),
    );
  }

  start(): void {
    if (this.#mapping.properties.Enabled === false) return;
    void this.#poll();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#slotFreed?.();
    const handled = new AbortController();
    void Promise.all(this.#underWay).then(() => handled.abort());
    await pause(stopPatience, handled.signal);
  }

  async #poll(): Promise<void> {
    let running = 0;
    let checked = false;
    while (!this.#stopped.signal.aborted) {
      if (running >= this.#concurrency) {
        await new Promise<void>((resolve) => {
          this.#slotFreed = resolve;
        });
        continue;
      }
      try {
        // AWS's pollers need GetQueueAttributes too, so a role without it must not work here either.
        if (!checked) await this.#sqs('GetQueueAttributes', { AttributeNames: ['VisibilityTimeout'] });
        checked = true;
        const batch = await this.#receiveBatch();
        // What arrives while stopping stays in flight, and is visible again after the next start.
        if (batch.length === 0 || this.#stopped.signal.aborted) continue;
        running += 1;
        const handled = this.#handle(batch).finally(() => {
          running -= 1;
          this.#underWay.delete(handled);
          this.#slotFreed?.();
        });
        this.#underWay.add(handled);
      } catch (error) {
        if (this.#stopped.signal.aborted) return;
        this.#logRefusal(error);
        await pause(pollErrorPause, this.#stopped.signal);
      }
    }
  }

  /** One long poll; then, with a batching window, more polls until the batch is full or the window over. */
  async #receiveBatch(): Promise<ReceivedMessage[]> {
    const batch = await this.#receive(this.#batchSize, longPollSeconds);
    this.#lastRefusal = '';
    if (batch.length === 0 || this.#window === 0) return batch;
    const until = Date.now() + (this.#window * 1000) / this.#runtime.clock.pace;
    while (batch.length < this.#batchSize && !this.#stopped.signal.aborted) {
      const left = Math.max(0, until - Date.now()) / 1000;
      const more = await this.#receive(this.#batchSize - batch.length, Math.min(left, longPollSeconds));
      if (more.length === 0) break;
      batch.push(...more);
    }
    return batch;
  }

  async #receive(count: number, waitSeconds: number): Promise<ReceivedMessage[]> {
    const answer = await this.#sqs('ReceiveMessage', {
      MaxNumberOfMessages: Math.min(count, receiveLimit),
      WaitTimeSeconds: waitSeconds,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    });
    return answer.Messages ?? [];
  }

  async #handle(messages: ReceivedMessage[]): Promise<void> {
    try {
      const records = messages.map((message) => this.#record(message));
      const unwanted = messages.filter((_, index) => !this.#wants(records[index]));
      const wanted = messages.filter((message) => !unwanted.includes(message));
      const failed = wanted.length === 0 ? new Set<string>() : await this.#invoke(wanted);
      // What failed stays in flight until its visibility timeout runs out. AWS does the same.
      await this.#remove([...unwanted, ...wanted.filter((message) => !failed.has(message.MessageId))]);
    } catch (error) {
      if (!this.#stopped.signal.aborted) this.#logRefusal(error);
    }
  }

  /** The ids of the messages that the function did not handle. */
  async #invoke(messages: ReceivedMessage[]): Promise<Set<string>> {
    const all = new Set(messages.map((message) => message.MessageId));
    const crossing: Crossing = {
      kind: 'delivery',
      service: serviceName,
      operation: 'Deliver',
      resources: [nameOf(this.#queue.arn), this.#function.ref],
      by: nameOf(this.#queue.arn),
      input: messages,
      poisoned: ([first, ...rest]: ReceivedMessage[]) => {
        // A record that nobody can read is so each time that it comes.
        this.#poisoned.add(first!.MessageId);
        return [first, ...rest];
      },
    };
    const answer = await this.#runtime.boundary.pass(crossing, (given: ReceivedMessage[]) =>
      this.#runtime.call(
        'lambda',
        'Invoke',
        {
          FunctionName: this.#function.arn,
          InvocationType: 'RequestResponse',
          Payload: { Records: given.map((message) => this.#record(message)) },
        },
        { kind: 'service', service: 'lambda.amazonaws.com', sourceArn: this.#mapping.arn },
      ),
    );
    if (answer.FunctionError) return all;
    return this.#partial ? failuresOf(answer.Payload, all) : new Set();
  }

  async #remove(messages: ReceivedMessage[]): Promise<void> {
    for (let start = 0; start < messages.length; start += receiveLimit) {
      const entries = messages.slice(start, start + receiveLimit);
      await this.#sqs('DeleteMessageBatch', {
        Entries: entries.map((one, index) => ({ Id: String(index), ReceiptHandle: one.ReceiptHandle })),
      });
    }
  }

  #record(message: ReceivedMessage) {
    const attributes = Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [
      name,
      {
        stringValue: value.StringValue,
        binaryValue: value.BinaryValue,
        stringListValues: [],
        binaryListValues: [],
        dataType: value.DataType,
      },
    ]);
    return {
      messageId: message.MessageId,
      receiptHandle: message.ReceiptHandle,
      body: this.#poisoned.has(message.MessageId) ? '{"poison":true' : message.Body,
      attributes: message.Attributes ?? {},
      messageAttributes: Object.fromEntries(attributes),
      md5OfBody: message.MD5OfBody,
      eventSource: 'aws:sqs',
      eventSourceARN: this.#queue.arn,
      awsRegion: this.#runtime.region,
    };
  }

  /** Filters see a JSON body as the object it is. */
  #wants(record: any): boolean {
    if (this.#filters.length === 0) return true;
    const seen = { ...record, body: parsedOr(record.body, record.body) };
    return this.#filters.some((matches) => matches(seen));
  }

  #sqs(operation: string, input: object): Promise<any> {
    return this.#runtime.call('sqs', operation, { QueueUrl: this.#queue.ref, ...input }, this.#role);
  }

  /** A refusal that lasts is one line, not one a second. */
  #logRefusal(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (message === this.#lastRefusal) return;
    this.#lastRefusal = message;
    this.#runtime.log(serviceName, `${this.#queue.arn} → ${this.#function.ref}: ${message}`);
  }

  #target(property: string): Resource {
    const found = this.#runtime.find(this.#mapping.properties[property]);
    if (!found) throw this.#unsupported(property);
    return found;
  }

  #unsupported(property: string): Error {
    const { stack, logicalId, type, properties } = this.#mapping;
    return new Error(`${stack}/${logicalId} ${type}: ${property} ${properties[property]} is not emulated`);
  }
}

/** `{batchItemFailures: [{itemIdentifier}]}`; anything else, or an unknown id, means that the whole batch failed. */
function failuresOf(answer: unknown, all: Set<string>): Set<string> {
  if (answer === null || answer === undefined) return new Set();
  const failures = (answer as any).batchItemFailures;
  if (failures === undefined || failures === null) return typeof answer === 'object' ? new Set() : all;
  if (!Array.isArray(failures)) return all;
  const ids = failures.map((failure) => failure?.itemIdentifier);
  return ids.every((id) => all.has(id)) ? new Set(ids) : all;
}

function parsedOr<T>(json: string, otherwise: T): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return otherwise;
  }
}

/** Ends after `milliseconds` or when `signal` aborts. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
