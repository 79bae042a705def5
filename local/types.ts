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

/** The embedded cloud's clock: real time plus what `POST /_local/clock` has added. Milliseconds since the epoch. */
export interface Clock {
  now(): number;
  /** Moves the clock forward; then calls every listener and awaits them. */
  advance(milliseconds: number): Promise<void>;
  /** `listener` runs after each move with the total offset in milliseconds. Returns its removal. */
  onAdvance(listener: (offset: number) => void | Promise<void>): () => void;
  /** Calls `run` once the clock has reached `at`, whether by waiting or by a move. Returns its cancellation. */
  at(at: number, run: () => void): () => void;
  readonly offset: number;
}

export interface Denial {
  readonly caller: Caller;
  readonly action: string;
  readonly resource: string;
}

/** Policies of the template: identity policies of roles, and resource policies (queues, functions, buses, buckets, keys). */
export interface Iam {
  /** @throws AwsError `AccessDeniedException` (403) naming caller, action and resource. */
  authorize(caller: Caller, action: string, resourceArn: string, context?: Record<string, string>): void;
  /** For tests: the role's policies no longer count. Returns the function that gives them back. */
  revoke(roleArn: string): () => void;
  /** For tests: told of every refusal. Returns the listener's removal. */
  onDenied(listener: (denial: Denial) => void): () => void;
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
  /** REST protocols only: parses the request, calls `call`, renders its answer. */
  handle?(request: AwsRequest, caller: Caller): Promise<AwsResponse>;
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
