import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { AnswerDropped } from './boundary.ts';
import { OPERATOR_ACCESS_KEY, roleOfAccessKey } from './iam.ts';
import {
  AwsError,
  type AwsRequest,
  type AwsResponse,
  type Caller,
  type Clock,
  type Service,
} from './types.ts';

/** The services of the JSON protocols, by the prefix of `X-Amz-Target`. */
const targets: Readonly<Record<string, string>> = {
  AWSCognitoIdentityProviderService: 'cognito-idp',
  AWSEvents: 'events',
  AWSStepFunctions: 'states',
  AmazonSQS: 'sqs',
  AnyScaleFrontendService: 'application-autoscaling',
  GraniteServiceVersion20100801: 'monitoring',
  DynamoDBStreams_20120810: 'dynamodb',
  DynamoDB_20120810: 'dynamodb',
  TrentService: 'kms',
  secretsmanager: 'secretsmanager',
};

/** Sign-up and sign-in carry no signature. */
const ANONYMOUS: Caller = { kind: 'service', service: 'anonymous', sourceArn: '' };
/** Documents of the pools, and the pages and OAuth endpoints of their domain. */
const OF_COGNITO = /\/\.well-known\/|^\/(?:oauth2\/|login$|logout$)/;

interface Gateway {
  listen(port: number): Promise<void>;
  /** Waits for requests under way. */
  close(): Promise<void>;
}

interface Options {
  service(name: string): Service | undefined;
  readonly clock: Clock;
  log(service: string, message: string, detail?: unknown): void;
}

/**
 * The AWS endpoint: every service at one address. It tells them apart by what the SDK sends (target, or the service
 * that the signature names) and the callers by their access key; signatures themselves are not checked.
 */
export function createGateway(options: Options): Gateway {
  const server = createServer((request, response) => {
    void answer(request, options).then((result) => {
      if (result) respond(response, result);
      else response.destroy();
    });
  });
  // The SDK keeps connections for longer than Node's five seconds.
  server.keepAliveTimeout = 60_000;
  return {
    async listen(port) {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    close: () => close(server),
  };
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  // A connection that was busy at first would be kept open for its next request.
  const timer = setInterval(() => server.closeIdleConnections(), 10);
  await closed;
  clearInterval(timer);
}

/** Undefined when the connection is to end without an answer. */
async function answer(incoming: IncomingMessage, options: Options): Promise<AwsResponse | undefined> {
  let name = '';
  try {
    const request = await read(incoming);
    const target = request.headers['x-amz-target'];
    const signature = signatureOf(request, options.clock);
    name = serviceName(request, target, signature);
    const service = options.service(name);
    if (!service) throw new AwsError('UnknownService', `the service "${name}" is not emulated`, 404);
    const caller = signature ? callerOf(signature.accessKey) : anonymous(name, request);
    if (target === undefined) return await handle(service, request, caller);
    const operation = target.slice(target.lastIndexOf('.') + 1);
    if (service.forward) return await service.forward(operation, request.body, caller);
    const output = await service.call(operation, parse(request.body), caller);
    return json(200, output ?? {});
  } catch (error) {
    if (error instanceof AnswerDropped) return undefined;
    return failure(name, error, options);
  }
}

async function handle(service: Service, request: AwsRequest, caller: Caller): Promise<AwsResponse> {
  if (!service.handle)
    throw new AwsError('UnknownOperationException', `${service.name} has no REST entry`, 404);
  return service.handle(request, caller, service.call);
}

async function read(incoming: IncomingMessage): Promise<AwsRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  // The Host header is of no account: some operations of the SDK put a prefix before it.
  const url = new URL(incoming.url ?? '/', 'http://localhost');
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(',') : value;
  }
  return {
    method: incoming.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers,
    body: Buffer.concat(chunks),
  };
}

interface Signature {
  readonly accessKey: string;
  readonly service: string;
}

function signatureOf(request: AwsRequest, clock: Clock): Signature | undefined {
  const header = /Credential=([^,\s]+)/.exec(request.headers.authorization ?? '')?.[1];
  const presigned = request.query.get('X-Amz-Credential');
  if (!header && presigned) refuseExpired(request.query, clock);
  const scope = (header ?? presigned)?.split('/');
  if (!scope) return undefined;
  if (scope.length !== 5) throw new AwsError('IncompleteSignature', 'the credential scope is malformed', 400);
  return { accessKey: scope[0]!, service: scope[3]! };
}

/** @throws AwsError when a presigned address is past its time (X-Amz-Expires, in seconds). */
function refuseExpired(query: URLSearchParams, clock: Clock): void {
  const signed = query
    .get('X-Amz-Date')
    ?.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  const expires = Date.parse(signed ?? '') + Number(query.get('X-Amz-Expires')) * 1000;
  if (!(clock.now() <= expires)) throw new AwsError('AccessDenied', 'Request has expired', 403);
}

function serviceName(request: AwsRequest, target: string | undefined, signature?: Signature): string {
  if (target !== undefined) return targets[target.slice(0, target.lastIndexOf('.'))] ?? target;
  if (signature) return signature.service;
  return OF_COGNITO.test(request.path) ? 'cognito-idp' : '';
}

function callerOf(accessKey: string): Caller {
  if (accessKey === OPERATOR_ACCESS_KEY) return { kind: 'operator' };
  const roleArn = roleOfAccessKey(accessKey);
  if (roleArn !== undefined) return { kind: 'role', roleArn };
  throw new AwsError(
    'UnrecognizedClientException',
    'The security token included in the request is invalid',
    403,
  );
}

function anonymous(service: string, request: AwsRequest): Caller {
  if (service === 'cognito-idp') return ANONYMOUS;
  throw new AwsError('MissingAuthenticationToken', `${request.method} ${request.path} is not signed`, 403);
}

function parse(body: Buffer): unknown {
  try {
    return body.length === 0 ? {} : JSON.parse(body.toString());
  } catch {
    throw new AwsError('SerializationException', 'the request body is not JSON');
  }
}

function failure(service: string, error: unknown, { log }: Options): AwsResponse {
  let known = error as AwsError;
  if (!(error instanceof AwsError)) {
    log(service, 'failed', error);
    known = new AwsError('InternalFailure', 'The embedded cloud failed; see its log', 500);
  }
  const { code, message, status, members } = known;
  const headers = { 'x-amzn-errortype': code };
  if (service === 's3') {
    const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${xmlText(message)}</Message></Error>`;
    return { status, headers: { ...headers, 'content-type': 'application/xml' }, body };
  }
  const answer = json(status, { __type: code, message, ...members });
  return { ...answer, headers: { ...answer.headers, ...headers } };
}

function xmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/** Times leave as seconds since the epoch and bytes as base64: that is how the JSON protocols write them. */
function json(status: number, value: unknown): AwsResponse {
  const body = JSON.stringify(value, function (this: any, key, plain) {
    const original = this[key];
    if (original instanceof Date) return original.getTime() / 1000;
    return original instanceof Uint8Array ? Buffer.from(original).toString('base64') : plain;
  });
  return { status, headers: { 'content-type': 'application/x-amz-json-1.1' }, body };
}

function respond(response: ServerResponse, { status, headers, body = '' }: AwsResponse): void {
  response.writeHead(status, {
    'x-amzn-requestid': randomUUID(),
    ...headers,
    ...(response.req.method === 'HEAD' ? {} : { 'content-length': Buffer.byteLength(body) }),
  });
  response.end(body);
}
