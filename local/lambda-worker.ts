/**
 * One Lambda execution environment as a worker thread: loads the function's bundle once and then answers any
 * number of invocations at a time. It runs the bundle exactly as it was synthesised; what it changes around it is
 * the clock, the name resolution of one SDK host prefix, and the invocation context that AWS's own runtime keeps.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import dns from 'node:dns';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { SharedClock } from './shared-clock.ts';

export interface WorkerSettings {
  /** The folder that holds the bundle. */
  readonly folder: string;
  /** `file.export`, as in the template. */
  readonly handler: string;
  /** Of a `SharedClock`. */
  readonly clock: SharedArrayBuffer;
}

export interface InvocationMessage {
  readonly id: string;
  /** The event as JSON. */
  readonly event: string;
  readonly functionArn: string;
  /** X-Ray trace header of this invocation. */
  readonly traceHeader: string;
  /** Real time, milliseconds since the epoch. */
  readonly deadline: number;
}

export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed-to-load'; readonly error: string }
  | { readonly kind: 'done'; readonly id: string; readonly failed: boolean; readonly body: string };

type Handler = (event: unknown, context: object) => unknown;

const settings = workerData as WorkerSettings;
const realNow = Date.now;

// Node has read it; a function finds the environment that its template gives it.
delete process.env.NODE_COMPILE_CACHE;
const clock = new SharedClock(settings.clock);
shiftDate();
stretchTimers();
resolveHostPrefixes();
const invocations = keepInvocationContext();

// Powertools writes into the context already while it is loaded.
const handler = await invocations.run({}, load).catch((error: unknown) => {
  send({ kind: 'failed-to-load', error: JSON.stringify(describe(error)) });
  // A thread that ends by itself may do so before what it said has arrived: it stays until it is ended.
  parentPort!.on('message', () => {});
  return undefined;
});
if (handler) {
  parentPort!.on('message', (message: InvocationMessage) => void answer(handler, message));
  send({ kind: 'ready' });
}

async function load(): Promise<Handler> {
  const dot = settings.handler.lastIndexOf('.');
  const file = `${settings.handler.slice(0, dot)}.mjs`;
  const name = settings.handler.slice(dot + 1);
  const module: Record<string, unknown> = await import(pathToFileURL(join(settings.folder, file)).href);
  const found = module[name];
  if (typeof found !== 'function') {
    const error = new Error(`${settings.handler} is undefined or not exported`);
    error.name = 'Runtime.HandlerNotFound';
    throw error;
  }
  return found as Handler;
}

async function answer(run: Handler, message: InvocationMessage): Promise<void> {
  const { id } = message;
  try {
    const result = await invocations.run(
      {
        [Symbol.for('_AWS_LAMBDA_REQUEST_ID')]: id,
        [Symbol.for('_AWS_LAMBDA_X_RAY_TRACE_ID')]: message.traceHeader,
      },
      () => run(JSON.parse(message.event), contextOf(message)),
    );
    send({ kind: 'done', id, failed: false, body: JSON.stringify(result) ?? 'null' });
  } catch (error) {
    console.error(error);
    send({ kind: 'done', id, failed: true, body: JSON.stringify(describe(error)) });
  }
}

function contextOf(message: InvocationMessage): object {
  const env = process.env;
  return {
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: message.functionArn,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    awsRequestId: message.id,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, message.deadline - realNow()) * clock.pace,
  };
}

/** The error members that Lambda's Node runtime answers with. */
function describe(error: unknown): { errorType: string; errorMessage: string; trace: string[] } {
  return error instanceof Error
    ? { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') }
    : { errorType: typeof error, errorMessage: String(error), trace: [] };
}

function send(message: WorkerMessage): void {
  parentPort!.postMessage(message);
}

/** `Date` follows the embedded cloud's clock; a move of it reaches us at once. */
function shiftDate(): void {
  const RealDate = Date;
  const now = () => clock.at(realNow());
  function ShiftedDate(this: unknown, ...parts: unknown[]): unknown {
    if (new.target === undefined) return new RealDate(now()).toString();
    const subclass = new.target === (ShiftedDate as unknown) ? RealDate : new.target;
    return Reflect.construct(RealDate, parts.length === 0 ? [now()] : parts, subclass);
  }
  Object.defineProperties(ShiftedDate, {
    prototype: { value: RealDate.prototype },
    name: { value: 'Date' },
    length: { value: 7 },
  });
  Object.assign(ShiftedDate, { now, parse: RealDate.parse, UTC: RealDate.UTC });
  RealDate.prototype.constructor = ShiftedDate as unknown as DateConstructor;
  globalThis.Date = ShiftedDate as unknown as DateConstructor;
}

/** Timers take as long as the clock's pace has it; a move of the clock leaves them alone. */
function stretchTimers(): void {
  const { setTimeout: wait, setInterval: repeat } = globalThis;
  const { timeout } = AbortSignal;
  const stretched = <T extends typeof wait | typeof repeat>(timer: T): T => {
    const paced = (run: () => void, milliseconds = 0, ...rest: []) =>
      timer(run, milliseconds / clock.pace, ...rest);
    return Object.defineProperties(paced, Object.getOwnPropertyDescriptors(timer)) as T;
  };
  globalThis.setTimeout = stretched(wait);
  globalThis.setInterval = stretched(repeat);
  AbortSignal.timeout = (milliseconds) => timeout.call(AbortSignal, Math.round(milliseconds / clock.pace));
}

/** The SDK puts a prefix before the endpoint's host for some operations (`sync-` for StartSyncExecution). */
function resolveHostPrefixes(): void {
  const lookup = dns.lookup as (...args: unknown[]) => void;
  const withoutPrefix = (host: unknown) =>
    typeof host === 'string' ? host.replace(/^[a-z]+-(?=127\.0\.0\.1$)/, '') : host;
  Object.assign(dns, { lookup: (host: unknown, ...rest: unknown[]) => lookup(withoutPrefix(host), ...rest) });
}

/**
 * What AWS's runtime offers as `awslambda.InvokeStore`: request id and trace header of the invocation that the
 * current asynchronous call belongs to. The SDK and Powertools read them there when invocations run side by side.
 */
function keepInvocationContext(): AsyncLocalStorage<Record<symbol, string>> {
  const storage = new AsyncLocalStorage<Record<PropertyKey, unknown>>();
  const get = (key: PropertyKey) => storage.getStore()?.[key];
  const InvokeStore = {
    getContext: () => storage.getStore(),
    hasContext: () => storage.getStore() !== undefined,
    get,
    set(key: PropertyKey, value: unknown) {
      const store = storage.getStore();
      if (!store) throw new Error('No context available');
      store[key] = value;
    },
    run: <T>(context: Record<PropertyKey, unknown>, run: () => T) => storage.run(context, run),
    getRequestId: () => get(Symbol.for('_AWS_LAMBDA_REQUEST_ID')) ?? '-',
    getXRayTraceId: () => get(Symbol.for('_AWS_LAMBDA_X_RAY_TRACE_ID')),
    getTenantId: () => undefined,
    getTraceparent: () => undefined,
    getTracestate: () => undefined,
    getBaggage: () => undefined,
  };
  Object.assign(globalThis, { awslambda: { InvokeStore } });
  return storage as AsyncLocalStorage<Record<symbol, string>>;
}
