import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AsyncInvocations } from './lambda-async.ts';
import { environmentOf, logGroupOf } from './lambda-environment.ts';
import { FunctionThread, type InvocationOutcome } from './lambda-thread.ts';
import { platformLogBytes, writtenLogBytes } from './log-bytes.ts';
import { nameOf } from './meter.ts';
import { requireOperator } from './operator.ts';
import { SharedClock } from './shared-clock.ts';
import { throttled } from './throttling.ts';
import {
  AwsError,
  type AwsRequest,
  type AwsResponse,
  type Caller,
  type Crossing,
  type Resource,
  type Runtime,
  type Service,
  type ServiceFactory,
} from './types.ts';

interface InvokeInput {
  /** A name or an ARN, with or without a qualifier. */
  readonly FunctionName: string;
  readonly Payload?: unknown;
  readonly InvocationType?: 'RequestResponse' | 'Event' | 'DryRun';
  /** X-Ray trace header to continue; a new trace begins without it. */
  readonly TraceHeader?: string;
  /** A version or an alias. */
  readonly Qualifier?: string;
  /** Only for `Retire` and `Crash`: the functions that have this role. */
  readonly Role?: string;
  /** Only for `PutProvisionedConcurrencyConfig`. */
  readonly ProvisionedConcurrentExecutions?: number;
}

interface InvokeOutput {
  readonly StatusCode: number;
  readonly Payload?: unknown;
  readonly FunctionError?: 'Unhandled';
  readonly ExecutedVersion?: string;
  readonly RequestedProvisionedConcurrentExecutions?: number;
  readonly Status?: 'READY';
}

/** A function as a call names it: with the qualifier, its ARN is what the caller needs a right to. */
interface Target {
  readonly fn: EmulatedFunction;
  readonly arn: string;
  /** Undefined for what is not published. */
  readonly version: string | undefined;
}

/** Bytes of a synchronous request or response. */
const synchronousLimit = 6 * 1024 * 1024;
/** Bytes of an asynchronous request. */
const asynchronousLimit = 1024 * 1024;

/** @param environments how many execution environments a function has at most; each serves many invocations at once */
export const createLambda =
  (environments = 1): ServiceFactory =>
  (runtime) =>
    new Lambda(runtime, environments);

class Lambda implements Service {
  readonly name = 'lambda';
  readonly #runtime: Runtime;
  readonly #functions = new Map<string, EmulatedFunction>();
  readonly #async: AsyncInvocations;
  readonly #sharedClock = new SharedClock();
  readonly #unreserved: Concurrency;
  /** Versions and aliases, by ARN: the version that is run. */
  readonly #versions = new Map<string, string>();
  readonly #forgetClock: () => void;

