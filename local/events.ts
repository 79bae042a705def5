import { randomUUID } from 'node:crypto';
import { checkTarget, Deliveries } from './deliveries.ts';
import { compileInput } from './event-input.ts';
import { compilePattern } from './event-pattern.ts';
import { chunksOf, metered, nameOf } from './meter.ts';
import { requireOperator } from './operator.ts';
import { throttled } from './throttling.ts';
import { transaction } from './transaction.ts';
import { AwsError, type Caller, type Resource, type Runtime, type Service } from './types.ts';

/*
 * Event buses with their rules and archives. An accepted event and what it is owed to targets are in the database
 * before PutEvents answers. AWS: https://docs.aws.amazon.com/eventbridge/latest/APIReference/
 */

const maxEntries = 10;
const maxRequestBytes = 1024 * 1024;
/** Events that `ListRecorded` remembers. */
const recordedEvents = 10_000;

interface BusEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
  readonly 'replay-name'?: string;
}

interface Rule {
  readonly arn: string;
  readonly busArn: string;
  readonly matches: (event: unknown) => boolean;
  readonly targets: readonly { readonly properties: any; readonly input: (event: any) => string }[];
}

interface Archive {
  readonly arn: string;
  readonly name: string;
  readonly busArn: string;
  readonly matches: (event: unknown) => boolean;
  /** Milliseconds. */
  readonly retention: number;
}

