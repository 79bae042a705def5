import type { Authorization } from './http-api-authorizer.ts';

/** A request as API Gateway has read it. */
export interface HttpApiRequest {
  readonly method: string;
  /** Percent-decoded. */
  readonly path: string;
  /** Without `?`. */
  readonly queryString: string;
  /** Names in lower case, several values joined by commas; no `cookie`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  readonly body: Buffer;
  readonly sourceIp: string;
}

interface EventContext {
  readonly accountId: string;
  readonly apiId: string;
  readonly stage: string;
  readonly routeKey: string;
  readonly requestId: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly parameters: Readonly<Record<string, string>>;
  readonly authorization?: Authorization | undefined;
}

/** A response on its way to the client. */
export interface HttpApiResponse {
  readonly status: number;
  readonly headers: Record<string, string | string[]>;
  readonly body: string | Buffer;
}

/** The Lambda proxy event, payload format 2.0. */
export function proxyEvent(request: HttpApiRequest, context: EventContext): Record<string, unknown> {
  const query = queryParameters(request.queryString);
  const domainName = (request.headers.host ?? '').replace(/:\d+$/, '');
  const text = isText(request.headers['content-type']);
  return {
    version: '2.0',
    routeKey: context.routeKey,
    rawPath: request.path,
    rawQueryString: request.queryString,
    ...(request.cookies.length > 0 && { cookies: request.cookies }),
    headers: request.headers,
    ...(query && { queryStringParameters: query }),
    requestContext: {
      accountId: context.accountId,
      apiId: context.apiId,
      ...(context.authorization && { authorizer: context.authorization }),
      domainName,
      domainPrefix: domainName.split('.')[0],
      http: {
        method: request.method,
        path: request.path,
        protocol: 'HTTP/1.1',
        sourceIp: request.sourceIp,
        userAgent: request.headers['user-agent'] ?? '',
      },
      requestId: context.requestId,
      routeKey: context.routeKey,
      stage: context.stage,
      time: commonLogTime(context.time),
      timeEpoch: context.time,
    },
    ...(Object.keys(context.parameters).length > 0 && { pathParameters: context.parameters }),
    ...(request.body.length > 0 && { body: request.body.toString(text ? 'utf8' : 'base64') }),
    isBase64Encoded: request.body.length > 0 && !text,
  };
}

/**
 * What the client gets for a function's result: a structured response where the result has a `statusCode`, else the
 * result itself as JSON. Undefined where API Gateway cannot use it and answers 500.
 */
export function responseFrom(result: unknown): HttpApiResponse | undefined {
  if (typeof result !== 'object' || result === null || !('statusCode' in result)) {
    const body = typeof result === 'string' ? result : JSON.stringify(result ?? null);
    return { status: 200, headers: { 'content-type': 'application/json' }, body };
  }
  const { statusCode, headers, cookies, body, isBase64Encoded } = result as Record<string, any>;
  const status = Number(statusCode);
  if (!Number.isInteger(status) || status < 100 || status > 599) return undefined;
  if (body !== undefined && body !== null && typeof body !== 'string') return undefined;
  const named: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers ?? {})) named[name.toLowerCase()] = String(value);
  if (Array.isArray(cookies) && cookies.length > 0) named['set-cookie'] = cookies.map(String);
  if (body) named['content-type'] ??= 'text/plain;charset=UTF-8';
  return { status, headers: named, body: isBase64Encoded ? Buffer.from(body ?? '', 'base64') : (body ?? '') };
}

/** Only these reach the function as text; all else, a missing content type included, comes as base64. */
function isText(contentType: string | undefined): boolean {
  return /^\s*(text\/|application\/(json|javascript|xml)\s*(;|$))/i.test(contentType ?? '');
}

/** Several values of a name are joined by commas. */
function queryParameters(queryString: string): Record<string, string> | undefined {
  if (queryString === '') return undefined;
  const parameters: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(queryString)) {
    parameters[name] = name in parameters ? `${parameters[name]},${value}` : value;
  }
  return parameters;
}

/** `12/Mar/2026:19:03:58 +0000` */
function commonLogTime(time: number): string {
  const [, day, month, year, clock] = new Date(time).toUTCString().split(' ');
  return `${day}/${month}/${year}:${clock} +0000`;
}
