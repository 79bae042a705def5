import { randomUUID } from 'node:crypto';
import type { InvocationOutcome } from './lambda-thread.ts';
import { AwsError, type Resource, type Runtime } from './types.ts';

interface QueuedInvocation {
  readonly id: string;
  readonly arn: string;
  /** JSON. */
  readonly event: string;
  /** Milliseconds of the embedded clock. */
  readonly received: number;
  readonly due: number;
  /** Times the handler has run. */
  readonly attempts: number;
  /** Times the function was throttled since it last ran. */
  readonly throttled: number;
}

type Invoke = (arn: string, event: string, id: string) => Promise<InvocationOutcome>;

/** Lambda waits a minute before the first retry and two before the second. */
const retryDelays = [60_000, 120_000];
const sixHours = 6 * 3600;

/**
 * Lambda's queue of asynchronous invocations: durable, at least once, retried as AWS::Lambda::EventInvokeConfig says,
 * then handed to the failure destination or to the function's dead-letter queue.
 */
export class AsyncInvocations {
  readonly #runtime: Runtime;
  readonly #invoke: Invoke;
  readonly #timers = new Map<string, () => void>();
  #running = false;

  constructor(runtime: Runtime, invoke: Invoke) {
    this.#runtime = runtime;
    this.#invoke = invoke;
    runtime.db.exec(`CREATE TABLE IF NOT EXISTS lambda_async (
      id TEXT PRIMARY KEY, arn TEXT NOT NULL, event TEXT NOT NULL, received INTEGER NOT NULL,
      due INTEGER NOT NULL, attempts INTEGER NOT NULL, throttled INTEGER NOT NULL) STRICT`);
  }

  /** Takes up what an earlier process left. */
  start(): void {
    this.#running = true;
    const rows = this.#runtime.db.prepare('SELECT * FROM lambda_async').all();
    for (const row of rows) this.#schedule(row as unknown as QueuedInvocation);
  }

  stop(): void {
    this.#running = false;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  /** Stores the event; the caller's invocation counts as accepted once this returns. */
  accept(fn: Resource, event: string): void {
    const now = this.#runtime.clock.now();
    const queued = {
      id: randomUUID(),
      arn: fn.arn,
      event,
      received: now,
      due: now,
      attempts: 0,
      throttled: 0,
    };
    this.#save(queued);
  }

  #save(queued: QueuedInvocation): void {
    this.#runtime.db
      .prepare('INSERT OR REPLACE INTO lambda_async VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run(
        queued.id,
        queued.arn,
        queued.event,
        queued.received,
        queued.due,
        queued.attempts,
        queued.throttled,
      );
    if (this.#running) this.#schedule(queued);
  }

  #remove(queued: QueuedInvocation): void {
    this.#runtime.db.prepare('DELETE FROM lambda_async WHERE id = ?').run(queued.id);
  }

