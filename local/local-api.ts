import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type AccountPool,
  accountPoolOf,
  createAccount,
  demoAccounts,
  demoPassword,
  secondFactorOf,
  signIn,
} from './demo-accounts.ts';
import type { HttpApiRequest, HttpApiResponse } from './http-api-event.ts';
import { meterView } from './meter-view.ts';
import { isSeeded } from './seed.ts';
import { totp } from './totp.ts';
import { AwsError, type Caller, type Resource, type Runtime } from './types.ts';

/** Answers the requests under `/_local`: a look inside the embedded cloud, and ways to move it on. */
export type LocalApi = (request: HttpApiRequest) => Promise<HttpApiResponse>;

interface LocalRequest {
  /** What the route's variable stands for, where it has one. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly body: Record<string, any>;
}

type LocalRoute = readonly [method: string, path: RegExp, run: (request: LocalRequest) => Promise<object>];

/** A refusal, to be rendered as problem+json. */
class LocalProblem extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, detail: string) {
    super(detail);
    this.name = code;
    this.status = status;
    this.code = code;
  }
}

const operator: Caller = { kind: 'operator' };
/** What someone at the keyboard may want to address. */
const shownTypes = [
  'AWS::ApiGatewayV2::Api',
  'AWS::Lambda::Alias',
  'AWS::Lambda::Function',
  'AWS::DynamoDB::Table',
  'AWS::Events::EventBus',
  'AWS::Events::Rule',
  'AWS::Events::Archive',
  'AWS::Pipes::Pipe',
  'AWS::SQS::Queue',
  'AWS::StepFunctions::StateMachine',
  'AWS::Scheduler::Schedule',
  'AWS::S3::Bucket',
  'AWS::Cognito::UserPool',
];
const loopback = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

export function createLocalApi(runtime: Runtime): LocalApi {
  const routes = localRoutes(runtime);
  return async (request) => {
    const headers = corsHeaders(request.headers.origin);
    // A page elsewhere could have its own name resolve to this machine; the tokens below are not for it.
    if (!loopback.test(request.headers.host ?? '')) {
      return problem(
        new LocalProblem(403, 'not-local', 'Only requests to this machine are answered.'),
        request,
      );
    }
    if (request.method === 'OPTIONS') return { status: 204, headers, body: '' };
    try {
      for (const [method, path, run] of routes) {
        const match = path.exec(request.path);
        if (!match || method !== request.method) continue;
        const query = new URLSearchParams(request.queryString);
        const answer = await run({ name: match[1] ?? '', query, body: bodyOf(request) });
        const status = method === 'POST' && /(users|shoppers)\$$/.test(path.source) ? 201 : 200;
        return {
          status,
          headers: { ...headers, 'content-type': 'application/json' },
          body: JSON.stringify(answer),
        };
      }
      throw new LocalProblem(404, 'not-found', `There is no ${request.method} ${request.path}.`);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal.status >= 500) runtime.log('local', `${request.method} ${request.path}`, error);
      const answer = problem(refusal, request);
      return { ...answer, headers: { ...headers, ...answer.headers } };
    }
  };
}

function localRoutes(runtime: Runtime): readonly LocalRoute[] {
  const call = (service: string, operation: string, input: object) =>
    runtime.call(service, operation, input, operator);
  return [
    ['GET', /^\/_local\/?$/, () => overview(runtime)],
    ['GET', /^\/_local\/signed-(?:in|out)$/, async ({ query }) => Object.fromEntries(query)],
    ['POST', /^\/_local\/users$/, ({ body }) => createUser(runtime, body)],
    ['POST', /^\/_local\/shoppers$/, ({ body }) => createShoppers(runtime, body.count)],
    [
      'GET',
      /^\/_local\/messages$/,
      ({ query }) => call('ses', 'ListMessages', optional('To', query.get('to'))),
    ],
    [
      'GET',
      /^\/_local\/events$/,
      ({ query }) => call('events', 'ListRecorded', optional('Since', query.get('since'))),
    ],
    ['GET', /^\/_local\/psp\/charges$/, () => sandboxCharges(runtime)],
    [
      'POST',
      /^\/_local\/schedules\/([^/]+)\/run$/,
      async ({ name, body }) =>
        (await call('scheduler', 'RunNow', { Name: name, ...optional('Time', body.time) })) ?? {},
    ],
    ['POST', /^\/_local\/clock$/, ({ body }) => moveClock(runtime, body)],
    ['GET', /^\/_local\/executions$/, () => executions(runtime)],
    ['GET', /^\/_local\/executions\/(.+)$/, ({ name }) => execution(runtime, name)],
    ['GET', /^\/_local\/queues$/, () => queues(runtime)],
    ['GET', /^\/_local\/meter$/, () => readMeter(runtime)],
    ['DELETE', /^\/_local\/meter$/, async () => resetMeter(runtime)],
    ['GET', /^\/_local\/faults$/, async () => faultsView(runtime)],
    ['POST', /^\/_local\/faults$/, ({ body }) => addFaults(runtime, body)],
    ['DELETE', /^\/_local\/faults$/, async () => clearFaults(runtime)],
    ['GET', /^\/_local\/logs\/([^/]+)$/, ({ name, query }) => logLines(runtime, name, query.get('tail'))],
  ];
}

