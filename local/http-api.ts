import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { AnswerDropped } from './boundary.ts';
import { EdgeCache } from './edge-cache.ts';
import { JwtAuthorizer } from './http-api-authorizer.ts';
import { type CorsConfiguration, corsHeaders, isPreflight, preflightHeaders } from './http-api-cors.ts';
import { type HttpApiRequest, type HttpApiResponse, proxyEvent, responseFrom } from './http-api-event.ts';
import { matchRoute, type RouteMatch } from './http-api-routes.ts';
import { createLocalApi, type LocalApi } from './local-api.ts';
import { accessLogBytes } from './log-bytes.ts';
import { throttled } from './throttling.ts';
import { TokenBucket } from './token-bucket.ts';
import {
  AwsError,
  type Crossing,
  type Resource,
  type Runtime,
  type Service,
  type ServiceFactory,
} from './types.ts';

interface Route {
  readonly routeKey: string;
  readonly functionArn: string;
  /** Milliseconds. */
  readonly timeout: number;
  readonly authorizer: JwtAuthorizer | undefined;
  readonly scopes: readonly string[];
  readonly throttle: TokenBucket;
}

const stage = '$default';
/** Bytes. */
const bodyLimit = 10 * 1024 * 1024;
/** Bytes of the request line and of all header values. */
const headerLimit = 10_240;
/** Milliseconds. */
const longestTimeout = 30_000;
/** Bytes of a request that are billed as one. */
const meteredBytes = 512 * 1024;
const serviceName = 'apigateway';

/**
 * One listener per AWS::ApiGatewayV2::Api, on its `LocalPort`.
 * @param edge whether an edge cache stands before the main one, as CloudFront does where it is deployed
 */
export const createHttpApi =
  (edge = false): ServiceFactory =>
  (runtime) => {
    const apis = runtime.resources('AWS::ApiGatewayV2::Api').map((api) => new HttpApi(api, runtime, edge));
    const service: Service = {
      name: serviceName,
      async call(operation) {
        throw new AwsError('UnknownOperationException', `apigateway:${operation} is not emulated`);
      },
      async start() {
        await Promise.all(apis.map((api) => api.listen()));
      },
      async stop() {
        await Promise.all(apis.map((api) => api.close()));
      },
    };
    return service;
  };

class HttpApi {
  readonly #api: Resource;
  readonly #runtime: Runtime;
  readonly #routes: readonly Route[];
  readonly #cors: CorsConfiguration | undefined;
  readonly #edgeHeaders: Readonly<Record<string, string>>;
  readonly #accessLogFormat: string | undefined;
  readonly #accountThrottle: TokenBucket;
  readonly #isMain: boolean;
  readonly #service: string;
  readonly #local: LocalApi | undefined;
  readonly #edge: EdgeCache | undefined;
  readonly #server: Server;

