import { readSchedule } from './cron.ts';
import { AwsError, type Caller, type Runtime, type Service } from './types.ts';

interface Capacity {
  readonly MinCapacity: number;
  readonly MaxCapacity: number;
}

interface Input extends Partial<Capacity> {
  readonly ServiceNamespace: string;
  readonly ScalableDimension: string;
  /** `function:<name>:<alias>`. */
  readonly ResourceId: string;
  readonly ResourceIds?: readonly string[];
  readonly ScheduledActionName?: string;
  readonly Schedule?: string;
  readonly ScalableTargetAction?: Capacity;
}

/** A scalable target as it is kept, with what it was last scaled to. */
interface TargetRow {
  readonly resource: string;
  readonly least: number;
  readonly most: number;
  readonly capacity: number;
}

/** A scheduled action as it is kept. */
interface ActionRow extends Omit<TargetRow, 'capacity'> {
  readonly name: string;
  readonly schedule: string;
  /** Milliseconds since the epoch. */
  readonly due: number;
}

const ServiceNamespace = 'lambda';
const ScalableDimension = 'lambda:function:ProvisionedConcurrency';

/**
 * Application Auto Scaling of Lambda's provisioned concurrency, on the cloud's clock: scalable targets, and actions
 * that are scheduled once. A target's capacity is kept between its bounds; nothing else moves it.
 */