  constructor(runtime: Runtime, environments: number) {
    this.#runtime = runtime;
    const { clock } = runtime;
    this.#sharedClock.set(clock);
    this.#forgetClock = clock.onAdvance(() => this.#sharedClock.set(clock));
    mkdirSync(join(runtime.home, 'logs'), { recursive: true });

    const resources = runtime.resources('AWS::Lambda::Function');
    const { limits } = runtime;
    const accountConcurrency = limits.scaled('lambda.concurrency');
    const share = accountConcurrency / limits.documented('lambda.concurrency');
    const reserved = resources.reduce((sum, fn) => sum + (reservationOf(fn) ?? 0), 0);
    this.#unreserved = new Concurrency(accountConcurrency - reserved * share);
    for (const resource of resources) {
      const reservation = reservationOf(resource);
      const concurrency = reservation === undefined ? this.#unreserved : new Concurrency(reservation * share);
      this.#functions.set(
        resource.arn,
        new EmulatedFunction(resource, runtime, this.#sharedClock, concurrency, environments),
      );
    }
    for (const { arn, attributes } of runtime.resources('AWS::Lambda::Version'))
      this.#versions.set(arn, attributes.Version!);
    for (const { arn, properties } of runtime.resources('AWS::Lambda::Alias'))
      this.#versions.set(arn, String(properties.FunctionVersion));
    this.#async = new AsyncInvocations(runtime, (arn, event, id) =>
      this.#function(arn).invoke('asynchronous', event, id),
    );
  }

  async call(operation: string, input: InvokeInput, caller: Caller): Promise<InvokeOutput> {
    if (operation === 'Retire') {
      requireOperator(caller);
      for (const fn of this.#functions.values()) if (fn.resource.properties.Role === input.Role) fn.retire();
      return { StatusCode: 202 };
    }
    if (operation === 'Crash') {
      requireOperator(caller);
      for (const fn of this.#functions.values()) if (fn.resource.properties.Role === input.Role) fn.crash();
      return { StatusCode: 202 };
    }
    if (operation.endsWith('ProvisionedConcurrencyConfig')) return this.#provision(operation, input, caller);
    if (operation !== 'Invoke') {
      throw new AwsError('UnknownOperationException', `lambda:${operation} is not emulated`);
    }
    const { fn, arn, version = '$LATEST' } = this.#target(input);
    // Lambda's own pollers need no permission for a function that a mapping names.
    const polled = caller.kind === 'service' && caller.service === 'lambda.amazonaws.com';
    if (!polled) this.#runtime.iam.authorize(caller, 'lambda:InvokeFunction', arn);
    if (input.InvocationType === 'DryRun') return { StatusCode: 204 };

    const event = JSON.stringify(input.Payload ?? {});
    const limit = input.InvocationType === 'Event' ? asynchronousLimit : synchronousLimit;
    if (Buffer.byteLength(event) > limit) {
      throw new AwsError('RequestTooLargeException', `Request must be smaller than ${limit} bytes`, 413);
    }
    if (input.InvocationType === 'Event') {
      this.#async.accept(fn.resource, event);
      return { StatusCode: 202 };
    }
    const by = caller.kind === 'service' ? nameOf(caller.sourceArn) : caller;
    const outcome = await fn.invoke(by, event, randomUUID(), input.TraceHeader);
    return {
      StatusCode: 200,
      Payload: JSON.parse(outcome.body),
      ExecutedVersion: version,
      ...(outcome.failed ? { FunctionError: 'Unhandled' } : {}),
    };
  }

  /** `POST /2015-03-31/functions/{name}/invocations` */
  async handle(request: AwsRequest, caller: Caller, call: Service['call']): Promise<AwsResponse> {
    const match = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(request.path);
    if (request.method !== 'POST' || !match) {
      throw new AwsError(
        'UnknownOperationException',
        `lambda: ${request.method} ${request.path} is not emulated`,
        404,
      );
    }
    const output: InvokeOutput = await call(
      'Invoke',
      {
        FunctionName: decodeURIComponent(match[1]!),
        ...(request.query.has('Qualifier') && { Qualifier: request.query.get('Qualifier')! }),
        Payload: request.body.length > 0 ? parse(request.body) : undefined,
        InvocationType: (request.headers['x-amz-invocation-type'] ?? 'RequestResponse') as 'RequestResponse',
        ...(request.headers['x-amzn-trace-id'] ? { TraceHeader: request.headers['x-amzn-trace-id'] } : {}),
      },
      caller,
    );
    return {
      status: output.StatusCode,
      headers: {
        'content-type': 'application/json',
        ...(output.ExecutedVersion ? { 'x-amz-executed-version': output.ExecutedVersion } : {}),
        ...(output.FunctionError ? { 'x-amz-function-error': output.FunctionError } : {}),
      },
      ...(output.StatusCode === 200 ? { body: JSON.stringify(output.Payload) } : {}),
    };
  }

  async start(): Promise<void> {
    this.#async.start();
  }

  async stop(): Promise<void> {
    this.#forgetClock();
    this.#async.stop();
    await Promise.all([...this.#functions.values()].map((fn) => fn.stop()));
  }

  /** Environments that are ready before anybody calls. All are at once; on AWS it takes a minute or two. */
  #provision(operation: string, input: InvokeInput, caller: Caller): InvokeOutput {
    const { fn, arn, version } = this.#target(input);
    this.#runtime.iam.authorize(caller, `lambda:${operation}`, arn);
    if (version === undefined)
      throw new AwsError(
        'InvalidParameterValueException',
        'Provisioned concurrency needs a version or alias',
      );
    if (operation === 'PutProvisionedConcurrencyConfig')
      fn.provision(input.ProvisionedConcurrentExecutions ?? 0);
    else if (operation === 'DeleteProvisionedConcurrencyConfig') fn.provision(0);
    else if (operation !== 'GetProvisionedConcurrencyConfig' || fn.provisioned === 0)
      throw new AwsError('ProvisionedConcurrencyConfigNotFoundException', `None for ${arn}`, 404);
    return {
      StatusCode: 200,
      RequestedProvisionedConcurrentExecutions: fn.provisioned,
      Status: 'READY',
    };
  }

  /** @throws AwsError `ResourceNotFoundException` for a function, version or alias that there is none of */
  #target({ FunctionName, Qualifier }: InvokeInput): Target {
    const parts = FunctionName.split(':');
    const from = parts[0] === 'arn' ? 6 : parts.length >= 3 ? 2 : 0;
    const qualifier = Qualifier ?? parts[from + 1] ?? '$LATEST';
    const plain = `arn:aws:lambda:${this.#runtime.region}:${this.#runtime.account}:function:${parts[from]}`;
    const qualified = `${plain}:${qualifier}`;
    const fn = this.#function(plain);
    if (qualifier === '$LATEST') return { fn, arn: plain, version: undefined };
    const version = this.#versions.get(qualified);
    if (version === undefined)
      throw new AwsError('ResourceNotFoundException', `Function not found: ${qualified}`, 404);
    return { fn, arn: qualified, version };
  }

  #function(arn: string): EmulatedFunction {
    const found = this.#functions.get(arn);
    if (!found) throw new AwsError('ResourceNotFoundException', `Function not found: ${arn}`, 404);
    return found;
  }
}

