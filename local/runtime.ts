import { createWriteStream } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { readAssembly, resolveAssembly } from './assembly.ts';
import { CrossingPoint } from './boundary.ts';
import { createClock } from './clock.ts';
import { createCloudWatch } from './cloudwatch.ts';
import { createGateway } from './gateway.ts';
import { choosePorts, lockHome } from './home.ts';
import { createIam } from './iam.ts';
import { createLimits, type LimitOptions } from './limits.ts';
import { RequestMeter } from './meter.ts';
import { MinuteMetrics } from './metrics.ts';
import { AwsError, type Resource, type Runtime, type Service, type ServiceFactory } from './types.ts';

export interface RuntimeOptions {
  /** The folder that `cdk synth` wrote. */
  readonly assembly: string;
  /** Where state is kept. */
  readonly home: string;
  /** The main HTTP API's TCP port; 0 or left out: any free one. */
  readonly port?: number;
  /** Keeps failures off standard error; they are in `cloud.log` either way. */
  readonly quiet?: boolean;
  /** Imposes AWS's documented limits; left out, none but concurrency and the API's throttles. */
  readonly limits?: LimitOptions;
}

export interface RunningCloud {
  readonly runtime: Runtime;
  /** `http://127.0.0.1:<port>` of the main HTTP API; empty where the assembly has none. */
  readonly apiUrl: string;
  /** The stacks' outputs by stack and key. */
  readonly outputs: Record<string, Record<string, string>>;
  /** Ends everything in the opposite order of its start and waits for what is under way. */
  stop(): Promise<void>;
}

const ENDPOINT = 'endpoint';

/**
 * Runs an assembly with the given services, started in the order in which they are given.
 * @throws AssemblyError, PolicyError, or an Error with code `PORT_TAKEN`; nothing is left running then.
 */
