import middy from '@middy/core';
import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  Context as LambdaContext,
} from 'aws-lambda';
import * as z from 'zod/mini';
import en from 'zod/v4/locales/en.js';
import { authenticate, type Caller, type Machine, referenceOf } from './caller.ts';
import type { Route } from './contract.ts';
import { DomainError, errorName, isDomainError, problems, problemType } from './errors.ts';
import { Guard, type Guarded, Refusal } from './guard.ts';
import { count, log, trail } from './log.ts';
import { defectMetrics } from './metrics.ts';
import { requireOriginKey } from './origin-key.ts';
import { containsCardNumber } from './pan.ts';
import { securityHeaders } from './security-headers.ts';
import { recordedTraceId, traceparentOf } from './trace.ts';

// Messages that say what is wrong; zod/mini carries none by itself.
z.config(en());

type Locale = 'ko' | 'en';

type Parsed<S> = S extends z.ZodMiniType ? z.output<S> : undefined;
type ParsedBody<R extends Route> = R['body'] extends 'text' ? string : Parsed<R['body']>;
type CallerOf<R extends Route> = R extends { readonly machineScope: string }
  ? Caller | Machine
  : R['audience'] extends 'shopper' | 'operators' | 'finance'
    ? Caller
    : Caller | undefined;

/** A request after every check that needs no rules of the domain. */
export interface HttpRequest<R extends Route = Route> {
  readonly params: Parsed<R['params']>;
  readonly query: Parsed<R['query']>;
  readonly body: ParsedBody<R>;
  /** Present for shoppers, operators, finance and systems; for guests when they sent a token. */
  readonly caller: CallerOf<R>;
  /** 1–255 visible ASCII characters; empty where the route does not need one. */
  readonly idempotencyKey: string;
  /** The `If-Match` header; empty where the route does not need one. */
  readonly ifMatch: string;
  readonly locale: Locale;
  /** Header names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** W3C `traceparent`: the caller's, or a new one. */
  readonly traceparent: string;
  readonly requestId: string;
  /** The gateway's own id where the caller chose another: the access log has it, with the address. */
  readonly gateway?: string;
}

type BodyOf<S> = S extends z.ZodMiniType ? z.input<S> : undefined;
/** A success answer: one of the route's statuses with the body that its schema describes. */
export type HttpResponse<R extends Route = Route> = {
  [S in keyof R['responses'] & number]: {
    readonly status: S;
    readonly body: BodyOf<R['responses'][S]>;
    readonly headers?: Readonly<Record<string, string>>;
  };
}[keyof R['responses'] & number];

type Result = APIGatewayProxyStructuredResultV2;
type Context = Pick<HttpRequest, 'requestId' | 'gateway' | 'traceparent' | 'headers' | 'locale'>;
/** What the steps hand on to each other, in middy's `internal`. */
interface Progress {
  path: string;
  context?: Context;
  caller?: Caller | Machine | undefined;
  /** Present once the request was let in. */
  guarded?: Guarded;
}

/**
 * The one pipeline of every HTTP function, in this order:
 * context → authorise → guard (shedding, quotas) → parse → run → check the response → map problems.
 */