class EmulatedFunction {
  readonly resource: Resource;
  readonly #runtime: Runtime;
  readonly #sharedClock: SharedClock;
  readonly #concurrency: Concurrency;
  readonly #threads = new Set<FunctionThread>();
  readonly #environments: number;
  /** Those that take invocations, the one to be asked next first. */
  #serving: FunctionThread[] = [];
  /** Invocations under way, and the most there have been: on AWS each has an environment of its own. */
  #running = 0;
  #environmentsStarted = 0;
  /** Those besides that were made ready. */
  provisioned = 0;
  #logs = true;
  #stopped = false;

  constructor(
    resource: Resource,
    runtime: Runtime,
    sharedClock: SharedClock,
    concurrency: Concurrency,
    environments: number,
  ) {
    this.#environments = environments;
    this.resource = resource;
    this.#runtime = runtime;
    this.#sharedClock = sharedClock;
    this.#concurrency = concurrency;
  }

  /**
   * Runs the handler; a failure of the function is an outcome.
   * @param by who is billed for it
   * @throws AwsError `TooManyRequestsException` (429) when the function's or the account's concurrency is used up.
   */
  invoke(
    by: string | Caller,
    event: string,
    id: string,
    traceHeader = newTrace(),
  ): Promise<InvocationOutcome> {
    const crossing: Crossing = {
      kind: 'run',
      service: 'lambda',
      operation: 'Run',
      resources: [this.resource.ref],
      by,
      input: { event, id },
      crash: async () => this.crash(),
    };
    return this.#runtime.boundary.pass(crossing, () => this.#run(by, event, id, traceHeader));
  }

