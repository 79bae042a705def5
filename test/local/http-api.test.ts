import { request as httpRequest } from 'node:http';
import { expect, test } from 'vitest';
import { createCognito } from '../../local/cognito.ts';
import { createHttpApi } from '../../local/http-api.ts';
import { matchRoute } from '../../local/http-api-routes.ts';
import { findFreePort } from '../../local/ports.ts';
import { TokenBucket } from '../../local/token-bucket.ts';
import { AwsError, type Caller, type Resource } from '../../local/types.ts';

import { type FakeRuntime, fakeRuntime, operator, resource } from './support/runtime.ts';

const functionArn = 'arn:aws:lambda:eu-west-1:111122223333:function:fn';
const issuer = 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_pool';

interface Setting {
  readonly routes?: readonly string[];
  readonly api?: object;
  readonly stage?: object;
  readonly integration?: object;
  /** Properties of every route. */
  readonly route?: object;
  readonly others?: readonly Resource[];
  readonly outputs?: Record<string, string>;
}

interface Served {
  readonly runtime: FakeRuntime;
  readonly url: string;
  /** Events that the function got, and who brought them. */
  readonly seen: { event: any; caller: Caller }[];
  /** What the function answers from now on. */
  reply: (event: any) => unknown;
}

async function serve(setting: Setting = {}): Promise<Served> {
  const port = await findFreePort();
  const ApiId = 'api1';
  const owned = (type: string, name: string, properties: object) =>
    resource(`AWS::ApiGatewayV2::${type}`, name, { ApiId, ...properties });
  const runtime = fakeRuntime({
    outputs: setting.outputs ?? {},
    resources: [
      { ...resource('AWS::ApiGatewayV2::Api', ApiId, setting.api), attributes: { LocalPort: String(port) } },
      owned('Stage', '$default', { StageName: '$default', ...setting.stage }),
      owned('Integration', 'int', {
        IntegrationType: 'AWS_PROXY',
        PayloadFormatVersion: '2.0',
        IntegrationUri: functionArn,
        ...setting.integration,
      }),
      owned('Authorizer', 'jwt', {
        AuthorizerType: 'JWT',
        IdentitySource: ['$request.header.Authorization'],
        JwtConfiguration: { Issuer: issuer, Audience: ['client'] },
      }),
      ...(setting.routes ?? ['$default']).map((RouteKey) =>
        owned('Route', RouteKey, { RouteKey, Target: 'integrations/int', ...setting.route }),
      ),
      ...(setting.others ?? []),
    ],
  });
  const served: Served = {
    runtime,
    url: `http://127.0.0.1:${port}`,
    seen: [],
    reply: () => ({ statusCode: 200, body: 'ok' }),
  };
  runtime.answer('lambda', async (_operation, input, caller) => {
    expect(input.FunctionName).toBe(functionArn);
    served.seen.push({ event: input.Payload, caller });
    return { StatusCode: 200, Payload: await served.reply(input.Payload) };
  });
  await runtime.use(createHttpApi()).start!();
  return served;
}

test('the function gets payload format 2.0', async () => {
  const { url, seen, runtime } = await serve({ routes: ['POST /v1/things/{id}/{rest+}'] });
  await fetch(`${url}/v1/things/a%20b/x/y%2Fz?q=1&q=2&empty=&e=%C3%A9`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'X-Thing': 'one',
      cookie: 'a=1; b=2',
      'user-agent': 'test',
    },
    body: '{"n":1}',
  });
  const { event, caller } = seen[0]!;
  expect(event).toMatchObject({
    version: '2.0',
    routeKey: 'POST /v1/things/{id}/{rest+}',
    rawPath: '/v1/things/a b/x/y/z',
    rawQueryString: 'q=1&q=2&empty=&e=%C3%A9',
    cookies: ['a=1', 'b=2'],
    queryStringParameters: { q: '1,2', empty: '', e: 'é' },
    pathParameters: { id: 'a b', rest: 'x/y/z' },
    body: '{"n":1}',
    isBase64Encoded: false,
    requestContext: {
      accountId: '111122223333',
      apiId: 'api1',
      domainName: '127.0.0.1',
      http: {
        method: 'POST',
        path: '/v1/things/a b/x/y/z',
        protocol: 'HTTP/1.1',
        sourceIp: '127.0.0.1',
        userAgent: 'test',
      },
      routeKey: 'POST /v1/things/{id}/{rest+}',
      stage: '$default',
      time: '22/Nov/2026:00:00:00 +0000',
      timeEpoch: runtime.clock.now(),
    },
  });
  expect(event.headers).toMatchObject({ 'x-thing': 'one', 'x-forwarded-for': '127.0.0.1' });
  expect(event.headers).not.toHaveProperty('cookie');
  expect(event).not.toHaveProperty('stageVariables');
  expect(event.requestContext).not.toHaveProperty('authorizer');
  expect(caller).toEqual({
    kind: 'service',
    service: 'apigateway.amazonaws.com',
    sourceArn: 'arn:aws:execute-api:eu-west-1:111122223333:api1/$default/POST/v1/things/{id}/{rest+}',
  });
});