export async function startRuntime(
  options: RuntimeOptions,
  factories: readonly ServiceFactory[],
): Promise<RunningCloud> {
  const home = resolve(options.home);
  /** What has to be undone, in the order in which it was done. */
  const undo: (() => void | Promise<void>)[] = [lockHome(home)];
  const stop = async (): Promise<void> => {
    for (let last = undo.pop(); last; last = undo.pop()) await last();
  };
  try {
    return { ...(await build(options, home, factories, undo)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function build(
  options: RuntimeOptions,
  home: string,
  factories: readonly ServiceFactory[],
  undo: (() => void | Promise<void>)[],
): Promise<Omit<RunningCloud, 'stop'>> {
  const log = openLog(home, options.quiet === true, undo);
  const db = openDatabase(home);
  undo.push(() => db.close());
  const clock = openClock(db);
  undo.push(() => clock.stop());

  const synthesised = readAssembly(options.assembly);
  const [mainApi] = synthesised.apis;
  const fixed = options.port && mainApi ? { name: mainApi, port: options.port } : undefined;
  const ports = await choosePorts(home, [...synthesised.apis, ENDPOINT], fixed);
  const endpoint = `http://127.0.0.1:${ports.get(ENDPOINT)}`;
  const { resources, outputs } = resolveAssembly(synthesised, { endpoint, apiPorts: ports });

  const metrics = new MinuteMetrics(clock);
  const services = new Map<string, Service>();
  const byType = Map.groupBy(resources, (resource) => resource.type);
  const byName = indexByName(resources);
  const meter = new RequestMeter(resources, () => clock.now());
  const functions = byType.get('AWS::Lambda::Function') ?? [];
  const functionRoles = new Set(functions.map(({ properties }) => properties.Role));
  const boundary = new CrossingPoint({
    clock,
    meter,
    isFunction: (roleArn) => functionRoles.has(roleArn),
    crash: async (Role) => services.get('lambda')?.call('Crash', { Role }, { kind: 'operator' }),
  });
  const runtime: Runtime = {
    region: synthesised.region,
    account: synthesised.account,
    endpoint,
    home,
    assembly: resolve(options.assembly),
    db,
    clock,
    iam: createIam(resources),
    meter,
    limits: createLimits(clock, options.limits),
    boundary,
    metrics,
    resources: (type) => byType.get(type) ?? [],
    find: (arnOrRef) => byName.get(arnOrRef),
    asset(s3Key) {
      const path = synthesised.assets.get(s3Key);
      if (!path) throw new Error(`the assembly has no asset ${s3Key}`);
      return path;
    },
    output(name) {
      return Object.values(outputs).find((stack) => name in stack)?.[name];
    },
    async call(name, operation, input, caller) {
      const service = services.get(name);
      if (!service) throw new AwsError('UnknownService', `the service "${name}" is not emulated`, 404);
      return service.call(operation, input, caller);
    },
    log,
  };
  const cloudWatch = createCloudWatch(runtime, metrics);
  services.set(cloudWatch.name, cloudWatch);
  undo.push(() => metrics.stop());
  for (const create of factories) {
    const service = boundary.around(create(runtime));
    services.set(service.name, service);
  }

  const gateway = createGateway({ service: (name) => services.get(name), clock, log });
  await gateway.listen(ports.get(ENDPOINT)!);
  // Everybody needs the first service, functions by way of the endpoint: these two come to rest last.
  const [first, ...rest] = services.values();
  if (first?.stop) undo.push(() => first.stop!());
  undo.push(() => gateway.close());
  await first?.start?.();
  for (const service of rest) {
    if (service.stop) undo.push(() => service.stop!());
    await service.start?.();
  }
  // What a fault holds back is let go first: services wait for what is under way.
  undo.push(() => boundary.stop());
  const apiUrl = mainApi ? `http://127.0.0.1:${ports.get(mainApi)}` : '';
  return { runtime, apiUrl, outputs };
}

/** Resources by ARN, by Ref and by name. Roles and log groups often share a function's name: they come last. */
function indexByName(resources: readonly Resource[]): Map<string, Resource> {
  const isShadow = ({ type }: Resource) => type.startsWith('AWS::IAM::') || type.startsWith('AWS::Logs::');
  const ordered = [...resources].sort((a, b) => Number(isShadow(a)) - Number(isShadow(b)));
  const index = new Map<string, Resource>();
  for (const resource of ordered) {
    const { ref, arn, attributes } = resource;
    for (const name of [arn, ref, attributes.QueueName, attributes.Name]) {
      if (name && !index.has(name)) index.set(name, resource);
    }
  }
  return index;
}

/**
 * In WAL mode a committed statement is in the log file when it returns, so that killing this process loses nothing;
 * only a power cut may lose the newest ones with `synchronous=NORMAL`, and a laptop's store can live with that.
 */
function openDatabase(home: string): DatabaseSync {
  const db = new DatabaseSync(join(home, 'cloud.sqlite'), { timeout: 5_000 });
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  return db;
}

/** A clock that was moved stays so over a restart: what was stored bears its times. */
function openClock(db: DatabaseSync) {
  db.exec(
    'CREATE TABLE IF NOT EXISTS clock_offset (id INTEGER PRIMARY KEY CHECK (id = 1), milliseconds INTEGER)',
  );
  const row = db.prepare('SELECT milliseconds FROM clock_offset').get();
  const save = db.prepare('INSERT OR REPLACE INTO clock_offset (id, milliseconds) VALUES (1, ?)');
  return createClock(Number(row?.milliseconds ?? 0), (offset) => save.run(offset));
}

function openLog(home: string, quiet: boolean, undo: (() => void | Promise<void>)[]): Runtime['log'] {
  const file = createWriteStream(join(home, 'cloud.log'), { flags: 'a' });
  undo.push(() => new Promise((done) => file.end(done)));
  return (service, message, detail) => {
    const text = detail instanceof Error ? detail.stack : detail === undefined ? '' : JSON.stringify(detail);
    const line = `${new Date().toISOString()} ${service}: ${message} ${text}`.trimEnd();
    file.write(`${line}\n`);
    if (!quiet && detail instanceof Error) process.stderr.write(`${line}\n`);
  };
}
