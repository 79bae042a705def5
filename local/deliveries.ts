import { nameOf } from './meter.ts';
import { AwsError, type Caller, type Crossing, type Resource, type Runtime } from './types.ts';

/*
 * How EventBridge rules and schedules reach their targets: durable, at least once, retried with backoff, then the
 * target's dead-letter queue. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
 */

/** Milliseconds before the first retry; doubled for each further one up to the longest. */
const firstRetry = 200;
const longestRetry = 60_000;

/** The target of a rule or schedule, as the template writes it. */
interface TargetProperties {
  readonly Arn: string;
  readonly RoleArn?: string;
  readonly DeadLetterConfig?: { readonly Arn?: string };
  readonly RetryPolicy?: {
    readonly MaximumRetryAttempts?: number | string;
    readonly MaximumEventAgeInSeconds?: number | string;
  };
}

/** Something accepted that a target has not taken yet. */
interface Delivery {
  /** ARN of the rule or schedule. */
  readonly source: string;
  readonly target: TargetProperties;
  /** JSON. */
  readonly payload: string;
}

interface PendingDelivery extends Delivery {
  readonly id: number | bigint;
  readonly acceptedAt: number;
  readonly attempts: number;
  readonly nextAt: number;
}

/** The caller that a target sees: its role if it has one, else the service on behalf of the rule or schedule. */
function callerOf(target: TargetProperties, service: string, source: string): Caller {
  return target.RoleArn
    ? { kind: 'role', roleArn: target.RoleArn }
    : { kind: 'service', service, sourceArn: source };
}

/**
 * Refuses a target that cannot be reached here.
 * @throws Error naming stack, logical id, type and property.
 */
export function checkTarget(runtime: Runtime, owner: Resource, target: TargetProperties): void {
  const service = serviceOf(target.Arn);
  const where = `${owner.stack}/${owner.logicalId} ${owner.type}`;
  if (!['sqs', 'lambda', 'states'].includes(service) || !runtime.find(target.Arn))
    throw new Error(`${where}: target ${target.Arn} is not emulated`);
  if (service === 'states' && !target.RoleArn)
    throw new Error(`${where}: target ${target.Arn} has no RoleArn`);
}

/** Hands `payload` to a queue, a function or a workflow; returns what that service answered. */
export async function callTarget(
  runtime: Runtime,
  arn: string,
  payload: string,
  caller: Caller,
  invocationType: 'Event' | 'RequestResponse' = 'Event',
): Promise<any> {
  switch (serviceOf(arn)) {
    case 'sqs':
      return await runtime.call(
        'sqs',
        'SendMessage',
        { QueueUrl: urlOf(runtime, arn), MessageBody: payload },
        caller,
      );
    case 'lambda':
      return await runtime.call(
        'lambda',
        'Invoke',
        { FunctionName: arn, InvocationType: invocationType, Payload: parsedOr(payload) },
        caller,
      );
    default:
      return await runtime.call('states', 'StartExecution', { stateMachineArn: arn, input: payload }, caller);
  }
}

export class Deliveries {
  readonly #runtime: Runtime;
  readonly #name: string;
  readonly #service: string;
  readonly #timers = new Map<number | bigint, () => void>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #sql;
  #running = false;