test.each([
  ['application/json; charset=utf-8', false],
  ['text/csv', false],
  ['application/yaml', true],
  ['application/x-www-form-urlencoded', true],
  ['application/problem+json', true],
])('a body of %s is base64: %s', async (type, encoded) => {
  const { url, seen } = await serve();
  await fetch(url, { method: 'POST', headers: { 'content-type': type }, body: 'ü' });
  expect(seen[0]!.event.isBase64Encoded).toBe(encoded);
  expect(seen[0]!.event.body).toBe(encoded ? Buffer.from('ü').toString('base64') : 'ü');
});

test('a request without body has none in its event', async () => {
  const { url, seen } = await serve();
  await fetch(url);
  expect(seen[0]!.event).not.toHaveProperty('body');
  expect(seen[0]!.event.isBase64Encoded).toBe(false);
});

test.each([
  ['GET', '/pets/dog/1', 'GET /pets/dog/1'],
  ['GET', '/pets/dog/2', 'GET /pets/dog/{id}'],
  ['GET', '/pets/cat/1', 'GET /pets/{proxy+}'],
  ['POST', '/pets/dog/1', 'ANY /{proxy+}'],
  ['GET', '/pets/dog/', 'GET /pets/{proxy+}'],
  ['DELETE', '/', '$default'],
  ['GET', '/pets', 'ANY /{proxy+}'],
])('%s %s goes to %s', (method, path, expected) => {
  const routes = [
    '$default',
    'ANY /{proxy+}',
    'GET /pets/{proxy+}',
    'ANY /pets/dog/1',
    'GET /pets/dog/{id}',
    'GET /pets/dog/1',
  ]
    .filter((routeKey) => !(method === 'POST' && routeKey === 'ANY /pets/dog/1'))
    .map((routeKey) => ({ routeKey }));
  expect(matchRoute(routes, method, path)?.route.routeKey).toBe(expected);
});

test('a named method goes before ANY on the same path', () => {
  const routes = [{ routeKey: 'ANY /a' }, { routeKey: 'GET /a' }];
  expect(matchRoute(routes, 'GET', '/a')?.route.routeKey).toBe('GET /a');
  expect(matchRoute(routes, 'PUT', '/a')?.route.routeKey).toBe('ANY /a');
  expect(matchRoute(routes, 'GET', '/b')).toBeUndefined();
});

test('without a route the gateway itself answers 404', async () => {
  const { url } = await serve({ routes: ['GET /a'] });
  const response = await fetch(`${url}/b`);
  expect([response.status, await response.json()]).toEqual([404, { message: 'Not Found' }]);
});