export function httpHandler<const R extends Route, const T extends HttpResponse<R>>(
  route: R,
  run: (request: HttpRequest<R>) => Promise<T>,
): (event: APIGatewayProxyEventV2, context: LambdaContext) => Promise<Result> {
  const progress = (request: middy.Request<any, any>) => request.internal as unknown as Progress;
  const guard = new Guard();

  const context: middy.MiddlewareObj<any, Result> = {
    before: (request) => {
      const { rawPath } = request.event;
      // What is answered is kept by whoever asked, and may be logged there.
      progress(request).path = containsCardNumber(unescaped(rawPath)) ? route.path : rawPath;
      progress(request).context = readContext(request.event);
    },
  };
  const authorise: middy.MiddlewareObj<any, Result> = {
    before: async (request) => {
      const { headers = {} } = progress(request).context ?? {};
      await requireOriginKey(headers);
      progress(request).caller = await authenticate(route, headers.authorization);
    },
  };
  const admit: middy.MiddlewareObj<any, Result> = {
    before: async (request) => {
      const { context, caller } = progress(request);
      const sourceIp = request.event.requestContext.http?.sourceIp ?? '';
      const asked = { caller, sourceIp, headers: context?.headers ?? {} };
      progress(request).guarded = await guard.admit(route, asked);
    },
  };
  // From here on the event is an HttpRequest.
  const parse: middy.MiddlewareObj<any, Result> = {
    before: (request) => {
      const { context, caller } = progress(request);
      request.event = { ...context, ...readRequest(route, request.event), caller };
    },
  };
  const mapProblems: middy.MiddlewareObj<any, Result> = {
    onError: (request) => {
      const { path, context, guarded, caller } = progress(request);
      const { error } = request;
      const who = whoAsked(context, caller);
      if (guarded) guard.record(isWantOfCapacity(error) ? 'lacking' : 'served');
      const answered = error instanceof Refusal ? error.guarded : guarded;
      request.response = problemResponse(error, path, context?.requestId ?? 'unknown', who, answered);
      tellRefusal(route, context, who, error);
      leaveTrail(route, context, who, request.response);
    },
  };
  const serve: middy.MiddlewareObj<any, Result> = {
    after: (request) => {
      guard.record('served');
      const { guarded } = progress(request);
      request.response = {
        ...request.response,
        headers: { ...guarded?.headers, ...request.response?.headers },
      };
    },
  };

  const pipeline = middy<any, Result>()
    .use(mapProblems)
    .use(context)
    .use(authorise)
    .use(admit)
    .use(serve)
    .use(parse)
    .handler(async (request: HttpRequest<R>) => {
      const response = await run(request);
      checkResponse(route, response);
      const result = render(route, response, request);
      leaveTrail(route, request, whoAsked(request, request.caller), result);
      return result;
    });
  return (event, lambdaContext) => pipeline(event, lambdaContext);
}

/** Refusals that an attacker would run into, whatever the method: for whoever looks back. */
const telling = ['unauthorized', 'forbidden', 'signature-invalid', 'card-number-refused'] as const;

function tellRefusal(route: Route, context: Context | undefined, who: Who, error: unknown): void {
  const code = telling.find((one) => isDomainError(error, one));
  if (code) log.warn('refused', { route: route.id, code, request: context?.requestId, ...who });
}

/** For every line about a request: by whom it was, as far as that is known. */
interface Who {
  /** The caller's reference; where there is none, the access log has the address. */
  readonly who?: string;
  readonly gateway?: string;
}

function whoAsked(context: Pick<Context, 'gateway'> | undefined, caller: Caller | Machine | undefined): Who {
  return {
    ...(caller && { who: referenceOf(caller) }),
    ...(context?.gateway && { gateway: context.gateway }),
  };
}

/** Of requests that change something: the gateway's access log has them all, but cannot name a trace. */
function leaveTrail(route: Route, context: Context | undefined, who: Who, { statusCode }: Result): void {
  const trace = context && route.method !== 'GET' && recordedTraceId(context.traceparent);
  if (!trace) return;
  trail('answered', { route: route.id, status: statusCode, request: context.requestId, trace, ...who });
}

function readContext(event: APIGatewayProxyEventV2): Context {
  const headers = event.headers ?? {};
  const given = headers['x-request-id'];
  const { requestId: gateway } = event.requestContext;
  // It is answered and logged.
  const taken = given && /^[\x21-\x7e]{1,128}$/.test(given) && !containsCardNumber(given);
  return {
    headers,
    requestId: taken ? given : gateway,
    ...(taken && { gateway }),
    traceparent: traceparentOf(headers.traceparent),
    locale: localeOf(headers['accept-language']),
  };
}