export function createApplicationAutoScaling({
  db,
  clock,
  iam,
  find,
  call,
  log,
  ...runtime
}: Runtime): Service {
  db.exec(`
    CREATE TABLE IF NOT EXISTS autoscaling_targets (
      resource TEXT PRIMARY KEY, least INTEGER NOT NULL, most INTEGER NOT NULL, capacity INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS autoscaling_actions (
      resource TEXT, name TEXT, schedule TEXT NOT NULL, due INTEGER NOT NULL, least INTEGER NOT NULL,
      most INTEGER NOT NULL, PRIMARY KEY (resource, name)) STRICT`);
  const sql = {
    targets: db.prepare('SELECT * FROM autoscaling_targets ORDER BY resource'),
    target: db.prepare('SELECT * FROM autoscaling_targets WHERE resource = ?'),
    bound: db.prepare('INSERT OR REPLACE INTO autoscaling_targets VALUES (?, ?, ?, ?)'),
    actions: db.prepare('SELECT * FROM autoscaling_actions ORDER BY due, name'),
    schedule: db.prepare('INSERT OR REPLACE INTO autoscaling_actions VALUES (?, ?, ?, ?, ?, ?)'),
    forget: db.prepare('DELETE FROM autoscaling_actions WHERE resource = ? AND name = ?'),
  };
  const targets = () => sql.targets.all() as unknown as readonly TargetRow[];
  const target = (resource: string) => sql.target.get(resource) as TargetRow | undefined;
  const actions = () => sql.actions.all() as unknown as readonly ActionRow[];
  let cancel = () => {};

  const operations: Readonly<Record<string, (input: Input) => Promise<object>>> = {
    async RegisterScalableTarget({ ResourceId, MinCapacity, MaxCapacity }) {
      const known = target(ResourceId);
      const least = MinCapacity ?? known?.least;
      const most = MaxCapacity ?? known?.most;
      if (!known && !find(`arn:aws:lambda:${runtime.region}:${runtime.account}:${ResourceId}`))
        throw invalid(`there is no ${ResourceId}`);
      await bound(ResourceId, least, most);
      return {};
    },
    async DescribeScalableTargets({ ResourceIds }) {
      return {
        ScalableTargets: targets()
          .filter(({ resource }) => !ResourceIds || ResourceIds.includes(resource))
          .map(({ resource: ResourceId, least: MinCapacity, most: MaxCapacity }) => {
            return { ServiceNamespace, ScalableDimension, ResourceId, MinCapacity, MaxCapacity };
          }),
      };
    },
    async PutScheduledAction({ ResourceId, ScheduledActionName, Schedule = '', ScalableTargetAction }) {
      if (!target(ResourceId))
        throw new AwsError('ObjectNotFoundException', `No scalable target ${ResourceId}`);
      const { MinCapacity, MaxCapacity } = ScalableTargetAction ?? {};
      check(MinCapacity, MaxCapacity);
      if (!Schedule.startsWith('at(')) throw invalid(`the schedule ${Schedule} is not emulated`);
      const due = readSchedule(Schedule, 'UTC', 0).next(clock.now());
      if (due === undefined || !ScheduledActionName)
        throw invalid('the schedule is in the past, or has no name');
      sql.schedule.run(ResourceId, ScheduledActionName, Schedule, due, MinCapacity!, MaxCapacity!);
      wind();
      return {};
    },
    async DescribeScheduledActions({ ResourceId: wanted }) {
      return {
        ScheduledActions: actions()
          .filter(({ resource }) => wanted === undefined || resource === wanted)
          .map(({ resource: ResourceId, name: ScheduledActionName, schedule: Schedule, least, most }) => ({
            ...{ ServiceNamespace, ScalableDimension, ResourceId, ScheduledActionName, Schedule },
            ScalableTargetAction: { MinCapacity: least, MaxCapacity: most },
          })),
      };
    },
    async DeleteScheduledAction({ ResourceId, ScheduledActionName = '' }) {
      const { changes } = sql.forget.run(ResourceId, ScheduledActionName);
      if (changes === 0) throw new AwsError('ObjectNotFoundException', `No action ${ScheduledActionName}`);
      wind();
      return {};
    },
  };

  /** Keeps the target's capacity between these. */
  async function bound(resource: string, least: number | undefined, most: number | undefined): Promise<void> {
    check(least, most);
    const before = target(resource)?.capacity ?? 0;
    const capacity = Math.min(Math.max(before, least!), most!);
    sql.bound.run(resource, least!, most!, capacity);
    await scale(resource, capacity);
  }

  /** As the service-linked role does it. What Lambda refuses is a scaling activity that has failed. */
  async function scale(resource: string, capacity: number): Promise<void> {
    const [, FunctionName = '', Qualifier = ''] = resource.split(':');
    const operation = `${capacity > 0 ? 'Put' : 'Delete'}ProvisionedConcurrencyConfig`;
    const input = { FunctionName, Qualifier, ProvisionedConcurrentExecutions: capacity };
    await call('lambda', operation, input, { kind: 'operator' }).catch((error) =>
      log('application-autoscaling', `${resource} to ${capacity}`, error),
    );
  }

  /** Runs what is due, and sets the alarm for the next. */
  function wind(): void {
    cancel();
    const all = actions();
    for (const { resource, name, least, most } of all.filter(({ due }) => due <= clock.now())) {
      sql.forget.run(resource, name);
      void bound(resource, least, most);
    }
    const next = all.find(({ due }) => due > clock.now());
    cancel = next ? clock.at(next.due, wind) : () => {};
  }

  return {
    name: 'application-autoscaling',
    async call(operation, input: Input, caller: Caller) {
      const run = operations[operation];
      if (!run)
        throw new AwsError(
          'UnknownOperationException',
          `application-autoscaling:${operation} is not emulated`,
        );
      iam.authorize(caller, `application-autoscaling:${operation}`, '*');
      const known = input.ServiceNamespace === ServiceNamespace;
      if (!known || (input.ScalableDimension ?? ScalableDimension) !== ScalableDimension)
        throw invalid(`only ${ScalableDimension} is emulated`);
      return run(input);
    },
    async start() {
      for (const { resource, capacity } of targets()) await scale(resource, capacity);
      wind();
    },
    async stop() {
      cancel();
    },
  };
}

function check(least: number | undefined, most: number | undefined): void {
  if (least === undefined || most === undefined || !(0 <= least && least <= most))
    throw invalid('a minimum and a maximum capacity are needed, in this order');
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}