async function overview(runtime: Runtime): Promise<object> {
  const pool = accountPool(runtime);
  const signedIn = demoAccounts.map(async ({ role, email, groups }) => {
    const tokens = await signIn(pool, email, demoPassword).catch(() => undefined);
    const secondFactor = tokens && groups.length > 0 ? await appOf(runtime, pool, email) : undefined;
    return [role, { email, password: demoPassword, ...secondFactor, ...tokens }] as const;
  });
  return {
    apiUrl: runtime.output('ApiUrl'),
    region: runtime.region,
    userPoolId: pool.userPoolId,
    clientId: pool.clientId,
    signIn: signInAddresses(runtime.endpoint),
    awsEndpoint: runtime.endpoint,
    now: new Date(runtime.clock.now()).toISOString(),
    seeded: isSeeded(runtime.home),
    resources: shownTypes
      .flatMap((type) => runtime.resources(type))
      .map(({ stack, logicalId, type, ref, arn }) => ({ stack, logicalId, type, ref, arn })),
    demo: Object.fromEntries(await Promise.all(signedIn)),
    machines: await machines(runtime),
  };
}

/** The account's authenticator app: its secret, and what it shows now. */
async function appOf(runtime: Runtime, pool: AccountPool, email: string): Promise<object> {
  const secret = await secondFactorOf(pool, email);
  return { secondFactor: { secret, code: totp(secret, runtime.clock.now()) } };
}

/** The pool's domain is served at the AWS endpoint: there is no DNS for the one that the template names. */
function signInAddresses(endpoint: string): object {
  return {
    authorize: `${endpoint}/oauth2/authorize`,
    token: `${endpoint}/oauth2/token`,
    revoke: `${endpoint}/oauth2/revoke`,
    userInfo: `${endpoint}/oauth2/userInfo`,
    logout: `${endpoint}/logout`,
  };
}

/** The systems that have a client of their own, with what they need for a token. */
async function machines(runtime: Runtime): Promise<object[]> {
  const clients = runtime
    .resources('AWS::Cognito::UserPoolClient')
    .filter(({ properties }) => properties.AllowedOAuthFlows?.includes('client_credentials'));
  return Promise.all(
    clients.map(async ({ ref, properties }) => {
      const input = { UserPoolId: properties.UserPoolId, ClientId: ref };
      const { UserPoolClient } = await runtime.call('cognito-idp', 'DescribeUserPoolClient', input, operator);
      return {
        name: properties.ClientName,
        clientId: ref,
        clientSecret: UserPoolClient.ClientSecret,
        scopes: properties.AllowedOAuthScopes,
      };
    }),
  );
}

async function createUser(runtime: Runtime, body: Record<string, any>): Promise<object> {
  const { email, password, groups = [] } = body;
  if (typeof email !== 'string' || typeof password !== 'string' || !Array.isArray(groups)) {
    throw new LocalProblem(422, 'validation-failed', 'Needed: email and password; groups is a list.');
  }
  const pool = accountPool(runtime);
  await createAccount(pool, email, password, groups);
  const secondFactor = groups.length > 0 ? await appOf(runtime, pool, email) : {};
  return { email, groups, ...secondFactor, ...(await signIn(pool, email, password)) };
}