/** RFC 9110 §12.5.4, for the two languages that there are; English when neither is asked for. */
function localeOf(header: string | undefined): Locale {
  const preferences = (header ?? '')
    .split(',')
    .map((entry) => {
      const [tag = '', ...parameters] = entry.trim().toLowerCase().split(';');
      const quality = parameters.map((p) => /^\s*q=([\d.]+)$/.exec(p)?.[1]).find(Boolean);
      return { language: tag.split('-')[0], quality: quality === undefined ? 1 : Number(quality) };
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality);
  return preferences.find(({ language }) => language === 'ko' || language === 'en')?.language === 'ko'
    ? 'ko'
    : 'en';
}

function readRequest(
  route: Route,
  event: APIGatewayProxyEventV2,
): Pick<HttpRequest, 'params' | 'query' | 'body' | 'idempotencyKey' | 'ifMatch'> {
  const { headers } = event;
  const text =
    event.isBase64Encoded && event.body ? Buffer.from(event.body, 'base64').toString() : (event.body ?? '');
  const query = (event.rawQueryString ?? '').replaceAll('+', ' ');
  if (containsCardNumber([event.rawPath, query, text].map(unescaped).join('\n'))) {
    throw new DomainError(
      'card-number-refused',
      'The request holds what looks like a card number. Send the token of the payment provider in its place.',
    );
  }
  const params = route.params && z.safeParse(route.params, event.pathParameters ?? {});
  if (params && !params.success) throw new DomainError('not-found', `There is nothing at ${event.rawPath}.`);
  const parameters = route.query && parseOrRefuse(route.query, event.queryStringParameters ?? {}, '#/query');
  const body = readBody(route, text, headers['content-type']);
  return {
    params: params?.data as never,
    query: parameters as never,
    body: body as never,
    idempotencyKey: route.idempotent ? idempotencyKeyOf(headers['idempotency-key']) : '',
    ifMatch: route.conditional ? ifMatchOf(headers['if-match']) : '',
  };
}

/** Digits, spaces and hyphens as they read once percent signs and JSON's escapes are undone. */
function unescaped(text: string): string {
  return text.replace(/(?:%|\\u00)([23][0-9a-f])/gi, (_, code) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}

/** Bytes. What a body is stored as must fit a DynamoDB item (400 KB) with room to spare. */
const largestJson = 256 * 1_024;
/** Arrays and objects within each other. No contract needs ten; what parses and checks them does so by recursion. */
const deepestJson = 32;

function readBody(route: Route, text: string, contentType: string | undefined): unknown {
  if (route.body === undefined) return undefined;
  if (route.body === 'text') return text;
  if (text !== '' && !/^application\/([\w.-]+\+)?json\b/i.test(contentType ?? '')) {
    throw new DomainError('unsupported-media-type', 'Send the body as application/json.');
  }
  if (Buffer.byteLength(text) > largestJson) {
    throw new DomainError('payload-too-large', `Send at most ${largestJson / 1_024} KiB of JSON.`);
  }
  if (nestsDeeperThan(deepestJson, text)) {
    throw new DomainError('malformed-request', `Nest JSON at most ${deepestJson} levels deep.`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text === '' ? '{}' : text);
  } catch {
    throw new DomainError('malformed-request', 'The body is not valid JSON.');
  }
  if (holdsHalfACharacter(text)) {
    throw new DomainError('malformed-request', 'The body escapes one half of a surrogate pair alone.');
  }
  return parseOrRefuse(route.body, json, '#');
}

/** Looks at each character once, before anything is built from them. */
function nestsDeeperThan(limit: number, json: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let index = 0; index < json.length && depth <= limit; index++) {
    const character = json[index];
    if (character === '"') quoted = !quoted;
    else if (quoted && character === '\\') index++;
    else if (!quoted && (character === '[' || character === '{')) depth++;
    else if (!quoted && (character === ']' || character === '}')) depth--;
  }
  return depth > limit;
}

/** JSON can escape half a surrogate pair (RFC 8259 §8.2); UTF-8, and so the database, cannot hold it. */
function holdsHalfACharacter(json: string): boolean {
  const rest = json.replace(/\\\\|\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}/gi, ' ');
  return /\\ud[89a-f]/i.test(rest);
}

