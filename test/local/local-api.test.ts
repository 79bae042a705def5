import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createCognito } from '../../local/cognito.ts';
import { createAccount, demoAccounts, demoPassword } from '../../local/demo-accounts.ts';
import { createLocalApi } from '../../local/local-api.ts';
import { lambdaFunction } from './support/functions.ts';
import { fakeRuntime, operator, queue, queueArn, resource } from './support/runtime.ts';

const poolId = 'eu-west-1_pool';

function setUp(outputs: Record<string, string> = {}) {
  const runtime = fakeRuntime({
    outputs: {
      ApiUrl: 'http://127.0.0.1:3000',
      UserPoolId: poolId,
      UserPoolClientId: 'client',
      ...outputs,
    },
    resources: [
      resource('AWS::Cognito::UserPool', poolId, { UsernameAttributes: ['email'] }),
      resource('AWS::Cognito::UserPoolClient', 'client', { UserPoolId: poolId }),
      resource('AWS::Cognito::UserPoolClient', 'system', {
        UserPoolId: poolId,
        ClientName: 'finance-ledger',
        GenerateSecret: true,
        AllowedOAuthFlows: ['client_credentials'],
        AllowedOAuthScopes: ['floodgate/finance.read'],
      }),
      resource('AWS::Cognito::UserPoolGroup', 'operators', { UserPoolId: poolId, GroupName: 'operators' }),
      resource('AWS::Cognito::UserPoolGroup', 'finance', { UserPoolId: poolId, GroupName: 'finance' }),
      lambdaFunction('fn', { Environment: { Variables: { SANDBOX_SECRET_ARN: 'arn:secret' } } }),
      queue('work', { RedrivePolicy: { deadLetterTargetArn: queueArn('work-dlq'), maxReceiveCount: 3 } }),
      queue('work-dlq'),
    ],
  });
  runtime.use(createCognito);
  const api = createLocalApi(runtime);
  const send = async (
    method: string,
    target: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) => {
    const [path = '', queryString = ''] = target.split('?');
    const response = await api({
      method,
      path,
      queryString,
      headers: { host: 'localhost:3000', ...headers },
      cookies: [],
      body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
      sourceIp: '127.0.0.1',
    });
    return { ...response, json: response.body ? JSON.parse(String(response.body)) : undefined };
  };
  return { runtime, send };
}

test('GET /_local names the store, its resources and the demo accounts with tokens', async () => {
  const { runtime, send } = setUp();
  const pool = { userPoolId: poolId, clientId: 'client', call: runtime.call };
  for (const { email, groups } of demoAccounts) await createAccount(pool, email, demoPassword, groups);
  const { status, json } = await send('GET', '/_local');
  expect(status).toBe(200);
  expect(json).toMatchObject({
    apiUrl: 'http://127.0.0.1:3000',
    region: 'eu-west-1',
    userPoolId: poolId,
    clientId: 'client',
    signIn: { token: 'http://127.0.0.1:4566/oauth2/token' },
    machines: [
      {
        name: 'finance-ledger',
        clientId: 'system',
        clientSecret: expect.stringMatching(/^.{40,}$/),
        scopes: ['floodgate/finance.read'],
      },
    ],
    seeded: false,
    demo: {
      shopper: { email: 'shopper@example.com', password: demoPassword, accessToken: expect.any(String) },
      operator: { accessToken: expect.any(String) },
      finance: { accessToken: expect.any(String) },
    },
  });
  expect(json.resources.map(({ ref }: { ref: string }) => ref)).toContain('fn');
});

test('POST /_local/users makes an account that is ready to use', async () => {
  const { send } = setUp();
  const account = { email: 'ann@example.com', password: 'Secret-123', groups: ['operators'] };
  const { status, json } = await send('POST', '/_local/users', account);
  expect(status).toBe(201);
  const claims = JSON.parse(Buffer.from(json.accessToken.split('.')[1], 'base64url').toString());
  expect(claims).toMatchObject({ token_use: 'access', 'cognito:groups': ['operators'] });

  const again = await send('POST', '/_local/users', account);
  expect([again.status, again.json.type]).toEqual([409, 'https://floodgate.dev/problems/username-exists']);
  expect((await send('POST', '/_local/users', { email: 'x' })).status).toBe(422);
});