/** Amazon EventBridge: every bus, rule and archive of the template. */
export function createEvents(runtime: Runtime): Service {
  const { db, clock, iam, region, account } = runtime;
  db.exec(`
    CREATE TABLE IF NOT EXISTS events_recorded (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, bus TEXT NOT NULL, event TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS events_archived (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, archive TEXT NOT NULL, at INTEGER NOT NULL, event TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS events_archived_at ON events_archived (archive, at);
    CREATE TABLE IF NOT EXISTS events_replays (name TEXT PRIMARY KEY, replay TEXT NOT NULL);`);
  const sql = {
    record: db.prepare('INSERT INTO events_recorded (at, bus, event) VALUES (?, ?, ?)'),
    forget: db.prepare('DELETE FROM events_recorded WHERE seq <= ?'),
    since: db.prepare('SELECT * FROM events_recorded WHERE seq > ? AND at >= ? ORDER BY seq'),
    archive: db.prepare('INSERT INTO events_archived (archive, at, event) VALUES (?, ?, ?)'),
    expire: db.prepare('DELETE FROM events_archived WHERE archive = ? AND at < ?'),
    archived: db.prepare(
      'SELECT event FROM events_archived WHERE archive = ? AND at >= ? AND at < ? ORDER BY at, seq',
    ),
    saveReplay: db.prepare('INSERT INTO events_replays (name, replay) VALUES (?, ?)'),
    replay: db.prepare('SELECT replay FROM events_replays WHERE name = ?'),
    replays: db.prepare('SELECT replay FROM events_replays ORDER BY name'),
  };
  const arn = (path: string) => `arn:aws:events:${region}:${account}:${path}`;
  const deliveries = new Deliveries(runtime, 'events', 'events.amazonaws.com');

  const buses = new Map<string, string>([['default', arn('event-bus/default')]]);
  for (const bus of runtime.resources('AWS::Events::EventBus')) buses.set(bus.ref, bus.arn);
  const busArns = new Set(buses.values());
  const rules = runtime.resources('AWS::Events::Rule').filter(isEnabled).map(readRule);
  const archives = runtime.resources('AWS::Events::Archive').map(readArchive);

  function readRule(resource: Resource): Rule {
    const { properties } = resource;
    if (!properties.EventPattern || properties.ScheduleExpression)
      throw unsupported(resource, 'ScheduleExpression');
    return {
      arn: resource.arn,
      busArn: findBus(properties.EventBusName ?? 'default'),
      matches: compilePattern(parsed(properties.EventPattern)),
      targets: (properties.Targets ?? []).map((target: any) => {
        checkTarget(runtime, resource, target);
        return { properties: target, input: compileInput(target, resource.arn) };
      }),
    };
  }

  function readArchive(resource: Resource): Archive {
    const { EventPattern, SourceArn, RetentionDays } = resource.properties;
    return {
      arn: resource.arn,
      name: resource.ref,
      busArn: findBus(SourceArn),
      matches: EventPattern ? compilePattern(parsed(EventPattern)) : () => true,
      retention: RetentionDays ? Number(RetentionDays) * 86_400_000 : Number.POSITIVE_INFINITY,
    };
  }

  function findBus(nameOrArn: string): string {
    const found = busArns.has(nameOrArn) ? nameOrArn : buses.get(nameOrArn);
    if (!found) throw new AwsError('ResourceNotFoundException', `Event bus ${nameOrArn} does not exist.`);
    return found;
  }

  function putEvents(input: any, caller: Caller) {
    const entries: any[] = input.Entries ?? [];
    if (entries.length === 0 || entries.length > maxEntries)
      throw new AwsError('ValidationException', `Entries must have between 1 and ${maxEntries} members.`);
    if (entries.reduce((sum, entry) => sum + entryBytes(entry), 0) > maxRequestBytes)
      throw new AwsError(
        'ValidationException',
        `Total size of the entries in the request is over the limit.`,
      );
    const accepted: { event: BusEvent; busArn: string }[] = [];
    const results = entries.map((entry) => {
      const busArn = findBus(entry.EventBusName ?? 'default');
      const context = { 'events:source': entry.Source, 'events:detail-type': entry.DetailType };
      iam.authorize(caller, 'events:PutEvents', busArn, context);
      const refusal = refusalOf(entry);
      if (refusal) return refusal;
      if (!runtime.limits.take('events.putEventsRate'))
        return { ErrorCode: 'ThrottlingException', ErrorMessage: 'Rate exceeded' };
      const event = envelope(entry);
      accepted.push({ event, busArn });
      return { EventId: event.id };
    });
    const late = results.filter((result: any) => result.ErrorCode === 'ThrottlingException').length;
    if (late === entries.length) throw throttled('events', 'PutEvents');
    const pending = transaction(db, () =>
      accepted.flatMap(({ event, busArn }) => {
        archive(event, busArn);
        return publish(event, busArn);
      }),
    );
    deliveries.dispatch(pending);
    return { FailedEntryCount: results.length - accepted.length, Entries: results };
  }

  function envelope(entry: any): BusEvent {
    const at = entry.Time === undefined ? clock.now() : milliseconds(entry.Time);
    return {
      version: '0',
      id: randomUUID(),
      'detail-type': entry.DetailType,
      source: entry.Source,
      account,
      time: `${new Date(at).toISOString().slice(0, 19)}Z`,
      region,
      resources: entry.Resources ?? [],
      detail: JSON.parse(entry.Detail),
    };
  }

  /** Records the event and what it owes to the targets of matching rules. Runs inside a transaction. */
  function publish(event: BusEvent, busArn: string, onlyRules?: readonly string[]) {
    const { lastInsertRowid } = sql.record.run(clock.now(), busArn.split('/').at(-1)!, JSON.stringify(event));
    sql.forget.run(Number(lastInsertRowid) - recordedEvents);
    return rules
      .filter(
        (rule) => rule.busArn === busArn && (onlyRules?.includes(rule.arn) ?? true) && rule.matches(event),
      )
      .flatMap((rule) =>
        rule.targets.map(({ properties, input }) =>
          deliveries.accept({ source: rule.arn, target: properties, payload: input(event) }),
        ),
      );
  }

  function archive(event: BusEvent, busArn: string): void {
    for (const one of archives) {
      if (one.busArn !== busArn || !one.matches(event)) continue;
      sql.archive.run(one.name, Date.parse(event.time), JSON.stringify(event));
      if (one.retention !== Number.POSITIVE_INFINITY) sql.expire.run(one.name, clock.now() - one.retention);
    }
  }

  /** AWS replays over minutes and in the order of event times only roughly; here it is done when this answers. */
  function startReplay(input: any, caller: Caller) {
    const source = archives.find((one) => one.arn === input.EventSourceArn);
    if (!source)
      throw new AwsError('ResourceNotFoundException', `Archive ${input.EventSourceArn} does not exist.`);
    const busArn = findBus(input.Destination?.Arn);
    const ReplayArn = arn(`replay/${input.ReplayName}`);
    iam.authorize(caller, 'events:StartReplay', ReplayArn);
    if (busArn !== source.busArn)
      throw new AwsError('ValidationException', 'A replay goes to the bus that its archive was made of.');
    if (sql.replay.get(input.ReplayName))
      throw new AwsError('ResourceAlreadyExistsException', `Replay ${input.ReplayName} already exists.`);
    const [from, to] = [milliseconds(input.EventStartTime), milliseconds(input.EventEndTime)];
    const now = clock.now() / 1000;
    const pending = transaction(db, () => {
      const events = sql.archived.all(source.name, from, to) as { event: string }[];
      const replay = {
        ...input,
        ReplayArn,
        State: 'COMPLETED',
        ReplayStartTime: now,
        ReplayEndTime: now,
        EventLastReplayedTime: to / 1000,
      };
      sql.saveReplay.run(input.ReplayName, JSON.stringify(replay));
      return events.flatMap(({ event }) =>
        publish(
          { ...JSON.parse(event), 'replay-name': input.ReplayName },
          busArn,
          input.Destination.FilterArns,
        ),
      );
    });
    deliveries.dispatch(pending);
    return { ReplayArn, State: 'STARTING', ReplayStartTime: now };
  }

  function describeReplay(input: any, caller: Caller) {
    iam.authorize(caller, 'events:DescribeReplay', arn(`replay/${input.ReplayName}`));
    const row = sql.replay.get(input.ReplayName) as { replay: string } | undefined;
    if (!row) throw new AwsError('ResourceNotFoundException', `Replay ${input.ReplayName} does not exist.`);
    return JSON.parse(row.replay);
  }

  function listReplays(input: any, caller: Caller) {
    iam.authorize(caller, 'events:ListReplays', '*');
    const all = (sql.replays.all() as { replay: string }[]).map((row) => JSON.parse(row.replay));
    const prefix = input.NamePrefix ?? '';
    return { Replays: all.filter((replay) => replay.ReplayName.startsWith(prefix)) };
  }

  /** `Since` is a `seq` already seen, or an ISO 8601 time. */
  function listRecorded(input: any, caller: Caller) {
    requireOperator(caller);
    const since = String(input.Since ?? 0);
    const isSequence = /^\d+$/.test(since);
    const rows = sql.since.all(isSequence ? Number(since) : 0, isSequence ? 0 : milliseconds(since)) as any[];
    return {
      items: rows.map(({ seq, at, bus, event }) => ({
        seq,
        at: new Date(at).toISOString(),
        bus,
        event: JSON.parse(event),
      })),
    };
  }

  async function call(operation: string, input: any, caller: Caller): Promise<any> {
    switch (operation) {
      case 'PutEvents':
        return putEvents(input, caller);
      case 'StartReplay':
        return startReplay(input, caller);
      case 'DescribeReplay':
        return describeReplay(input, caller);
      case 'ListReplays':
        return listReplays(input, caller);
      case 'ListRecorded':
        return listRecorded(input, caller);
      default:
        throw new AwsError('UnknownOperationException', `events:${operation} is not emulated`);
    }
  }

  /** Each event that is put is billed by 64 KB; what rules match and hand to queues is not. Archives bill by bytes. */
  function bill(operation: string, input: any, output: any) {
    if (operation !== 'PutEvents') return undefined;
    const entries: any[] = input.Entries.filter((_: any, index: number) => !output.Entries[index]?.ErrorCode);
    const bytes = entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
    return {
      resource: nameOf(String(input.Entries[0]?.EventBusName ?? 'default')),
      counts: {
        events: entries.reduce((sum, entry) => sum + chunksOf(entryBytes(entry)), 0),
        bytes,
        ...(archives.length > 0 && { archivedBytes: bytes }),
      },
    };
  }

  return {
    name: 'events',
    call: metered(runtime.meter, 'events', call, bill),
    async start() {
      deliveries.start();
    },
    async stop() {
      await deliveries.stop();
    },
  };
}