function parseOrRefuse(schema: z.ZodMiniType, value: unknown, root: string): unknown {
  const result = z.safeParse(schema, value);
  if (result.success) return result.data;
  const errors = result.error.issues.map((issue) => ({
    pointer: [root, ...issue.path.map((part) => String(part).replace(/~/g, '~0').replace(/\//g, '~1'))].join(
      '/',
    ),
    message: issue.message,
  }));
  throw new DomainError(
    'validation-failed',
    `The request is not valid: ${errors
      .slice(0, 3)
      .map((e) => `${e.pointer} ${e.message}`)
      .join('; ')}.`,
    { errors },
  );
}

function idempotencyKeyOf(header: string | undefined): string {
  if (header === undefined || header === '') {
    throw new DomainError(
      'idempotency-key-missing',
      'Send an Idempotency-Key header (1–255 visible ASCII characters): a new one for a new purchase, the same one for a retry.',
    );
  }
  if (!/^[\x21-\x7e]{1,255}$/.test(header)) {
    throw new DomainError('idempotency-key-invalid', 'Idempotency-Key takes 1–255 visible ASCII characters.');
  }
  return header;
}

function ifMatchOf(header: string | undefined): string {
  if (!header) {
    throw new DomainError(
      'precondition-required',
      'Send an If-Match header with the ETag that you read, or * to overwrite whatever is there.',
    );
  }
  return header;
}

/** An answer that breaks its own contract is a defect to alarm on, not a reason to hide a done deed. */
function checkResponse(route: Route, response: { status: number; body?: unknown }): void {
  const schema = route.responses[response.status];
  const valid =
    schema === 'empty'
      ? response.body === undefined
      : schema !== undefined && z.safeParse(schema, response.body).success;
  if (valid) return;
  log.error('response breaks its contract', { route: route.id, status: response.status });
  count(defectMetrics.contractViolation);
}

function render(
  route: Route,
  response: { status: number; body?: unknown; headers?: Readonly<Record<string, string>> },
  request: Pick<HttpRequest, 'requestId' | 'headers'>,
): Result {
  const cache = route.cacheSeconds && response.status === 200;
  const headers: Record<string, string> = {
    'cache-control': cache ? `public, max-age=${route.cacheSeconds}` : 'no-store',
    ...commonHeaders(request.requestId),
    ...response.headers,
  };
  const etag = headers.etag;
  if (route.method === 'GET' && !route.live && etag && matches(request.headers['if-none-match'], etag)) {
    return { statusCode: 304, headers };
  }
  if (response.body === undefined) return { statusCode: response.status, headers };
  return {
    statusCode: response.status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(response.body),
  };
}

function commonHeaders(requestId: string): Record<string, string> {
  return { 'x-request-id': requestId, ...securityHeaders };
}

/** RFC 9110 §13.1.2: the weak comparison, for `If-None-Match`. */
function matches(header: string | undefined, etag: string): boolean {
  const opaque = (tag: string) => tag.trim().replace(/^W\//, '');
  return header?.split(',').some((tag) => tag.trim() === '*' || opaque(tag) === opaque(etag)) ?? false;
}

/** AWS exceptions that mean "not now": the caller may come back. */
const busy = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TransactionConflictException',
  'TransactionInProgressException',
  'InternalServerError',
  'TimeoutError',
]);

function problemResponse(
  error: unknown,
  path: string,
  requestId: string,
  who: Who,
  guarded?: Guarded,
): Result {
  const refusal = isDomainError(error) ? error : asRefusal(error, requestId, who);
  const [status, title] = problems[refusal.code];
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    ...commonHeaders(requestId),
    ...guarded?.headers,
  };
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  if (status === 429 || status === 503) {
    headers['retry-after'] = String(guarded?.retryAfter ?? 1 + Math.floor(Math.random() * 5));
  }
  // A refusal that knows when to come back says so in seconds.
  const { retryAfterSeconds } = refusal.members;
  if (typeof retryAfterSeconds === 'number') headers['retry-after'] = String(retryAfterSeconds);
  const own = {
    type: problemType(refusal.code),
    title,
    status,
    detail: refusal.message,
    instance: path,
    requestId,
  };
  // First, and not to be overwritten by a member of the same name.
  return { statusCode: status, headers, body: JSON.stringify({ ...own, ...refusal.members, ...own }) };
}

/** A fault on AWS's side, whatever each service calls it: the SDK and `refusalOf` both keep its status. */
function isServerFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { $metadata, status = $metadata?.httpStatusCode } = error as {
    $metadata?: { httpStatusCode?: number };
    status?: unknown;
  };
  return typeof status === 'number' && status >= 500;
}

/** A write transaction that met another one, or a limit: nothing of it was done. */
function isBusyTransaction(error: unknown): boolean {
  if (!(error instanceof Error) || !('CancellationReasons' in error)) return false;
  const passing = ['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded'];
  return (error.CancellationReasons as { Code?: string }[]).some(({ Code = '' }) => passing.includes(Code));
}

/** What a function meets when AWS has no more for it; transactions that met each other are no such thing. */
function isWantOfCapacity(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('CancellationReasons' in error) {
    const lacking = ['ThrottlingError', 'ProvisionedThroughputExceeded'];
    return (error.CancellationReasons as { Code?: string }[]).some(({ Code = '' }) => lacking.includes(Code));
  }
  return (busy.has(error.name) && !/^Transaction/.test(error.name)) || isServerFault(error);
}

function asRefusal(error: unknown, requestId: string, who: Who): DomainError {
  const name = errorName(error);
  if (busy.has(name) || isBusyTransaction(error) || isServerFault(error)) {
    log.warn('answered 503', { requestId, ...who, error: name });
    return new DomainError('temporary-reduced-capacity', 'Please try again in a moment.');
  }
  // The message may quote a request; the stack's frames cannot.
  const frames =
    error instanceof Error ? error.stack?.split('\n').filter((l) => /^\s+at /.test(l)) : undefined;
  log.error('request failed', { requestId, ...who, error: name, frames });
  count(defectMetrics.internalError);
  return new DomainError('internal-error', 'Please try again; quote the requestId if it happens again.');
}