  constructor(api: Resource, runtime: Runtime, edge: boolean) {
    this.#api = api;
    this.#runtime = runtime;
    this.#routes = routesOf(api, runtime);
    this.#cors = api.properties.CorsConfiguration;
    this.#edgeHeaders = edgeHeadersOf(api, runtime);
    this.#accessLogFormat = stageOf(api, runtime).properties.AccessLogSettings?.Format;
    this.#accountThrottle = new TokenBucket(
      runtime.limits.scaled('apigateway.accountRate'),
      runtime.limits.scaled('apigateway.accountBurst'),
      runtime.clock.now,
    );
    this.#isMain = isMain(api, runtime);
    this.#service = this.#isMain ? serviceName : 'provider';
    this.#local = this.#isMain ? createLocalApi(runtime) : undefined;
    this.#edge = edge && this.#isMain ? new EdgeCache(() => runtime.clock.now()) : undefined;
    this.#server = createServer({ maxHeaderSize: 4 * headerLimit, keepAliveTimeout: 65_000 });
    this.#server.on('request', (request, response) => {
      this.#serve(request, response).catch((error) => {
        if (!(error instanceof AnswerDropped))
          runtime.log('apigateway', `${request.method} ${request.url}`, error);
        response.destroy();
      });
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      const status =
        error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
      if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    });
  }

  /** @throws the listener's error, `EADDRINUSE` for a taken port */
  listen(): Promise<void> {
    const port = Number(this.#api.attributes.LocalPort);
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  /** Waits two seconds at most for the requests under way. */
  close(): Promise<void> {
    if (!this.#server.listening) return Promise.resolve();
    return new Promise((resolve) => {
      const force = setTimeout(() => this.#server.closeAllConnections(), 2_000);
      this.#server.close(() => {
        clearTimeout(force);
        resolve();
      });
      this.#server.closeIdleConnections();
    });
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const requestId = randomUUID().replaceAll('-', '').slice(0, 16);
    const response = await (this.#edge
      ? this.#answerAtEdge(this.#edge, incoming, requestId)
      : this.#answer(incoming, requestId));
    const hasBody = response.status !== 204 && response.status !== 304;
    const headers = {
      'apigw-requestid': requestId,
      ...response.headers,
      ...(hasBody && { 'content-length': Buffer.byteLength(response.body) }),
    };
    if (outgoing.destroyed) return;
    // A body that was refused unread would be taken for the next request of the connection.
    if (!incoming.complete) outgoing.shouldKeepAlive = false;
    outgoing.writeHead(response.status, headers);
    outgoing.end(response.body);
  }

  /** What passes the edge is billed there, whether the API is asked or not. */
  async #answerAtEdge(
    edge: EdgeCache,
    incoming: IncomingMessage,
    requestId: string,
  ): Promise<HttpApiResponse> {
    const { method = 'GET', url = '/', headers } = incoming;
    if (url.startsWith('/_local')) return this.#answer(incoming, requestId);
    const request = { method, url, headers };
    const response =
      edge.fresh(request) ??
      (await edge.answer(request, (ifNoneMatch) => this.#answer(incoming, requestId, ifNoneMatch)));
    this.#runtime.meter.add({
      service: 'cloudfront',
      resource: 'edge',
      operation: String(response.headers['x-cache'] ?? ''),
      by: '',
      counts: { requests: 1, bytes: Buffer.byteLength(response.body) },
    });
    return response;
  }

  /** @param ifNoneMatch in place of the request's own condition */
  async #answer(
    incoming: IncomingMessage,
    requestId: string,
    ifNoneMatch?: string,
  ): Promise<HttpApiResponse> {
    if (headerBytes(incoming) > headerLimit) return plain(431, 'Request Header Fields Too Large');
    const body = await readBody(incoming);
    if (!body) return plain(413, 'Request Entity Too Large');
    const asked = requestFrom(incoming, body);
    const request =
      asked && ifNoneMatch !== undefined
        ? { ...asked, headers: { ...asked.headers, 'if-none-match': ifNoneMatch } }
        : asked;
    if (!request) return plain(400, 'Bad Request');
    if (this.#local && /^\/_local(\/|$)/.test(request.path)) return this.#local(request);

    const cors = this.#cors;
    if (!cors) return this.#routeMetered(request, requestId);
    if (isPreflight(request.method, request.headers)) {
      return { status: 204, headers: preflightHeaders(cors, request.headers), body: '' };
    }
    const response = await this.#routeMetered(request, requestId);
    const own = Object.entries(response.headers).filter(([name]) => !name.startsWith('access-control-'));
    return { ...response, headers: { ...Object.fromEntries(own), ...corsHeaders(cors, request.headers) } };
  }

  /** Requests are billed by 512 KB, those included that are refused here. */
  async #routeMetered(request: HttpApiRequest, requestId: string): Promise<HttpApiResponse> {
    const match = matchRoute(this.#routes, request.method, request.path);
    const route = match?.route.routeKey ?? '';
    const response = await this.#passed(match, request, requestId);
    const responseBytes =
      Buffer.byteLength(response.body) + Buffer.byteLength(JSON.stringify(response.headers));
    this.#runtime.meter.add({
      service: 'apigateway',
      resource: this.#api.logicalId,
      operation: route,
      by: '',
      counts: {
        requests: Math.max(1, Math.ceil(request.body.length / meteredBytes)),
        responseBytes,
        logBytes: accessLogBytes(this.#accessLogFormat, { routeKey: route, responseLength: responseBytes }),
      },
    });
    return response;
  }

  /** An API that is not the shop's is the payment provider's. @throws AnswerDropped when nobody is to be answered */
  async #passed(
    match: RouteMatch<Route> | undefined,
    request: HttpApiRequest,
    requestId: string,
  ): Promise<HttpApiResponse> {
    const route = match?.route.routeKey ?? '';
    const crossing: Crossing = {
      kind: 'request',
      service: this.#service,
      operation: route,
      resources: [this.#api.logicalId],
      by: '',
      input: request,
    };
    try {
      return await this.#runtime.boundary.pass(crossing, async () => {
        if (!this.#mayPass()) throw throttled(this.#service, route);
        return this.#route(match, request, requestId);
      });
    } catch (error) {
      if (!(error instanceof AwsError) || error instanceof AnswerDropped) throw error;
      return error.status === 429 ? plain(429, 'Too Many Requests') : plain(500, 'Internal Server Error');
    }
  }

  /** The account's rate, which counts whether limits are imposed or not; a provider has its own as well. */
  #mayPass(): boolean {
    return this.#accountThrottle.take() && (this.#isMain || this.#runtime.limits.take('provider.rate'));
  }

  async #route(
    match: RouteMatch<Route> | undefined,
    request: HttpApiRequest,
    requestId: string,
  ): Promise<HttpApiResponse> {
    if (!match) return plain(404, 'Not Found');
    const { route, parameters } = match;
    if (!route.throttle.take()) return plain(429, 'Too Many Requests');

    const answer = await route.authorizer?.authorize(request.headers, route.scopes);
    if (answer?.outcome === 'unauthorized') {
      return plain(401, 'Unauthorized', { 'www-authenticate': answer.challenge });
    }
    if (answer?.outcome === 'forbidden') {
      return plain(403, 'Forbidden', { 'www-authenticate': answer.challenge });
    }
    const event = proxyEvent(
      { ...request, headers: { ...request.headers, ...this.#edgeHeaders } },
      {
        accountId: this.#runtime.account,
        apiId: this.#api.ref,
        stage,
        routeKey: route.routeKey,
        requestId,
        time: this.#runtime.clock.now(),
        parameters,
        authorization: answer?.authorization,
      },
    );
    return this.#invoke(route, event, request.headers['x-amzn-trace-id']!);
  }

  async #invoke(route: Route, event: unknown, traceHeader: string): Promise<HttpApiResponse> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, route.timeout / this.#runtime.clock.pace);
    const [method, path] = route.routeKey.split(' ') as [string, string?];
    const { region, account } = this.#runtime;
    const sourceArn = `arn:aws:execute-api:${region}:${account}:${this.#api.ref}/${stage}/${method}${path ?? ''}`;
    try {
      const invocation = this.#runtime.call(
        'lambda',
        'Invoke',
        { FunctionName: route.functionArn, Payload: event, TraceHeader: traceHeader },
        { kind: 'service', service: 'apigateway.amazonaws.com', sourceArn },
      );
      const output = await Promise.race([invocation, late]);
      if (!output) return plain(503, 'Service Unavailable');
      const response = output.FunctionError ? undefined : responseFrom(output.Payload);
      return response ?? plain(500, 'Internal Server Error');
    } catch (error) {
      const code = error instanceof AwsError ? error.code : '';
      // A throttle is no failure, and a crowd has thousands of them.
      if (code !== 'TooManyRequestsException') this.#runtime.log('apigateway', route.routeKey, error);
      if (code === 'RequestTooLargeException') return plain(413, 'Request Entity Too Large');
      const throttled = code === 'TooManyRequestsException';
      return throttled ? plain(503, 'Service Unavailable') : plain(500, 'Internal Server Error');
    } finally {
      clearTimeout(timer);
    }
  }
}