test('what other services keep is asked of them by the operator', async () => {
  const { runtime, send } = setUp();
  const asked: unknown[] = [];
  const run = { executionArn: 'arn:aws:states:run', status: 'SUCCEEDED', startDate: 1_795_305_600 };
  const answers: Record<string, object> = {
    ListExecutions: { executions: [run] },
    DescribeExecution: { ...run, stopDate: 1_795_305_601, output: '{}' },
    GetExecutionHistory: { events: [{ id: 1 }] },
  };
  for (const service of ['ses', 'events', 'scheduler', 'states']) {
    runtime.answer(service, (operation, input, caller) => {
      expect(caller).toEqual(operator);
      asked.push([service, operation, input]);
      return answers[operation] ?? { items: [] };
    });
  }
  await send('GET', '/_local/messages?to=ann@example.com');
  await send('GET', '/_local/messages');
  await send('GET', '/_local/events?since=2026-11-22T00:00:00Z');
  await send('POST', '/_local/schedules/finance-export/run', { time: '2026-11-22T17:00:00Z' });
  const runs = await send('GET', '/_local/executions');
  const one = await send('GET', '/_local/executions/arn:aws:states:run');
  expect(asked).toEqual([
    ['ses', 'ListMessages', { To: 'ann@example.com' }],
    ['ses', 'ListMessages', {}],
    ['events', 'ListRecorded', { Since: '2026-11-22T00:00:00Z' }],
    ['scheduler', 'RunNow', { Name: 'finance-export', Time: '2026-11-22T17:00:00Z' }],
    ['states', 'ListExecutions', { maxResults: 1000 }],
    ['states', 'DescribeExecution', { executionArn: 'arn:aws:states:run' }],
    ['states', 'GetExecutionHistory', { executionArn: 'arn:aws:states:run' }],
  ]);
  expect(runs.json).toEqual({
    items: [{ id: 'arn:aws:states:run', status: 'SUCCEEDED', startedAt: '2026-11-22T00:00:00.000Z' }],
  });
  expect(one.json).toMatchObject({
    stoppedAt: '2026-11-22T00:00:01.000Z',
    output: '{}',
    history: [{ id: 1 }],
  });
});

test('POST /_local/clock moves the clock forward, never back', async () => {
  const { runtime, send } = setUp();
  const { json } = await send('POST', '/_local/clock', { advanceSeconds: 3600 });
  expect(json).toEqual({ now: '2026-11-22T01:00:00.000Z', offsetSeconds: 3600, pace: 1 });
  expect((await send('POST', '/_local/clock', { advanceSeconds: -1 })).status).toBe(422);
  expect((await send('POST', '/_local/clock', {})).status).toBe(422);
  expect(runtime.clock.offset).toBe(3_600_000);
});

test('POST /_local/clock lets the clock run slower, never stand still or hurry', async () => {
  const { runtime, send } = setUp();
  const { json } = await send('POST', '/_local/clock', { pace: 0.25 });
  expect(json).toEqual({ now: '2026-11-22T00:00:00.000Z', offsetSeconds: 0, pace: 0.25 });
  for (const pace of [0, -1, 2, '0.5'])
    expect((await send('POST', '/_local/clock', { pace })).status).toBe(422);
  expect(runtime.clock.pace).toBe(0.25);
});

test('GET /_local/queues sets each queue beside the depth of its dead-letter queue', async () => {
  const { runtime, send } = setUp();
  const depth = (name: string, visible: number) => ({ name, visible, inFlight: 0, delayed: 0 });
  runtime.answer('sqs', () => ({ items: [depth('work', 2), depth('work-dlq', 5)] }));
  expect((await send('GET', '/_local/queues')).json.items).toEqual([
    { ...depth('work', 2), deadLetterQueue: 'work-dlq', deadLetters: 5 },
    depth('work-dlq', 5),
  ]);
});

test("GET /_local/logs/{function} gives a function's last lines, of known functions only", async () => {
  const { runtime, send } = setUp();
  expect((await send('GET', '/_local/logs/fn')).json).toEqual({ items: [] });
  mkdirSync(join(runtime.home, 'logs'));
  writeFileSync(join(runtime.home, 'logs', 'fn.log'), 'one\ntwo\nthree\n');
  expect((await send('GET', '/_local/logs/fn?tail=2')).json).toEqual({ items: ['two', 'three'] });
  expect((await send('GET', '/_local/logs/..')).status).toBe(404);
});

test('GET /_local/psp/charges reads the whole book of the sandbox provider, with its key', async () => {
  const server: Server = createServer((request, response) => {
    const { searchParams, pathname } = new URL(request.url!, 'http://localhost');
    const cursor = searchParams.get('cursor');
    const item = { path: pathname, key: request.headers.authorization };
    response.end(JSON.stringify({ items: [item], ...(cursor === null && { next: 'second' }) }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const { runtime, send } = setUp({ SandboxUrl: `http://127.0.0.1:${port}/` });
  runtime.answer('secretsmanager', (_operation, { SecretId }) => ({ SecretString: `key of ${SecretId}` }));
  const charge = { path: '/charges', key: 'Bearer key of arn:secret' };
  expect((await send('GET', '/_local/psp/charges')).json).toEqual({ items: [charge, charge] });
  expect((await setUp().send('GET', '/_local/psp/charges')).status).toBe(404);
});

test('refusals are problem+json', async () => {
  const { send } = setUp();
  const { status, headers, json } = await send('GET', '/_local/nothing');
  expect([status, headers['content-type']]).toEqual([404, 'application/problem+json']);
  expect(json).toMatchObject({
    type: 'https://floodgate.dev/problems/not-found',
    status: 404,
    instance: '/_local/nothing',
    requestId: expect.any(String),
  });
});

test('pages of this machine may ask, others may not', async () => {
  const { send } = setUp();
  const ours = await send('OPTIONS', '/_local', undefined, { origin: 'http://localhost:5173' });
  expect(ours.headers['access-control-allow-origin']).toBe('http://localhost:5173');
  const foreign = await send('GET', '/_local', undefined, { origin: 'http://localhost.evil.example' });
  expect(foreign.headers).not.toHaveProperty('access-control-allow-origin');
  expect((await send('GET', '/_local', undefined, { host: 'evil.example' })).status).toBe(403);
});