/** The result of an entry that the bus does not take, if it does not. */
function refusalOf(entry: any): { ErrorCode: string; ErrorMessage: string } | undefined {
  for (const name of ['Source', 'DetailType', 'Detail'])
    if (!entry[name])
      return {
        ErrorCode: 'InvalidArgument',
        ErrorMessage: `Parameter ${name} is not valid. Reason: ${name} is a required argument.`,
      };
  if (entry.Source.startsWith('aws.'))
    return {
      ErrorCode: 'NotAuthorizedForSourceException',
      ErrorMessage: `Not authorized for the source ${entry.Source}.`,
    };
  try {
    if (typeof JSON.parse(entry.Detail) === 'object') return undefined;
  } catch {}
  return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
}

function entryBytes(entry: any): number {
  const text = [entry.Source, entry.DetailType, entry.Detail, ...(entry.Resources ?? [])].join('');
  return Buffer.byteLength(text) + (entry.Time === undefined ? 0 : 14);
}

/** From the protocol's seconds since the epoch, or from ISO 8601. */
function milliseconds(time: unknown): number {
  const value = typeof time === 'number' ? time * 1000 : Date.parse(String(time));
  if (Number.isNaN(value)) throw new AwsError('ValidationException', `${time} is not a time.`);
  return value;
}

/** A template may hold a pattern as an object or as JSON text. */
function parsed(pattern: unknown): unknown {
  return typeof pattern === 'string' ? JSON.parse(pattern) : pattern;
}

function isEnabled(rule: Resource): boolean {
  return rule.properties.State !== 'DISABLED';
}

function unsupported(resource: Resource, property: string): Error {
  return new Error(`${resource.stack}/${resource.logicalId} ${resource.type}: ${property} is not emulated`);
}