/** Accounts without a password, each signed in: what thousands of shoppers of a load need, at the cost of a signature. */
async function createShoppers(runtime: Runtime, count: unknown): Promise<object> {
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 1 || count > 5_000) {
    throw new LocalProblem(422, 'validation-failed', 'count must be a whole number from 1 to 5000.');
  }
  const input = { UserPoolId: accountPool(runtime).userPoolId, Count: count };
  const { AccessTokens } = await runtime.call('cognito-idp', 'CreateShoppers', input, operator);
  return { items: AccessTokens };
}

/** The whole book, asked of the provider over HTTP with the key that its callers use. */
async function sandboxCharges(runtime: Runtime): Promise<object> {
  const url = runtime.output('SandboxUrl');
  if (!url) throw new LocalProblem(404, 'not-found', 'No stack has the output SandboxUrl.');
  const authorization = `Bearer ${await sandboxKey(runtime)}`;
  const items: unknown[] = [];
  for (let cursor: string | undefined; ; ) {
    const query = new URLSearchParams({ limit: '1000', ...(cursor && { cursor }) });
    const response = await fetch(`${url.replace(/\/$/, '')}/charges?${query}`, {
      headers: { authorization },
    });
    if (!response.ok) {
      throw new LocalProblem(502, 'sandbox-unavailable', `The sandbox provider answered ${response.status}.`);
    }
    const page = (await response.json()) as { items: unknown[]; next?: string };
    items.push(...page.items);
    cursor = page.next;
    if (!cursor) return { items };
  }
}

/** The secret whose ARN the provider's own function is given. */
async function sandboxKey(runtime: Runtime): Promise<string> {
  const SecretId = runtime
    .resources('AWS::Lambda::Function')
    .map(({ properties }) => properties.Environment?.Variables?.SANDBOX_SECRET_ARN)
    .find((arn) => arn !== undefined);
  if (!SecretId) return '';
  const { SecretString } = await runtime.call('secretsmanager', 'GetSecretValue', { SecretId }, operator);
  return SecretString;
}

/** Slower than that, what waits for it would be given up by those who do not follow it. */
const slowest = 0.01;

async function moveClock(
  { clock }: Runtime,
  body: { readonly advanceSeconds?: unknown; readonly pace?: unknown },
): Promise<object> {
  const { pace = clock.pace } = body;
  const advanceSeconds = body.advanceSeconds ?? (body.pace === undefined ? undefined : 0);
  if (typeof advanceSeconds !== 'number' || !(advanceSeconds >= 0)) {
    throw new LocalProblem(422, 'validation-failed', 'advanceSeconds must be a number, 0 or more.');
  }
  if (typeof pace !== 'number' || !(pace >= slowest && pace <= 1)) {
    throw new LocalProblem(422, 'validation-failed', `pace must be a number from ${slowest} to 1.`);
  }
  if (pace !== clock.pace) await clock.run(pace);
  await clock.advance(advanceSeconds * 1000);
  return { now: new Date(clock.now()).toISOString(), offsetSeconds: clock.offset / 1000, pace: clock.pace };
}

/** The newest thousand runs of every state machine, newest first. */
async function executions(runtime: Runtime): Promise<object> {
  const { executions } = await runtime.call('states', 'ListExecutions', { maxResults: 1000 }, operator);
  return { items: executions.map(executionView) };
}

async function execution(runtime: Runtime, executionArn: string): Promise<object> {
  const description = await runtime.call('states', 'DescribeExecution', { executionArn }, operator);
  const history = await runtime.call('states', 'GetExecutionHistory', { executionArn }, operator);
  return { ...executionView(description), history: history.events };
}

/** Times as text; the rest as Step Functions has it. */
function executionView({ executionArn, startDate, stopDate, ...rest }: Record<string, any>): object {
  const time = (seconds: number) => new Date(seconds * 1000).toISOString();
  return {
    id: executionArn,
    ...rest,
    startedAt: time(startDate),
    ...(stopDate && { stoppedAt: time(stopDate) }),
  };
}

function faultsView({ boundary }: Runtime): object {
  return boundary.faults.view();
}

/** One rule, or `{rules: [...]}`: all of them or none. */
async function addFaults(runtime: Runtime, body: Record<string, any>): Promise<object> {
  const rules: unknown = body.rules ?? [body];
  if (!Array.isArray(rules)) throw new LocalProblem(422, 'validation-failed', 'rules must be a list.');
  try {
    runtime.boundary.faults.add(...rules);
  } catch (error) {
    if (error instanceof RangeError) throw new LocalProblem(422, 'validation-failed', error.message);
    throw error;
  }
  return faultsView(runtime);
}