  async #run(
    by: string | Caller,
    event: string,
    id: string,
    traceHeader: string,
  ): Promise<InvocationOutcome> {
    if (this.#stopped) throw new AwsError('ServiceException', 'The embedded cloud is stopping', 500);
    const release = this.#take();
    try {
      this.#ramp();
    } catch (error) {
      release();
      throw error;
    }
    const begun = performance.now();
    this.#openLog();
    // An alarm of the clock may come here before the clock's listeners have been told.
    this.#sharedClock.set(this.#runtime.clock);
    try {
      const outcome = await this.#thread().invoke({
        id,
        event,
        functionArn: this.resource.arn,
        traceHeader,
      });
      const size = Buffer.byteLength(outcome.body);
      if (size <= synchronousLimit) return outcome;
      const errorMessage = `Response payload size exceeded maximum allowed payload size (${synchronousLimit} bytes).`;
      return {
        failed: true,
        body: JSON.stringify({ errorType: 'Function.ResponseSizeTooLarge', errorMessage }),
      };
    } finally {
      release();
      this.#running--;
      this.#meter('Invoke', by, {
        requests: 1,
        ...this.#durationOf((performance.now() - begun) * this.#runtime.clock.pace),
        logBytes: platformLogBytes(this.resource),
      });
    }
  }

  #take(): () => void {
    try {
      return this.#concurrency.take();
    } catch (error) {
      // As the region's metric has it, over all functions.
      this.#runtime.metrics.add('AWS/Lambda', 'Throttles', {});
      throw error;
    }
  }

  /** Billed by the millisecond. Time here is an indication only: functions share two cores with everything else. */
  #durationOf(milliseconds: number) {
    const billed = Math.ceil(milliseconds);
    const megabytes = Number(this.resource.properties.MemorySize ?? 128);
    return { milliseconds: billed, gbSeconds: (billed / 1000) * (megabytes / 1024) };
  }

  #meter(operation: string, by: string | Caller, counts: Record<string, number>): void {
    this.#runtime.meter.add({ service: 'lambda', resource: this.resource.ref, operation, by, counts });
  }

  /** For good: a workflow that tries again meanwhile would start an environment that nobody ends. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#threads].map((thread) => thread.stop()));
  }

  /** A further environment is started when all are busy; a function gains so many in ten seconds at most. */
  #ramp(): void {
    const { limits } = this.#runtime;
    const share = limits.scaled('lambda.concurrency') / limits.documented('lambda.concurrency');
    if (this.#running >= this.#environmentsStarted + this.provisioned * share) {
      const options = { burst: 'lambda.environmentsPer10Seconds', of: this.resource.ref };
      if (!limits.take('lambda.environmentsPerSecond', options)) throw throttled('lambda', 'Invoke');
      this.#environmentsStarted++;
    }
    this.#running++;
  }

  /** @throws AwsError when more is asked for than is reserved */
  provision(count: number): void {
    const reserved = reservationOf(this.resource);
    if (reserved !== undefined && count > reserved) {
      const message = `Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function: ${reserved}`;
      throw new AwsError('InvalidParameterValueException', message);
    }
    this.provisioned = count;
    if (count > 0 && !this.#serving.some(({ usable }) => usable)) this.#startThread();
  }

  /** Its environments end at once, and with them what they were doing. */
  crash(): void {
    this.#serving = [];
    for (const thread of this.#threads) thread.crash();
  }

  /** As after a change of configuration: what runs ends its work, and the next invocation starts afresh. */
  retire(): void {
    this.#serving = [];
    for (const thread of this.#threads) void thread.stop();
  }

  /** Lambda writes the log with the function's role; without the right to, the function runs and its log is lost. */
  #openLog(): void {
    const { Role } = this.resource.properties;
    const { region, account, iam } = this.#runtime;
    const group = logGroupOf(this.resource);
    const arn = `arn:aws:logs:${region}:${account}:log-group:${group}:log-stream:${this.resource.ref}`;
    const caller: Caller = { kind: 'role', roleArn: Role };
    try {
      iam.authorize(caller, 'logs:CreateLogStream', arn);
      iam.authorize(caller, 'logs:PutLogEvents', arn);
      this.#logs = true;
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      this.#logs = false;
    }
  }

  #thread(): FunctionThread {
    this.#serving = this.#serving.filter(({ usable }) => usable);
    const next = this.#serving.shift();
    if (next && (next.idle || this.#serving.length + 1 >= this.#environments)) {
      this.#serving.push(next);
      return next;
    }
    if (next) this.#serving.push(next);
    return this.#startThread();
  }

  #startThread(): FunctionThread {
    const { properties, ref } = this.resource;
    const thread = new FunctionThread({
      name: ref,
      folder: this.#runtime.asset(properties.Code.S3Key),
      handler: properties.Handler,
      clock: this.#sharedClock,
      environment: environmentOf(this.resource, this.#runtime),
      timeout: (properties.Timeout ?? 3) * 1000,
      logFile: join(this.#runtime.home, 'logs', `${ref}.log`),
      onOutput: (text) => {
        this.#meter('Log', this.resource.ref, { logBytes: writtenLogBytes(text) });
        this.#runtime.metrics.addPrinted(text);
      },
      mayLog: () => this.#logs,
      onEnd: () => this.#threads.delete(thread),
    });
    this.#threads.add(thread);
    this.#serving.push(thread);
    return thread;
  }
}

/** Counts executions under way against a limit. */
class Concurrency {
  readonly #limit: number;
  #running = 0;

  constructor(limit: number) {
    this.#limit = Math.max(1, Math.round(limit));
  }

  take(): () => void {
    if (this.#running >= this.#limit) {
      throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429, {
        Reason: 'ConcurrentInvocationLimitExceeded',
      });
    }
    this.#running++;
    return () => {
      this.#running--;
    };
  }
}

function reservationOf(fn: Resource): number | undefined {
  const reservation = fn.properties.ReservedConcurrentExecutions;
  return reservation === undefined ? undefined : Number(reservation);
}

function newTrace(): string {
  const seconds = Math.floor(Date.now() / 1000).toString(16);
  const id = randomUUID().replaceAll('-', '') + randomUUID().slice(0, 8);
  return `Root=1-${seconds}-${id.slice(0, 24)};Parent=${id.slice(24)};Sampled=0`;
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new AwsError(
      'InvalidRequestContentException',
      'Could not parse request body into json: not valid JSON',
    );
  }
}
