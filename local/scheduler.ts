import { randomUUID } from 'node:crypto';
import { readSchedule, type Timetable } from './cron.ts';
import { callTarget, checkTarget, Deliveries } from './deliveries.ts';
import { chunksOf } from './meter.ts';
import { requireOperator } from './operator.ts';
import { transaction } from './transaction.ts';
import { AwsError, type Caller, type Resource, type Runtime, type Service } from './types.ts';

interface Schedule {
  readonly resource: Resource;
  readonly timetable: Timetable;
  /** Instants between which the schedule is due. */
  readonly from: number;
  readonly until: number;
}

/**
 * Amazon EventBridge Scheduler on the cloud's clock. However many due times a move of the clock (or a time without
 * a running cloud) passes, a schedule runs once afterwards, with the latest of them as its scheduled time. AWS would
 * have run at each.
 */
export function createScheduler(runtime: Runtime): Service {
  const { db, clock } = runtime;
  db.exec(
    'CREATE TABLE IF NOT EXISTS scheduler_runs (schedule TEXT PRIMARY KEY, known_since INTEGER NOT NULL, last_due INTEGER)',
  );
  const sql = {
    know: db.prepare('INSERT OR IGNORE INTO scheduler_runs (schedule, known_since) VALUES (?, ?)'),
    read: db.prepare(
      'SELECT known_since AS knownSince, last_due AS lastDue FROM scheduler_runs WHERE schedule = ?',
    ),
    ran: db.prepare('UPDATE scheduler_runs SET last_due = ? WHERE schedule = ?'),
  };
  const deliveries = new Deliveries(runtime, 'scheduler', 'scheduler.amazonaws.com');
  const resources = runtime.resources('AWS::Scheduler::Schedule');
  const schedules = resources.filter((one) => one.properties.State !== 'DISABLED').map(readResource);
  const cancels = new Map<string, () => void>();
  let running = false;

  function readResource(resource: Resource): Schedule {
    const { properties, arn, stack, logicalId, type } = resource;
    if (properties.FlexibleTimeWindow?.Mode !== 'OFF')
      throw new Error(`${stack}/${logicalId} ${type}: FlexibleTimeWindow other than OFF is not emulated`);
    checkTarget(runtime, resource, properties.Target);
    sql.know.run(arn, clock.now());
    const { knownSince } = history(arn);
    const from = properties.StartDate === undefined ? knownSince : Date.parse(properties.StartDate);
    const timezone = properties.ScheduleExpressionTimezone ?? 'UTC';
    return {
      resource,
      timetable: readSchedule(properties.ScheduleExpression, timezone, from),
      from,
      until: properties.EndDate === undefined ? Number.POSITIVE_INFINITY : Date.parse(properties.EndDate),
    };
  }

  function history(arn: string): { knownSince: number; lastDue: number | null } {
    return sql.read.get(arn) as { knownSince: number; lastDue: number | null };
  }

  /** Runs what is due and sets the alarm for the next time. */
  function check(schedule: Schedule): void {
    if (!running) return;
    const { resource, timetable, from, until } = schedule;
    const after = history(resource.arn).lastDue ?? from;
    const due = timetable.latest(Math.min(clock.now(), until));
    if (due !== undefined && due > after) run(schedule, due);
    const next = timetable.next(Math.max(clock.now(), from));
    if (next !== undefined && next <= until)
      cancels.set(
        resource.arn,
        clock.at(next, () => check(schedule)),
      );
  }

  function run({ resource }: Schedule, due: number): void {
    const target = resource.properties.Target;
    const payload = payloadOf(resource, due);
    const requests = chunksOf(Buffer.byteLength(payload));
    runtime.meter.add({
      service: 'scheduler',
      resource: resource.ref,
      operation: 'Run',
      by: '',
      counts: { requests },
    });
    const pending = transaction(db, () => {
      sql.ran.run(due, resource.arn);
      return deliveries.accept({ source: resource.arn, target, payload });
    });
    deliveries.dispatch([pending]);
  }

  function payloadOf(resource: Resource, due: number): string {
    const id = randomUUID();
    const time = `${new Date(due).toISOString().slice(0, 19)}Z`;
    const attributes: Record<string, string> = {
      'schedule-arn': resource.arn,
      'scheduled-time': time,
      'execution-id': id,
      'attempt-number': '1',
    };
    const input = resource.properties.Target.Input;
    if (input !== undefined)
      return String(input).replace(/<aws\.scheduler\.([\w-]+)>/g, (found, name) => attributes[name] ?? found);
    return JSON.stringify({
      version: '0',
      id,
      'detail-type': 'Scheduled Event',
      source: 'aws.scheduler',
      account: runtime.account,
      time,
      region: runtime.region,
      resources: [resource.arn],
      detail: '{}',
    });
  }

  /** Runs the schedule as its role, now, disabled or not, and waits for the end of what it starts. */
  async function runNow(input: { Name: string; Time?: string }, caller: Caller) {
    requireOperator(caller);
    const resource = resources.find((one) => one.ref === input.Name || one.logicalId === input.Name);
    if (!resource)
      throw new AwsError('ResourceNotFoundException', `Schedule ${input.Name} does not exist.`, 404);
    const time = input.Time === undefined ? clock.now() : Date.parse(input.Time);
    if (Number.isNaN(time)) throw new AwsError('ValidationException', `${input.Time} is not a time.`);
    const { Arn, RoleArn } = resource.properties.Target;
    const role: Caller = { kind: 'role', roleArn: RoleArn };
    const answer = await callTarget(runtime, Arn, payloadOf(resource, time), role, 'RequestResponse');
    if (answer.executionArn) {
      const { executionArn } = answer;
      const ended = await runtime.call('states', 'WaitForExecution', { executionArn }, caller);
      const output = ended.output === undefined ? undefined : JSON.parse(ended.output);
      return { executionArn, status: ended.status, output, error: ended.error, cause: ended.cause };
    }
    if (answer.MessageId) return { status: 'ACCEPTED', output: answer };
    return { status: answer.FunctionError ? 'FAILED' : 'SUCCEEDED', output: answer.Payload };
  }

  return {
    name: 'scheduler',
    async call(operation, input, caller) {
      if (operation === 'RunNow') return await runNow(input, caller);
      throw new AwsError('UnknownOperationException', `scheduler:${operation} is not emulated`);
    },
    async start() {
      running = true;
      deliveries.start();
      for (const schedule of schedules) check(schedule);
    },
    async stop() {
      running = false;
      for (const cancel of cancels.values()) cancel();
      await deliveries.stop();
    },
  };
}