function clearFaults(runtime: Runtime): object {
  const before = faultsView(runtime);
  runtime.boundary.faults.clear();
  return before;
}

async function readMeter(runtime: Runtime): Promise<object> {
  return meterView(runtime);
}

async function resetMeter(runtime: Runtime): Promise<object> {
  const reading = meterView(runtime);
  runtime.meter.reset();
  return reading;
}

/** Depths by queue, each with the depth of its dead-letter queue. All zero, and nothing is under way. */
async function queues(runtime: Runtime): Promise<object> {
  const { items } = await runtime.call('sqs', 'ListQueueDepths', {}, operator);
  const depths = new Map<string, any>(items.map((item: { name: string }) => [item.name, item]));
  const deadLetterNames = new Map(
    runtime.resources('AWS::SQS::Queue').map((queue) => [queueName(queue), deadLetterName(queue)]),
  );
  return {
    items: [...depths.values()].map((depth) => {
      const deadLetterQueue = deadLetterNames.get(depth.name);
      return {
        ...depth,
        ...(deadLetterQueue && { deadLetterQueue, deadLetters: depths.get(deadLetterQueue)?.visible ?? 0 }),
      };
    }),
  };
}

function queueName(queue: Resource): string {
  return queue.arn.slice(queue.arn.lastIndexOf(':') + 1);
}

function deadLetterName(queue: Resource): string | undefined {
  const target: string | undefined = queue.properties.RedrivePolicy?.deadLetterTargetArn;
  return target?.slice(target.lastIndexOf(':') + 1);
}

/** The last lines that a function has written; 200 unless told otherwise. */
async function logLines(runtime: Runtime, name: string, tail: string | null): Promise<object> {
  const fn = runtime.resources('AWS::Lambda::Function').find(({ ref }) => ref === name);
  if (!fn) throw new LocalProblem(404, 'not-found', `There is no function ${name}.`);
  const text = await readFile(join(runtime.home, 'logs', `${fn.ref}.log`), 'utf8').catch(() => '');
  const count = Math.max(1, Number(tail ?? 200) || 200);
  return { items: text.split('\n').slice(0, -1).slice(-count) };
}

/** @throws LocalProblem 404 where no stack names a user pool and its client */
function accountPool(runtime: Runtime): AccountPool {
  const pool = accountPoolOf(runtime);
  if (!pool)
    throw new LocalProblem(404, 'not-found', 'No stack has the outputs UserPoolId and UserPoolClientId.');
  return pool;
}

function optional(name: string, value: unknown): object {
  return value === null || value === undefined ? {} : { [name]: value };
}

function bodyOf(request: HttpApiRequest): Record<string, any> {
  if (request.body.length === 0) return {};
  try {
    const body: unknown = JSON.parse(request.body.toString());
    if (typeof body === 'object' && body !== null) return body;
  } catch {
    // Told below, as for JSON that is no object.
  }
  throw new LocalProblem(400, 'malformed-json', 'The body must be a JSON object.');
}

function refusalOf(error: unknown): LocalProblem {
  if (error instanceof LocalProblem) return error;
  if (!(error instanceof AwsError)) return new LocalProblem(500, 'internal-error', String(error));
  const code = error.code
    .replace(/Exception$/, '')
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .toLowerCase();
  const status = /NotFound|DoesNotExist/.test(error.code)
    ? 404
    : /Exists/.test(error.code)
      ? 409
      : error.status;
  return new LocalProblem(status, code, error.message);
}

function problem(refusal: LocalProblem, request: HttpApiRequest): HttpApiResponse {
  return {
    status: refusal.status,
    headers: { 'content-type': 'application/problem+json' },
    body: JSON.stringify({
      type: `https://floodgate.dev/problems/${refusal.code}`,
      title: refusal.code.replaceAll('-', ' '),
      status: refusal.status,
      detail: refusal.message,
      instance: request.path,
      requestId: randomUUID(),
    }),
  };
}

function corsHeaders(origin: string | undefined): Record<string, string> {
  if (!origin || !loopback.test(origin.replace(/^https?:\/\//, ''))) return {};
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'GET,POST,DELETE',
    'access-control-allow-headers': 'authorization,content-type',
    vary: 'origin',
  };
}