test('responses are mapped as for a proxy integration', async () => {
  const served = await serve();
  const get = async (result: unknown) => {
    served.reply = () => result;
    const response = await fetch(served.url);
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  const full = await get({
    statusCode: 201,
    headers: { 'X-One': 1, 'Content-Type': 'image/png' },
    cookies: ['a=1', 'b=2'],
    body: Buffer.from('png').toString('base64'),
    isBase64Encoded: true,
  });
  expect([full.status, full.text, full.headers.get('x-one')]).toEqual([201, 'png', '1']);
  expect(full.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  expect(full.headers.get('content-type')).toBe('image/png');
  expect(full.headers.get('apigw-requestid')).toBeTruthy();

  const inferred = await get({ hello: 'world' });
  expect([inferred.status, inferred.headers.get('content-type'), inferred.text]).toEqual([
    200,
    'application/json',
    '{"hello":"world"}',
  ]);
  expect((await get({ statusCode: 'teapot' })).status).toBe(500);
  expect((await get({ statusCode: 200, body: { not: 'text' } })).text).toBe(
    '{"message":"Internal Server Error"}',
  );
  expect((await get({ statusCode: 204 })).text).toBe('');
});

test('a failing, refused, throttled or late function is answered as the gateway does', async () => {
  const served = await serve({ integration: { TimeoutInMillis: 50 } });
  const status = async () => (await fetch(served.url)).status;
  served.runtime.answer('lambda', () => ({ StatusCode: 200, FunctionError: 'Unhandled', Payload: {} }));
  expect(await status()).toBe(500);
  served.runtime.answer('lambda', () => {
    throw new AwsError('AccessDeniedException', 'no permission', 403);
  });
  expect(await status()).toBe(500);
  served.runtime.answer('lambda', () => {
    throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429);
  });
  expect(await status()).toBe(503);
  served.runtime.answer('lambda', () => new Promise(() => {}));
  const late = await fetch(served.url);
  expect([late.status, await late.json()]).toEqual([503, { message: 'Service Unavailable' }]);
});

test('over 10 MB, and over the header limit, is refused', async () => {
  const { url, seen } = await serve();
  const big = await fetch(url, { method: 'POST', body: Buffer.alloc(10 * 1024 * 1024 + 1) });
  expect([big.status, await big.json()]).toEqual([413, { message: 'Request Entity Too Large' }]);
  const wide = await fetch(url, { headers: { 'x-wide': 'a'.repeat(10_300) } });
  expect(wide.status).toBe(431);
  expect(seen).toEqual([]);
});

test('routes are throttled one by one, by the stage or by their own setting', async () => {
  const { url } = await serve({
    routes: ['GET /a', 'GET /b'],
    stage: {
      DefaultRouteSettings: { ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: 2 },
      RouteSettings: { 'GET /b': { ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: 1 } },
    },
  });
  const statuses: number[] = [];
  for (const path of ['/a', '/a', '/a', '/b', '/b']) statuses.push((await fetch(`${url}${path}`)).status);
  expect(statuses).toEqual([200, 200, 429, 200, 429]);
});

test('a token bucket gains tokens with time, up to its burst', () => {
  let now = 0;
  const bucket = new TokenBucket(2, 3, () => now);
  const take = (times: number) => Array.from({ length: times }, () => bucket.take());
  expect(take(4)).toEqual([true, true, true, false]);
  now = 500;
  expect(take(2)).toEqual([true, false]);
  now = 60_000;
  expect(take(4)).toEqual([true, true, true, false]);
});

test('CORS: preflight, allowed and foreign origins, and no CORS headers of the function', async () => {
  const served = await serve({
    routes: ['GET /a'],
    api: {
      CorsConfiguration: {
        AllowOrigins: ['https://shop.example'],
        AllowMethods: ['GET', 'POST'],
        AllowHeaders: ['authorization'],
        ExposeHeaders: ['etag'],
        MaxAge: 600,
      },
    },
  });
  served.reply = () => ({
    statusCode: 200,
    headers: { 'access-control-allow-origin': 'https://evil.example' },
  });
  const origin = 'https://shop.example';
  const preflight = await fetch(`${served.url}/a`, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'GET' },
  });
  expect(preflight.status).toBe(204);
  expect(Object.fromEntries(preflight.headers)).toMatchObject({
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'GET,POST',
    'access-control-allow-headers': 'authorization',
    'access-control-max-age': '600',
  });
  const own = await fetch(`${served.url}/a`, { headers: { origin } });
  expect(own.headers.get('access-control-allow-origin')).toBe(origin);
  expect(own.headers.get('access-control-expose-headers')).toBe('etag');
  const foreign = await fetch(`${served.url}/a`, { headers: { origin: 'https://evil.example' } });
  expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
});

test("CloudFront's origin headers are added, whatever the client sends", async () => {
  const { url, seen } = await serve({
    others: [
      resource('AWS::CloudFront::Distribution', 'edge', {
        DistributionConfig: {
          Origins: [
            {
              DomainName: 'api1.execute-api.eu-west-1.amazonaws.com',
              OriginCustomHeaders: [{ HeaderName: 'X-Origin-Secret', HeaderValue: 'rotated' }],
            },
          ],
        },
      }),
    ],
  });
  await fetch(url, { headers: { 'x-origin-secret': 'guessed' } });
  expect(seen[0]!.event.headers['x-origin-secret']).toBe('rotated');
});

test('a badly encoded path is a bad request', async () => {
  const { url } = await serve();
  const { hostname, port } = new URL(url);
  const status = await new Promise((resolve, reject) => {
    httpRequest({ hostname, port, path: '/%zz' }, (response) => resolve(response.resume().statusCode))
      .on('error', reject)
      .end();
  });
  expect(status).toBe(400);
});