function stageOf(api: Resource, runtime: Runtime): Resource {
  const found = runtime
    .resources('AWS::ApiGatewayV2::Stage')
    .find(({ properties }) => properties.ApiId === api.ref && properties.StageName === stage);
  if (found) return found;
  throw new Error(
    `${api.stack} ${api.logicalId}: an HTTP API needs the stage ${stage}; no other is emulated`,
  );
}

function routesOf(api: Resource, runtime: Runtime): Route[] {
  const owned = (type: string) =>
    runtime.resources(type).filter(({ properties }) => properties.ApiId === api.ref);
  const settings = stageOf(api, runtime);
  const share =
    runtime.limits.scaled('apigateway.accountRate') / runtime.limits.documented('apigateway.accountRate');
  const authorizers = new Map(
    owned('AWS::ApiGatewayV2::Authorizer').map((authorizer) => [
      authorizer.ref,
      new JwtAuthorizer(authorizer, runtime),
    ]),
  );
  const integrations = owned('AWS::ApiGatewayV2::Integration');
  return owned('AWS::ApiGatewayV2::Route').map(({ properties }) => {
    const routeKey: string = properties.RouteKey;
    const integration = integrations.find(({ ref }) => properties.Target === `integrations/${ref}`);
    if (integration?.properties.IntegrationType !== 'AWS_PROXY') {
      throw new Error(`${api.stack} ${routeKey}: only AWS_PROXY integrations are emulated`);
    }
    if (integration.properties.PayloadFormatVersion !== '2.0') {
      throw new Error(`${api.stack} ${routeKey}: only payload format 2.0 is emulated`);
    }
    const limits = {
      ...settings.properties.DefaultRouteSettings,
      ...settings.properties.RouteSettings?.[routeKey],
    };
    return {
      routeKey,
      functionArn: functionArnOf(integration.properties.IntegrationUri),
      timeout: Math.min(Number(integration.properties.TimeoutInMillis ?? longestTimeout), longestTimeout),
      authorizer: authorizers.get(properties.AuthorizerId),
      scopes: properties.AuthorizationScopes ?? [],
      throttle: new TokenBucket(
        Number(limits.ThrottlingRateLimit ?? runtime.limits.documented('apigateway.accountRate')) * share,
        Number(limits.ThrottlingBurstLimit ?? runtime.limits.documented('apigateway.accountBurst')) * share,
        runtime.clock.now,
      ),
    };
  });
}

