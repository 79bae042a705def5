import type { DatabaseSync } from 'node:sqlite';

/** A resource of the synthesised cloud assembly, with every intrinsic function resolved. */
export interface Resource {
  readonly stack: string;
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Record<string, any>;
  /** What `Ref` answers: the physical name, id or URL. */
  readonly ref: string;
  /** What `Fn::GetAtt` answers, by attribute name. */
  readonly attributes: Readonly<Record<string, string>>;
  /** The resource's ARN; empty for types that have none. */
  readonly arn: string;
}

/** Who makes a call: a role of the template, an AWS service on behalf of a resource, or the operator at the keyboard. */
export type Caller =
  | { readonly kind: 'role'; readonly roleArn: string }
  | { readonly kind: 'service'; readonly service: string; readonly sourceArn: string }
  | { readonly kind: 'operator' };

/**
 * The embedded cloud's clock: real time plus what `POST /_local/clock` has added, at the pace that it was given.
 * Milliseconds since the epoch.
 */
export interface Clock {
  now(): number;
  /** Moves the clock forward; then calls every listener and awaits them. */
  advance(milliseconds: number): Promise<void>;
  /** `listener` runs after each move with the total offset in milliseconds. Returns its removal. */
  onAdvance(listener: (offset: number) => void | Promise<void>): () => void;
  /** Calls `run` once the clock has reached `at`, whether by waiting or by a move. Returns its cancellation. */
  at(at: number, run: () => void): () => void;
  readonly offset: number;
  /** Its milliseconds in one of real time; 1 unless it was told otherwise. */
  readonly pace: number;
  /** It reads this and the real time's `pace`th part. */
  readonly base: number;
  /** Goes on from now at another pace. Then calls every listener of moves and awaits them. */
  run(pace: number): Promise<void>;
}

export interface Decision {
  readonly caller: Caller;
  readonly action: string;
  readonly resource: string;
  readonly allowed: boolean;
}

/** Policies of the template: identity policies of roles, and resource policies (queues, functions, buses, buckets, keys). */
export interface Iam {
  /** @throws AwsError `AccessDeniedException` (403) naming caller, action and resource. */
  authorize(caller: Caller, action: string, resourceArn: string, context?: Record<string, string>): void;
  /** For tests: the role's policies no longer count. Returns the function that gives them back. */
  revoke(roleArn: string): () => void;
  /** For tests: told of every decision. Returns the listener's removal. */
  onDecision(listener: (decision: Decision) => void): () => void;
}

/** An error in the shape that the AWS SDK maps to an exception class. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  /** Further members of the error body, such as `CancellationReasons` or `Item`. */
  readonly members: Record<string, unknown>;
  constructor(code: string, message: string, status = 400, members: Record<string, unknown> = {}) {
    super(message);
    this.name = code;
    this.code = code;
    this.status = status;
    this.members = members;
  }
}