  /** `name` prefixes the table; `service` is the principal that resource policies know, `events.amazonaws.com`. */
  constructor(runtime: Runtime, name: string, service: string) {
    this.#runtime = runtime;
    this.#name = name;
    this.#service = service;
    const table = `${name}_deliveries`;
    runtime.db.exec(`CREATE TABLE IF NOT EXISTS ${table} (
      id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, target TEXT NOT NULL, payload TEXT NOT NULL,
      accepted_at INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, next_at INTEGER NOT NULL)`);
    this.#sql = {
      insert: runtime.db.prepare(
        `INSERT INTO ${table} (source, target, payload, accepted_at, next_at) VALUES (?, ?, ?, ?, ?)`,
      ),
      retry: runtime.db.prepare(`UPDATE ${table} SET attempts = ?, next_at = ? WHERE id = ?`),
      remove: runtime.db.prepare(`DELETE FROM ${table} WHERE id = ?`),
      all: runtime.db.prepare(`SELECT * FROM ${table} ORDER BY id`),
    };
  }

  /** Writes the delivery down, in the caller's transaction if it has one. Hand the answer to `dispatch` afterwards. */
  accept(delivery: Delivery): PendingDelivery {
    const now = this.#runtime.clock.now();
    const target = JSON.stringify(delivery.target);
    const { lastInsertRowid } = this.#sql.insert.run(delivery.source, target, delivery.payload, now, now);
    return { ...delivery, id: lastInsertRowid, acceptedAt: now, attempts: 0, nextAt: now };
  }

  dispatch(pending: readonly PendingDelivery[]): void {
    // Before the start and after the stop the database keeps them.
    if (this.#running) for (const one of pending) this.#attemptSoon(one);
  }

  /** Takes up what an earlier process left. */
  start(): void {
    this.#running = true;
    for (const row of this.#sql.all.all() as any[]) {
      const { id, source, payload, attempts } = row;
      const target = JSON.parse(row.target);
      this.#schedule({
        id,
        source,
        target,
        payload,
        attempts,
        acceptedAt: row.accepted_at,
        nextAt: row.next_at,
      });
    }
  }

  async stop(): Promise<void> {
    this.#running = false;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    await Promise.all(this.#underWay);
  }

  #schedule(pending: PendingDelivery): void {
    const run = () => {
      this.#timers.delete(pending.id);
      this.#attemptSoon(pending);
    };
    this.#timers.set(pending.id, this.#runtime.clock.at(pending.nextAt, run));
  }

  #attemptSoon(pending: PendingDelivery): void {
    const work = this.#attempt(pending)
      .catch((error) => this.#runtime.log(this.#name, `delivery ${pending.id} failed`, error))
      .finally(() => this.#underWay.delete(work));
    this.#underWay.add(work);
  }

  async #attempt(pending: PendingDelivery): Promise<void> {
    const { target, source, payload } = pending;
    try {
      const caller = callerOf(target, this.#service, source);
      const crossing: Crossing = {
        kind: 'delivery',
        service: this.#name,
        operation: 'Deliver',
        resources: [nameOf(source), nameOf(target.Arn)],
        by: nameOf(source),
        input: payload,
        poisoned: () => '{"poison":true',
      };
      await this.#runtime.boundary.pass(crossing, (given) =>
        callTarget(this.#runtime, target.Arn, given, caller),
      );
      this.#sql.remove.run(pending.id);
    } catch (error) {
      await this.#failed(pending, error);
    }
  }

  async #failed(pending: PendingDelivery, error: unknown): Promise<void> {
    const attempts = pending.attempts + 1;
    const now = this.#runtime.clock.now();
    const policy = pending.target.RetryPolicy;
    const nextAt = now + Math.min(firstRetry * 2 ** (attempts - 1), longestRetry);
    const expiresAt = pending.acceptedAt + Number(policy?.MaximumEventAgeInSeconds ?? 86_400) * 1000;
    if (isPermanent(error)) return this.#giveUp(pending, attempts, error, undefined);
    if (attempts > Number(policy?.MaximumRetryAttempts ?? 185))
      return this.#giveUp(pending, attempts, error, 'MaximumRetryAttempts');
    if (nextAt > expiresAt) return this.#giveUp(pending, attempts, error, 'MaximumEventAgeInSeconds');
    this.#sql.retry.run(attempts, nextAt, pending.id);
    if (this.#running) this.#schedule({ ...pending, attempts, nextAt });
  }

  /** To the dead-letter queue, with the attributes that EventBridge adds; without a queue, only a log line. */
  async #giveUp(
    pending: PendingDelivery,
    attempts: number,
    error: unknown,
    condition: string | undefined,
  ): Promise<void> {
    const { target, source, payload } = pending;
    const message = error instanceof Error ? error.message : String(error);
    this.#runtime.log(
      this.#name,
      `${source} → ${target.Arn} given up after ${attempts} attempts: ${message}`,
    );
    const queue = target.DeadLetterConfig?.Arn;
    if (queue) {
      const attributes = {
        RULE_ARN: source,
        TARGET_ARN: target.Arn,
        ERROR_CODE: error instanceof AwsError ? error.code : 'INTERNAL_ERROR',
        ERROR_MESSAGE: message,
        RETRY_ATTEMPTS: String(attempts - 1),
        ...(condition && { EXHAUSTED_RETRY_CONDITION: condition }),
      };
      try {
        await this.#runtime.call(
          'sqs',
          'SendMessage',
          {
            QueueUrl: urlOf(this.#runtime, queue),
            MessageBody: payload,
            MessageAttributes: texts(attributes),
          },
          // A schedule's role also writes to its dead-letter queue; a rule does so as the service.
          callerOf(this.#name === 'scheduler' ? target : { Arn: target.Arn }, this.#service, source),
        );
      } catch (refusal) {
        this.#runtime.log(this.#name, `dead-letter queue ${queue} refused`, refusal);
      }
    }
    this.#sql.remove.run(pending.id);
  }
}

/** Refusals that repeating cannot help: EventBridge does not retry them either. */
function isPermanent(error: unknown): boolean {
  return error instanceof AwsError && error.status < 500 && !/TooManyRequests|Throttl|Limit/.test(error.code);
}

function serviceOf(arn: string): string {
  return arn.split(':')[2] ?? '';
}

function urlOf(runtime: Runtime, queueArn: string): string {
  return runtime.find(queueArn)?.ref ?? queueArn;
}

function texts(attributes: Record<string, string>) {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
  );
}

/** An input transformer may produce text that is no JSON; a function then receives it as a string. */
function parsedOr(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    return payload;
  }
}