/** An integration names its function by ARN, or by API Gateway's own path that contains the ARN. */
function functionArnOf(integrationUri: string): string {
  return /\/functions\/(.+)\/invocations$/.exec(integrationUri)?.[1] ?? integrationUri;
}

/** We stand in for the edge: what CloudFront adds to each request to this origin is added here. */
function edgeHeadersOf(api: Resource, runtime: Runtime): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const { properties } of runtime.resources('AWS::CloudFront::Distribution')) {
    for (const origin of properties.DistributionConfig?.Origins ?? []) {
      const domain = String(origin.DomainName);
      if (!domain.includes(api.ref) && !domain.endsWith(`:${api.attributes.LocalPort}`)) continue;
      for (const { HeaderName, HeaderValue } of origin.OriginCustomHeaders ?? []) {
        headers[String(HeaderName).toLowerCase()] = String(HeaderValue);
      }
    }
  }
  return headers;
}

/** The API that shoppers use, as the stack output `ApiUrl` names it. */
function isMain(api: Resource, runtime: Runtime): boolean {
  const url = runtime.output('ApiUrl') ?? '';
  return url.includes(api.ref) || url.includes(`:${api.attributes.LocalPort}`);
}

function headerBytes(incoming: IncomingMessage): number {
  const line = `${incoming.method} ${incoming.url} HTTP/1.1`;
  return incoming.rawHeaders.reduce(
    (sum, value, index) => (index % 2 === 1 ? sum + Buffer.byteLength(value) : sum),
    Buffer.byteLength(line),
  );
}

const nothing = Buffer.alloc(0);

/** Undefined when it is over the limit; it is read to its end even so, lest the client miss the answer. */
async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const { 'content-length': length, 'transfer-encoding': encoding } = incoming.headers;
  if (length === undefined && encoding === undefined) return nothing;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    size += chunk.length;
    if (size <= bodyLimit) chunks.push(chunk);
  }
  return size <= bodyLimit ? Buffer.concat(chunks) : undefined;
}

/** Undefined when the path is not well encoded. */
function requestFrom(incoming: IncomingMessage, body: Buffer): HttpApiRequest | undefined {
  const [rawPath = '/', ...rest] = (incoming.url ?? '/').split('?');
  let path: string;
  try {
    path = decodeURIComponent(rawPath);
  } catch {
    return undefined;
  }
  const headers: Record<string, string> = {};
  const cookies: string[] = [];
  for (const [name, values = []] of Object.entries(incoming.headersDistinct)) {
    if (name === 'cookie') cookies.push(...values.flatMap((value) => value.split(/;\s*/)));
    else if (name !== 'connection') headers[name] = values.join(',');
  }
  const sourceIp = incoming.socket.remoteAddress ?? '127.0.0.1';
  headers['x-forwarded-for'] = [headers['x-forwarded-for'], sourceIp].filter(Boolean).join(', ');
  headers['x-forwarded-port'] = String(incoming.socket.localPort);
  headers['x-forwarded-proto'] = 'http';
  headers['x-amzn-trace-id'] ??=
    `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-${randomUUID().replaceAll('-', '').slice(0, 24)}`;
  return {
    method: incoming.method ?? 'GET',
    path,
    queryString: rest.join('?'),
    headers,
    cookies,
    body,
    sourceIp,
  };
}

/** An answer of API Gateway's own. */
function plain(status: number, message: string, headers: Record<string, string> = {}): HttpApiResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ message }),
  };
}