/** A raw request to the AWS endpoint, for services whose protocol is not JSON with `X-Amz-Target`. */
export interface AwsRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface AwsResponse {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

/** One emulated AWS service. Every entry, over HTTP or from another service, passes `call` and is authorised there. */
export interface Service {
  /** The SigV4 service name (`dynamodb`, `sqs`, `events`, `states`, `lambda`, `cognito-idp`, `ses`, `s3`, `pipes`, `scheduler`). */
  readonly name: string;
  /** @throws AwsError */
  call(operation: string, input: any, caller: Caller): Promise<any>;
  /** REST protocols only: parses the request, has `call` answer it, renders its answer. */
  handle?(request: AwsRequest, caller: Caller, call: Service['call']): Promise<AwsResponse>;
  /** Takes the body of a JSON request as it came. */
  forward?(operation: string, body: Buffer, caller: Caller): Promise<AwsResponse>;
  /** Begins background work (pollers, schedules). Called once, after every service exists. */
  start?(): Promise<void>;
  /** Ends background work and waits for what is under way. */
  stop?(): Promise<void>;
}

/**
 * What AWS would bill. A line is one kind of request to one resource on behalf of one caller; its counts are named as
 * in bench/prices.json, without the service in front. What that table has no price for is there to be read.
 */
export interface MeterLine {
  /** `dynamodb`, `lambda`, `states`, … as in bench/prices.json. */
  readonly service: string;
  /** The physical name of the table, function, queue, …; a route's key for the API. */
  readonly resource: string;
  readonly operation: string;
  /** The function, workflow, pipe, rule or schedule that caused it; empty when nobody of the template did. */
  readonly by: string;
  readonly counts: Readonly<Record<string, number>>;
}

/** Adds up what passes through the embedded cloud, from its start or the last reset. */
export interface Meter {
  /** @param line `by` is a name, or a caller whose name is looked up */
  add(line: Omit<MeterLine, 'by'> & { readonly by: string | Caller }): void;
  /** A copy, in the order of service, resource, operation and caller. */
  read(): { readonly since: string; readonly lines: readonly MeterLine[] };
  reset(): void;
  /** The name that lines give a caller. */
  nameOf(by: string | Caller): string;
}

/** AWS's documented limits (bench/limits.json), and whether they are imposed. */
export interface Limits {
  readonly imposed: boolean;
  /** A figure as it is documented. */
  documented(name: string): number;
  /** A rate or a count, times the factor that it is scaled by. */
  scaled(name: string): number;
  /**
   * Takes from the bucket that gains `rate` a second; false when it has too little. Always true while no limit is
   * imposed.
   * @param options.count how many, 1 unless told
   * @param options.burst the limit that says what the bucket holds; the rate's second unless told
   * @param options.of tells the buckets of several resources apart
   */
  take(rate: string, options?: { count?: number; burst?: string; of?: string }): boolean;
}

/** A call to an AWS service, a delivery to a target, a function's run, or a request to an HTTP API. */
export type CrossingKind = 'call' | 'delivery' | 'run' | 'request';

export type Fault =
  | 'throttle'
  | 'delay'
  | 'fail-before'
  | 'fail-after'
  | 'drop-answer'
  | 'duplicate'
  | 'reorder'
  | 'late'
  | 'poison'
  | 'crash'
  | 'clock-jump';

/** Each member a name, or the beginning of names with a `*` behind it; what is left out is any. */
export interface FaultPlace {
  readonly service?: string;
  readonly operation?: string;
  readonly resource?: string;
  /** The function (or pipe, rule, workflow, schedule) that it comes from. */
  readonly function?: string;
}

/** With none of `nth`, `times` and `probability`, every crossing at the place is struck. */
export interface FaultRule {
  readonly at: FaultPlace;
  /** `any`: chosen by the seed among those that are possible. */
  readonly fault: Fault | 'any';
  /** With `any`: those that are not chosen. */
  readonly except?: readonly Fault[];
  /** 0–1, drawn by the seed. */
  readonly probability?: number;
  /** Only the nth crossing. */
  readonly nth?: number;
  /** So many at most. */
  readonly times?: number;
  readonly seed?: number;
  /** Of a delay, the longest hold of a reordering, a run before its crash; on the clock, a lateness or a jump. */
  readonly delayMs?: number;
}

export interface FaultsView {
  /** What has passed since there are rules, with the faults that can happen there. */
  readonly crossings: readonly {
    readonly kind: CrossingKind;
    readonly service: string;
    readonly operation: string;
    readonly faults: readonly Fault[];
    readonly count: number;
  }[];
  /** Each with the crossings that it was about, and those that it struck. */
  readonly rules: readonly (FaultRule & {
    readonly id: number;
    readonly met: number;
    readonly hits: number;
  })[];
  readonly hits: readonly {
    readonly service: string;
    readonly operation: string;
    readonly fault: Fault;
    readonly count: number;
  }[];
}

export interface Crossing {
  readonly kind: CrossingKind;
  readonly service: string;
  readonly operation: string;
  /** Physical names. */
  readonly resources: readonly string[];
  readonly by: string | Caller;
  readonly input: any;
  /** Deliveries: what comes instead when nobody can read it. */
  poisoned?(input: any): any;
  /** Ends the function that calls, or runs. */
  crash?(): Promise<unknown>;
}

/** What everything passes on its way from one part of the cloud to another. */
export interface Boundary {
  readonly faults: {
    /** @throws RangeError for a rule that makes no sense */
    add(...rules: readonly FaultRule[]): void;
    clear(): void;
    view(): FaultsView;
  };
  pass<T>(crossing: Crossing, run: (input: any) => Promise<T>): Promise<T>;
}

/** What the services and functions report, as CloudWatch's metrics. */
export interface Metrics {
  /** @param value 1 unless told */
  add(namespace: string, name: string, dimensions: Readonly<Record<string, string>>, value?: number): void;
  /** Whole lines that a function has printed; those in the embedded metric format count. */
  addPrinted(text: string): void;
  /** An age in seconds without what moving the clock has added: nobody has waited for that. */
  age(seconds: number): number;
}

/** What a service may use of the embedded cloud. */
export interface Runtime {
  readonly region: string;
  readonly account: string;
  /** `http://127.0.0.1:<port>` of the AWS endpoint; also where `AWS_ENDPOINT_URL` points. */
  readonly endpoint: string;
  /** Where state is kept (`.floodgate/` unless told otherwise). */
  readonly home: string;
  /** `cdk.out`; file assets are found through `asset`. */
  readonly assembly: string;
  /** The services' own durable state; each service creates its own tables, named `<service>_…`. */
  readonly db: DatabaseSync;
  readonly clock: Clock;
  readonly iam: Iam;
  /** Counts what AWS would bill. */
  readonly meter: Meter;
  readonly limits: Limits;
  readonly boundary: Boundary;
  readonly metrics: Metrics;
  resources(type: string): readonly Resource[];
  /** By ARN or by physical name/id/URL. */
  find(arnOrRef: string): Resource | undefined;
  /** The folder or file of an asset, from its S3 key (`<hash>.zip`). */
  asset(s3Key: string): string;
  /** The value of a stack output (`ApiUrl`, `SandboxUrl`), whichever stack declares it. */
  output(name: string): string | undefined;
  /** Calls another service exactly as its HTTP entry would. */
  call(service: string, operation: string, input: unknown, caller: Caller): Promise<any>;
  /** A line for `.floodgate/cloud.log`. */
  log(service: string, message: string, detail?: unknown): void;
}

export type ServiceFactory = (runtime: Runtime) => Service;