  #schedule(queued: QueuedInvocation): void {
    const run = () => {
      this.#timers.delete(queued.id);
      this.#attempt(queued).catch((error) => {
        this.#runtime.log('lambda', `asynchronous invocation ${queued.id} of ${queued.arn}`, error);
      });
    };
    this.#timers.set(queued.id, this.#runtime.clock.at(queued.due, run));
  }

  async #attempt(queued: QueuedInvocation): Promise<void> {
    const now = this.#runtime.clock.now();
    const config = this.#configOf(queued.arn);
    const maximumAge = Number(config?.MaximumEventAgeInSeconds ?? sixHours) * 1000;
    if (now - queued.received > maximumAge) return this.#giveUp(queued, 'EventAgeExceeded');

    let outcome: InvocationOutcome;
    try {
      outcome = await this.#invoke(queued.arn, queued.event, queued.id);
    } catch (error) {
      // Throttles and failures of Lambda itself are repeated for as long as the event may last.
      if (!(error instanceof AwsError) || (error.status !== 429 && error.status < 500)) throw error;
      const delay = Math.min(1000 * 2 ** queued.throttled, 300_000);
      return this.#save({ ...queued, due: now + delay, throttled: queued.throttled + 1 });
    }
    // A process that stops ends its functions. Their invocations were not failures: they run again after the start.
    if (!this.#running) return;
    const attempts = queued.attempts + 1;
    if (!outcome.failed) {
      await this.#deliver({ ...queued, attempts }, 'OnSuccess', 'Success', outcome);
      return this.#remove(queued);
    }
    const retries = Number(config?.MaximumRetryAttempts ?? 2);
    if (attempts > retries) return this.#giveUp({ ...queued, attempts }, 'RetriesExhausted', outcome);
    const due = this.#runtime.clock.now() + retryDelays[attempts - 1]!;
    this.#save({ ...queued, due, attempts, throttled: 0 });
  }

  async #giveUp(queued: QueuedInvocation, condition: string, outcome?: InvocationOutcome): Promise<void> {
    await this.#deliver(queued, 'OnFailure', condition, outcome);
    const fn = this.#runtime.find(queued.arn)!;
    const deadLetters = this.#runtime.find(fn.properties.DeadLetterConfig?.TargetArn ?? '');
    if (deadLetters?.type === 'AWS::SQS::Queue') {
      const error = outcome ? JSON.parse(outcome.body) : { errorMessage: condition };
      const text = (value: string) => ({ DataType: 'String', StringValue: value });
      await this.#runtime.call(
        'sqs',
        'SendMessage',
        {
          QueueUrl: deadLetters.ref,
          MessageBody: queued.event,
          MessageAttributes: {
            RequestID: text(queued.id),
            ErrorCode: { DataType: 'Number', StringValue: '200' },
            ErrorMessage: text(error.errorMessage ?? condition),
          },
        },
        { kind: 'role', roleArn: fn.properties.Role },
      );
    }
    this.#runtime.log('lambda', `gave up an asynchronous invocation of ${queued.arn}: ${condition}`);
    this.#remove(queued);
  }

  async #deliver(
    queued: QueuedInvocation,
    kind: 'OnSuccess' | 'OnFailure',
    condition: string,
    outcome?: InvocationOutcome,
  ): Promise<void> {
    const config = this.#configOf(queued.arn);
    const destination = this.#runtime.find(config?.DestinationConfig?.[kind]?.Destination ?? '');
    if (!destination) return;
    const record = {
      version: '1.0',
      timestamp: new Date(this.#runtime.clock.now()).toISOString(),
      requestContext: {
        requestId: queued.id,
        functionArn: `${queued.arn}:$LATEST`,
        condition,
        approximateInvokeCount: queued.attempts,
      },
      requestPayload: JSON.parse(queued.event),
      ...(outcome && {
        responseContext: {
          statusCode: 200,
          executedVersion: '$LATEST',
          ...(outcome.failed ? { functionError: 'Unhandled' } : {}),
        },
        responsePayload: JSON.parse(outcome.body),
      }),
    };
    const roleArn: string = this.#runtime.find(queued.arn)!.properties.Role;
    const caller = { kind: 'role', roleArn } as const;
    switch (destination.type) {
      case 'AWS::SQS::Queue': {
        const message = { QueueUrl: destination.ref, MessageBody: JSON.stringify(record) };
        return this.#runtime.call('sqs', 'SendMessage', message, caller);
      }
      case 'AWS::Lambda::Function': {
        const input = { FunctionName: destination.arn, InvocationType: 'Event', Payload: record };
        return this.#runtime.call('lambda', 'Invoke', input, caller);
      }
      default:
        throw new Error(`${destination.type} is not emulated as a destination of asynchronous invocations`);
    }
  }

  #configOf(arn: string): Record<string, any> | undefined {
    const fn = this.#runtime.find(arn);
    return this.#runtime
      .resources('AWS::Lambda::EventInvokeConfig')
      .find(({ properties }) => properties.FunctionName === fn?.ref || properties.FunctionName === arn)
      ?.properties;
  }
}
