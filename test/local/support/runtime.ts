import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { onTestFinished } from 'vitest';
import { CrossingPoint } from '../../../local/boundary.ts';
import { createLimits, type LimitOptions } from '../../../local/limits.ts';
import { RequestMeter } from '../../../local/meter.ts';
import { MinuteMetrics } from '../../../local/metrics.ts';
import {
  AwsError,
  type Caller,
  type Clock,
  type Decision,
  type Iam,
  type Resource,
  type Runtime,
  type Service,
  type ServiceFactory,
} from '../../../local/types.ts';

export const operator: Caller = { kind: 'operator' };

export interface RecordedCall {
  readonly service: string;
  readonly operation: string;
  readonly input: any;
  readonly caller: Caller;
}

export interface FakeRuntime extends Runtime {
  /** Calls made through `runtime.call`, oldest first. */
  readonly calls: RecordedCall[];
  readonly logs: string[];
  /** `<action> <resource>` of everything refused; a role's name in `revoked` loses everything. */
  readonly denied: Set<string>;
  readonly revoked: Set<string>;
  /** Constructs the service on this runtime; `runtime.call` reaches it. */
  use(factory: ServiceFactory): Service;
  /** Answers calls to a service that is not under test. */
  answer(service: string, reply: (operation: string, input: any, caller: Caller) => any): void;
  /** Another process on the same state: what a restart after a crash finds. */
  restart(): FakeRuntime;
}

export interface FakeOptions {
  readonly resources?: readonly Resource[];
  readonly assets?: Record<string, string>;
  readonly outputs?: Record<string, string>;
  readonly home?: string;
  readonly db?: DatabaseSync;
  readonly clock?: Clock;
  readonly limits?: LimitOptions;
}

const region = 'eu-west-1';
const account = '111122223333';

/** A runtime with an in-memory database and a clock that only moves when told; everything is allowed. */
export function fakeRuntime(options: FakeOptions = {}): FakeRuntime {
  const home = options.home ?? temporaryFolder();
  const clock = options.clock ?? manualClock();
  const db = options.db ?? new DatabaseSync(':memory:');
  const resources = options.resources ?? [];
  const services = new Map<string, Service>();
  const calls: RecordedCall[] = [];
  const logs: string[] = [];
  const denied = new Set<string>();
  const revoked = new Set<string>();
  const meter = new RequestMeter(resources, () => clock.now());
  const boundary = new CrossingPoint({
    clock,
    meter,
    isFunction: () => true,
    crash: async (Role) => services.get('lambda')?.call('Crash', { Role }, operator),
  });
  const runtime: FakeRuntime = {
    region,
    account,
    endpoint: 'http://127.0.0.1:4566',
    home,
    assembly: home,
    db,
    clock,
    iam: listIam(denied, revoked),
    meter,
    limits: createLimits(clock, options.limits),
    boundary,
    metrics: new MinuteMetrics(clock),
    calls,
    logs,
    denied,
    revoked,
    resources: (type) => resources.filter((one) => one.type === type),
    find: (arnOrRef) => resources.find((one) => one.arn === arnOrRef || one.ref === arnOrRef),
    asset(key) {
      const path = options.assets?.[key];
      if (path === undefined) throw new Error(`No asset ${key}`);
      return path;
    },
    output: (name) => options.outputs?.[name],
    async call(service, operation, input, caller) {
      calls.push({ service, operation, input, caller });
      const found = services.get(service);
      if (!found) throw new Error(`No service ${service}`);
      return await found.call(operation, input, caller);
    },
    log: (service, message) => {
      logs.push(`${service}: ${message}`);
    },
    use(factory) {
      const service = boundary.around(factory(runtime));
      services.set(service.name, service);
      onTestFinished(async () => {
        boundary.stop();
        await service.stop?.();
      });
      return service;
    },
    answer(name, reply) {
      services.set(name, {
        name,
        call: async (operation, input, caller) => reply(operation, input, caller),
      });
    },
    restart: () => fakeRuntime({ ...options, home, db, clock }),
  };
  return runtime;
}

/** A resource as the assembly would resolve it; the name doubles as logical id. */
export function resource(
  type: string,
  name: string,
  properties: Record<string, any> = {},
  arn = `arn:aws:test:${region}:${account}:${name}`,
  ref = name,
): Resource {
  return { stack: 'test', logicalId: name, type, properties, ref, arn, attributes: { Arn: arn } };
}

export function queue(name: string, properties: Record<string, any> = {}): Resource {
  return resource(
    'AWS::SQS::Queue',
    name,
    { QueueName: name, ...properties },
    queueArn(name),
    `http://127.0.0.1:4566/${account}/${name}`,
  );
}

export function queueArn(name: string): string {
  return `arn:aws:sqs:${region}:${account}:${name}`;
}

/** A clock at 2026-11-22T00:00:00Z that stands still until it is moved. */
export function manualClock(start = Date.UTC(2026, 10, 22)): Clock {
  let offset = 0;
  let pace = 1;
  const timers = new Set<{ at: number; run: () => void }>();
  const listeners = new Set<(offset: number) => void | Promise<void>>();
  return {
    get offset() {
      return offset;
    },
    get base() {
      return offset;
    },
    get pace() {
      return pace;
    },
    async run(newPace) {
      pace = newPace;
      for (const listener of listeners) await listener(offset);
    },
    now: () => start + offset,
    async advance(milliseconds) {
      offset += milliseconds;
      const due = [...timers].filter((timer) => timer.at <= start + offset).sort((a, b) => a.at - b.at);
      for (const timer of due) if (timers.delete(timer)) timer.run();
      for (const listener of listeners) await listener(offset);
    },
    onAdvance(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    at(at, run) {
      const timer = { at, run };
      timers.add(timer);
      if (at <= start + offset) setImmediate(() => timers.delete(timer) && run());
      return () => timers.delete(timer);
    },
  };
}

function listIam(denied: Set<string>, revoked: Set<string>): Iam {
  const listeners = new Set<(decision: Decision) => void>();
  return {
    authorize(caller, action, resourceArn) {
      if (caller.kind === 'operator') return;
      const role = caller.kind === 'role' ? caller.roleArn : caller.sourceArn;
      const allowed = !denied.has(`${action} ${resourceArn}`) && !revoked.has(role);
      for (const listener of listeners) listener({ caller, action, resource: resourceArn, allowed });
      if (allowed) return;
      throw new AwsError('AccessDeniedException', `${role} may not ${action} on ${resourceArn}`, 403);
    },
    revoke(roleArn) {
      revoked.add(roleArn);
      return () => revoked.delete(roleArn);
    },
    onDecision(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'floodgate-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