test('/_local belongs to the API of the output ApiUrl only', async () => {
  const other = await serve();
  await fetch(`${other.url}/_local`);
  expect(other.seen).toHaveLength(1);
  const main = await serve({ outputs: { ApiUrl: 'https://api1.execute-api.eu-west-1.amazonaws.com' } });
  expect((await fetch(`${main.url}/_local/nothing`)).headers.get('content-type')).toBe(
    'application/problem+json',
  );
  expect(main.seen).toEqual([]);
});

async function servePool(route: object) {
  const served = await serve({
    routes: ['GET /me'],
    route: { AuthorizationType: 'JWT', AuthorizerId: 'jwt', ...route },
    others: [
      resource('AWS::Cognito::UserPool', 'eu-west-1_pool', { UsernameAttributes: ['email'] }),
      resource('AWS::Cognito::UserPoolClient', 'client', { UserPoolId: 'eu-west-1_pool' }),
      resource('AWS::Cognito::UserPoolGroup', 'g1', { UserPoolId: 'eu-west-1_pool', GroupName: 'operators' }),
      resource('AWS::Cognito::UserPoolGroup', 'g2', { UserPoolId: 'eu-west-1_pool', GroupName: 'finance' }),
    ],
  });
  const cognito = served.runtime.use(createCognito);
  const pool = { UserPoolId: 'eu-west-1_pool', Username: 'ann@example.com' };
  await cognito.call('AdminCreateUser', { ...pool, MessageAction: 'SUPPRESS' }, operator);
  await cognito.call('AdminSetUserPassword', { ...pool, Password: 'Secret-123', Permanent: true }, operator);
  for (const GroupName of ['operators', 'finance']) {
    await cognito.call('AdminAddUserToGroup', { ...pool, GroupName }, operator);
  }
  const { AuthenticationResult: tokens } = await cognito.call(
    'AdminInitiateAuth',
    {
      UserPoolId: 'eu-west-1_pool',
      ClientId: 'client',
      AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME: 'ann@example.com', PASSWORD: 'Secret-123' },
    },
    operator,
  );
  const me = (token?: string) =>
    fetch(`${served.url}/me`, token ? { headers: { authorization: `Bearer ${token}` } } : {});
  return { ...served, tokens, me };
}

test('the JWT authorizer lets valid tokens through and hands their claims on as text', async () => {
  const { tokens, me, seen } = await servePool({});
  expect((await me(tokens.AccessToken)).status).toBe(200);
  expect((await me(tokens.IdToken)).status).toBe(200);
  const { jwt } = seen[0]!.event.requestContext.authorizer;
  expect(jwt.claims).toMatchObject({
    'cognito:groups': '[operators finance]',
    client_id: 'client',
    token_use: 'access',
    iss: issuer,
    exp: expect.stringMatching(/^\d+$/),
  });
  expect(jwt.scopes).toBeNull();
});

test('the JWT authorizer refuses no token, a forged one and an expired one', async () => {
  const { tokens, me, runtime, seen } = await servePool({});
  const none = await me();
  expect([none.status, await none.json(), none.headers.get('www-authenticate')]).toEqual([
    401,
    { message: 'Unauthorized' },
    'Bearer',
  ]);
  const [head, body, signature] = tokens.AccessToken.split('.');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
  const forge = (change: object, header = head) =>
    `${header}.${Buffer.from(JSON.stringify({ ...claims, ...change })).toString('base64url')}.${signature}`;
  const forged = await me(forge({ 'cognito:groups': ['operators'] }));
  expect(forged.status).toBe(401);
  expect(forged.headers.get('www-authenticate')).toContain('error="invalid_token"');
  const unsigned = Buffer.from('{"alg":"none"}').toString('base64url');
  expect((await me(forge({}, unsigned))).status).toBe(401);
  expect((await me('rubbish')).status).toBe(401);
  await runtime.clock.advance(3_600_001);
  expect((await me(tokens.AccessToken)).status).toBe(401);
  expect(seen).toEqual([]);
});

test('a route with scopes refuses a token that lacks them', async () => {
  const lacking = await servePool({ AuthorizationScopes: ['orders/write'] });
  const refused = await lacking.me(lacking.tokens.AccessToken);
  expect([refused.status, await refused.json()]).toEqual([403, { message: 'Forbidden' }]);
  const having = await servePool({ AuthorizationScopes: ['aws.cognito.signin.user.admin'] });
  expect((await having.me(having.tokens.AccessToken)).status).toBe(200);
  expect(having.seen[0]!.event.requestContext.authorizer.jwt.scopes).toEqual([
    'aws.cognito.signin.user.admin',
  ]);
});
