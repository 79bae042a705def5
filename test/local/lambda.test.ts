import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createLambda } from '../../local/lambda.ts';
import type { Resource, Service } from '../../local/types.ts';
import { bundle, functionArn, lambdaFunction } from './support/functions.ts';
import { type FakeRuntime, fakeRuntime, operator, queue, queueArn, resource } from './support/runtime.ts';

function start(
  source: string,
  properties: Record<string, unknown> = {},
  others: readonly Resource[] = [],
): { lambda: Service; runtime: FakeRuntime; invoke: (payload?: unknown) => Promise<any> } {
  const runtime = fakeRuntime({
    resources: [lambdaFunction('fn', properties), ...others],
    assets: { 'fn.zip': bundle(source) },
  });
  const lambda = runtime.use(createLambda());
  const invoke = (Payload?: unknown) => lambda.call('Invoke', { FunctionName: 'fn', Payload }, operator);
  return { lambda, runtime, invoke };
}

function logOf(runtime: FakeRuntime): string {
  return readFileSync(join(runtime.home, 'logs', 'fn.log'), 'utf8');
}

test('a function gets its event and answers, by name, by ARN and with a qualifier', async () => {
  const { lambda } = start('export const handler = async (event) => ({ doubled: event.n * 2 });');
  for (const FunctionName of [
    'fn',
    'fn:$LATEST',
    'arn:aws:lambda:eu-west-1:111122223333:function:fn',
    'arn:aws:lambda:eu-west-1:111122223333:function:fn:$LATEST',
  ]) {
    const answer = await lambda.call('Invoke', { FunctionName, Payload: { n: 21 } }, operator);
    expect(answer).toEqual({ StatusCode: 200, Payload: { doubled: 42 }, ExecutedVersion: '$LATEST' });
  }
});

test('the bundle is loaded once and serves many invocations at a time', async () => {
  const { invoke } = start(`
    let loaded = 0, waiting = [];
    loaded++;
    export const handler = (event) => new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 20) for (const go of waiting) go(loaded);
    });`);
  const answers = await Promise.all(Array.from({ length: 20 }, () => invoke()));
  expect(answers.map(({ Payload }) => Payload)).toEqual(Array(20).fill(1));
});

test('nothing starts an environment once the cloud is stopping', async () => {
  const { lambda, invoke } = start('export const handler = async () => 1;');
  await lambda.stop!();
  await expect(invoke()).rejects.toThrow('is stopping');
});

test("the environment holds the template's variables and Lambda's own, and nothing of the host's", async () => {
  process.env.FLOODGATE_TEST_LEAK = 'leaked';
  onTestFinished(() => {
    delete process.env.FLOODGATE_TEST_LEAK;
  });
  const jwks = '/eu-west-1_abc/.well-known/jwks.json';
  const { invoke } = start('export const handler = async () => process.env;', {
    MemorySize: 256,
    Environment: {
      Variables: { TABLE: 'orders', JWKS_URI: `https://cognito-idp.eu-west-1.amazonaws.com${jwks}` },
    },
  });
  const { Payload } = await invoke();
  expect(Payload).toMatchObject({
    TABLE: 'orders',
    JWKS_URI: `http://127.0.0.1:4566${jwks}`,
    AWS_REGION: 'eu-west-1',
    AWS_LAMBDA_FUNCTION_NAME: 'fn',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
    AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/fn',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
  });
  expect(
    Object.keys(Payload).filter((name) => !/^(AWS_|LAMBDA_|TABLE$|JWKS_URI$|_HANDLER$|LANG$|TZ$)/.test(name)),
  ).toEqual([]);
});

test('the context carries the request id, the deadline and the trace of its own invocation', async () => {
  const { lambda } = start(`
    export const handler = async (event, context) => {
      await new Promise(setImmediate);
      const { InvokeStore } = globalThis.awslambda;
      return {
        left: context.getRemainingTimeInMillis(), name: context.functionName, arn: context.invokedFunctionArn,
        sameId: InvokeStore.getRequestId() === context.awsRequestId, trace: InvokeStore.getXRayTraceId(),
      };
    };`);
  const answers = await Promise.all(
    ['Root=1-a;Sampled=1', 'Root=1-b;Sampled=0'].map((TraceHeader) =>
      lambda.call('Invoke', { FunctionName: 'fn', TraceHeader }, operator),
    ),
  );
  expect(answers.map(({ Payload }) => Payload.trace)).toEqual(['Root=1-a;Sampled=1', 'Root=1-b;Sampled=0']);
  expect(answers[0].Payload).toMatchObject({
    name: 'fn',
    arn: 'arn:aws:lambda:eu-west-1:111122223333:function:fn',
    sameId: true,
  });
  expect(answers[0].Payload.left).toBeGreaterThan(0);
  expect(answers[0].Payload.left).toBeLessThanOrEqual(3000);
});

test('a bundle may use the invocation store while it is loaded', async () => {
  const { invoke } = start(`
    awslambda.InvokeStore.set('at-load', 1);
    export const handler = async () => awslambda.InvokeStore.get('at-load') ?? 'a context of its own';`);
  expect((await invoke()).Payload).toBe('a context of its own');
});

test("the SDK's host prefix of StartSyncExecution leads to the endpoint", async () => {
  const server = createServer((_request, response) => void response.end('reached'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { invoke } = start(`
    import { get } from 'node:http';
    export const handler = (port) => new Promise((resolve, reject) => {
      get({ host: 'sync-127.0.0.1', port, agent: false }, (response) => response.on('data', (text) => resolve(String(text)))).on('error', reject);
    });`);
  const { port } = server.address() as AddressInfo;
  expect((await invoke(port)).Payload).toBe('reached');
});

test('Date follows the embedded clock in running functions too', async () => {
  const { invoke, runtime } = start(`
    export const handler = async () => ({ now: Date.now(), made: new Date().getTime(), kind: new Date(0) instanceof Date });`);
  const before = (await invoke()).Payload;
  await runtime.clock.advance(86_400_000);
  const after = (await invoke()).Payload;
  expect(after.now - before.now).toBeGreaterThanOrEqual(86_400_000);
  expect(after.now - before.now).toBeLessThan(86_400_000 + 60_000);
  expect(after.made - before.now).toBeGreaterThanOrEqual(86_400_000);
  expect(after.kind).toBe(true);
});

test('timers and time of a function take as long as the clock is slow', async () => {
  const { invoke, runtime } = start(
    `export const handler = async (_, context) => {
      const [begun, given] = [Date.now(), context.getRemainingTimeInMillis()];
      await new Promise((done) => setTimeout(done, 100));
      await new Promise((done) => {
        const timer = setInterval(() => done(clearInterval(timer)), 100);
      });
      return { slept: Date.now() - begun, given, rest: context.getRemainingTimeInMillis() };
    };`,
    { Timeout: 1 },
  );
  await runtime.clock.run(0.1);
  const begun = performance.now();
  const { slept, given, rest } = (await invoke()).Payload;
  // More of real time than its timeout has.
  expect(performance.now() - begun).toBeGreaterThanOrEqual(1_990);
  expect(slept).toBeGreaterThanOrEqual(199);
  expect(slept).toBeLessThan(1_000);
  expect(given - rest).toBeGreaterThanOrEqual(199);
  expect(given).toBeLessThanOrEqual(1_000);
});

test('an error of the handler is an Unhandled outcome with type, message and trace', async () => {
  const { invoke, runtime } = start(
    `export const handler = async () => { console.log('about to fail'); throw new RangeError('too far'); };`,
  );
  const answer = await invoke();
  expect(answer).toMatchObject({
    StatusCode: 200,
    FunctionError: 'Unhandled',
    Payload: { errorType: 'RangeError', errorMessage: 'too far' },
  });
  expect(answer.Payload.trace[0]).toBe('RangeError: too far');
  await vi.waitFor(() => expect(logOf(runtime)).toMatch(/^about to fail\n[\s\S]*RangeError: too far/));
});

test('a function that cannot be loaded, or lacks its handler, fails its invocation', async () => {
  const broken = start('throw new TypeError("no table name");');
  expect((await broken.invoke()).Payload).toMatchObject({
    errorType: 'TypeError',
    errorMessage: 'no table name',
  });
  const missing = start('export const other = 1;');
  expect((await missing.invoke()).Payload.errorType).toBe('Runtime.HandlerNotFound');
});

test('past its timeout the caller is told at once, and the next invocation gets a fresh environment', async () => {
  const { invoke, runtime } = start(
    `let n = 0;
     export const handler = async (event) => { n++; if (event.hang) await new Promise(() => {}); return n; };`,
    { Timeout: 1 },
  );
  expect((await invoke({})).Payload).toBe(1);
  const late = await invoke({ hang: true });
  expect(late).toMatchObject({ FunctionError: 'Unhandled', Payload: { errorType: 'Sandbox.Timedout' } });
  expect(late.Payload.errorMessage).toMatch(/Task timed out after 1\.00 seconds$/);
  expect((await invoke({})).Payload).toBe(1);
  expect(logOf(runtime)).toContain('Task timed out after 1.00 seconds');
});

test('a retired environment finishes what it has under way', async () => {
  const { invoke } = start(
    `let n = 0;
     export const handler = ({ milliseconds }) => new Promise((resolve) => {
       n++;
       if (milliseconds) setTimeout(() => resolve(n), milliseconds);
     });`,
    { Timeout: 2 },
  );
  const hanging = invoke({});
  await invoke({ milliseconds: 1_200 });
  const overlapping = invoke({ milliseconds: 1_300 });
  expect((await hanging).FunctionError).toBe('Unhandled');
  expect(await overlapping).toMatchObject({ Payload: 3 });
});

test('an exit fails what is under way, and the next invocation starts afresh', async () => {
  const { invoke } = start(
    `export const handler = async (event) => { if (event.exit) process.exit(3); if (event.crash) setImmediate(() => { throw new Error('crash'); }); if (event.wait || event.crash) await new Promise(() => {}); return 'fine'; };`,
  );
  const waiting = invoke({ wait: true });
  const exits = await invoke({ exit: true });
  expect(exits.Payload).toMatchObject({
    errorType: 'Runtime.ExitError',
    errorMessage: expect.stringMatching(/exit status 3$/),
  });
  expect((await waiting).Payload.errorType).toBe('Runtime.ExitError');
  expect((await invoke({})).Payload).toBe('fine');
  expect((await invoke({ crash: true })).Payload.errorType).toBe('Runtime.ExitError');
  expect((await invoke({})).Payload).toBe('fine');
});

test('reserved concurrency refuses what is above it, and only meanwhile', async () => {
  const { invoke } = start(
    `let open; const gate = new Promise((resolve) => { open = resolve; });
     export const handler = async (event) => { if (event.open) open(); else await gate; };`,
    { ReservedConcurrentExecutions: 2 },
  );
  const running = invoke({});
  const opening = invoke({ open: true });
  await expect(invoke({})).rejects.toMatchObject({ code: 'TooManyRequestsException', status: 429 });
  await Promise.all([running, opening]);
  await expect(invoke({})).resolves.toMatchObject({ StatusCode: 200 });
});

test('only a caller with the permission may invoke', async () => {
  const { lambda, runtime } = start('export const handler = async () => 1;');
  runtime.denied.add('lambda:InvokeFunction arn:aws:lambda:eu-west-1:111122223333:function:fn');
  const caller = { kind: 'role', roleArn: 'arn:aws:iam::111122223333:role/other' } as const;
  await expect(lambda.call('Invoke', { FunctionName: 'fn' }, caller)).rejects.toMatchObject({
    code: 'AccessDeniedException',
  });
});

test('imposed limits: environments are gained at their rate, executions are counted', async () => {
  const resources = [lambdaFunction('fn')];
  const factors = { 'lambda.environmentsPer10Seconds': 0.002, 'lambda.environmentsPerSecond': 0.001 };
  const source = 'export const handler = async () => new Promise((done) => setTimeout(done, 50));';
  const runtime = fakeRuntime({ resources, assets: { 'fn.zip': bundle(source) }, limits: { factors } });
  const lambda = runtime.use(createLambda());
  const invoke = () =>
    lambda.call('Invoke', { FunctionName: 'fn' }, operator).then(
      () => 'ran',
      ({ code }) => code,
    );
  const throttled = 'TooManyRequestsException';
  expect(await Promise.all([invoke(), invoke(), invoke()])).toEqual(['ran', 'ran', throttled]);
  // Those that are there serve again.
  expect(await Promise.all([invoke(), invoke(), invoke()])).toEqual(['ran', 'ran', throttled]);
});

const versioned = (properties: object = {}) => {
  const published = (type: string, qualifier: string, more: object, attributes = {}) => {
    const arn = functionArn(`fn:${qualifier}`);
    return {
      ...resource(type, qualifier, { FunctionName: 'fn', ...more }, arn, arn),
      attributes,
    };
  };
  return [
    lambdaFunction('fn', { ...properties }),
    published('AWS::Lambda::Version', '1', {}, { Version: '1' }),
    published('AWS::Lambda::Alias', 'live', { Name: 'live', FunctionVersion: '1' }),
  ];
};

test('an alias runs its version, for whoever may call the alias', async () => {
  const source = 'export const handler = async () => 1;';
  const runtime = fakeRuntime({ resources: versioned(), assets: { 'fn.zip': bundle(source) } });
  const lambda = runtime.use(createLambda());
  const calls = [
    { FunctionName: 'fn:live' },
    { FunctionName: functionArn('fn:live') },
    { FunctionName: 'fn', Qualifier: 'live' },
    { FunctionName: 'fn:1' },
  ];
  for (const input of calls)
    expect(await lambda.call('Invoke', input, operator)).toMatchObject({ Payload: 1, ExecutedVersion: '1' });
  await expect(lambda.call('Invoke', { FunctionName: 'fn:other' }, operator)).rejects.toMatchObject({
    code: 'ResourceNotFoundException',
  });
  runtime.denied.add(`lambda:InvokeFunction ${functionArn('fn')}`);
  const caller = { kind: 'role', roleArn: 'arn:aws:iam::111122223333:role/caller' } as const;
  expect(await lambda.call('Invoke', { FunctionName: 'fn:live' }, caller)).toMatchObject({ Payload: 1 });
  runtime.denied.add(`lambda:InvokeFunction ${functionArn('fn:live')}`);
  await expect(lambda.call('Invoke', { FunctionName: 'fn:live' }, caller)).rejects.toMatchObject({
    code: 'AccessDeniedException',
  });
});

test('provisioned environments are there already: they are loaded, and no limit holds them up', async () => {
  const source = `
    console.log('loaded');
    export const handler = async () => new Promise((done) => setTimeout(done, 50));`;
  const factors = { 'lambda.environmentsPer10Seconds': 0.001, 'lambda.environmentsPerSecond': 0.001 };
  const resources = versioned({ ReservedConcurrentExecutions: 4 });
  const runtime = fakeRuntime({ resources, assets: { 'fn.zip': bundle(source) }, limits: { factors } });
  const lambda = runtime.use(createLambda());
  const live = { FunctionName: 'fn', Qualifier: 'live' };
  const provision = (ProvisionedConcurrentExecutions: number) =>
    lambda.call('PutProvisionedConcurrencyConfig', { ...live, ProvisionedConcurrentExecutions }, operator);
  const invoke = () =>
    lambda.call('Invoke', live, operator).then(
      () => 'ran',
      ({ code }) => code,
    );
  await provision(3);
  await expect.poll(() => logOf(runtime)).toContain('loaded');
  expect(await lambda.call('GetProvisionedConcurrencyConfig', live, operator)).toMatchObject({
    RequestedProvisionedConcurrentExecutions: 3,
    Status: 'READY',
  });
  const throttled = 'TooManyRequestsException';
  // The fourth is the one that the limit lets start.
  expect(await Promise.all([1, 2, 3, 4, 5].map(invoke))).toEqual(['ran', 'ran', 'ran', 'ran', throttled]);
  await lambda.call('DeleteProvisionedConcurrencyConfig', live, operator);
  expect(await Promise.all([1, 2].map(invoke))).toEqual(['ran', throttled]);
  await expect(lambda.call('GetProvisionedConcurrencyConfig', live, operator)).rejects.toMatchObject({
    code: 'ProvisionedConcurrencyConfigNotFoundException',
  });
  await expect(provision(5)).rejects.toMatchObject({ code: 'InvalidParameterValueException' });
  await expect(
    lambda.call('PutProvisionedConcurrencyConfig', { ...live, Qualifier: '$LATEST' }, operator),
  ).rejects.toMatchObject({ code: 'InvalidParameterValueException' });
});

test('the REST path renders payload, status and function error', async () => {
  const { lambda } = start(
    'export const handler = async (event) => { if (event.bad) throw new Error("no"); return [1]; };',
  );
  const send = (payload: object) =>
    lambda.handle!(
      {
        method: 'POST',
        path: '/2015-03-31/functions/fn/invocations',
        query: new URLSearchParams(),
        headers: {},
        body: Buffer.from(JSON.stringify(payload)),
      },
      operator,
      lambda.call,
    );
  expect(await send({})).toMatchObject({ status: 200, body: '[1]' });
  expect((await send({ bad: true })).headers).toMatchObject({ 'x-amz-function-error': 'Unhandled' });
});

test('an asynchronous invocation is retried as configured and then handed to its failure destination', async () => {
  const { lambda, runtime } = start('export const handler = async () => { throw new Error("never"); };', {}, [
    queue('failures'),
    resource('AWS::Lambda::EventInvokeConfig', 'config', {
      FunctionName: 'fn',
      MaximumRetryAttempts: 1,
      DestinationConfig: { OnFailure: { Destination: queueArn('failures') } },
    }),
  ]);
  const sent: any[] = [];
  runtime.answer('sqs', (_operation, input) => sent.push(input));
  await lambda.start!();
  const accepted = await lambda.call(
    'Invoke',
    { FunctionName: 'fn', InvocationType: 'Event', Payload: { n: 1 } },
    operator,
  );
  expect(accepted).toEqual({ StatusCode: 202 });
  const attempts = () => runtime.db.prepare('SELECT attempts FROM lambda_async').get()?.attempts;
  await runtime.clock.advance(0);
  await vi.waitFor(() => expect(attempts()).toBe(1));
  await runtime.clock.advance(60_000);
  await vi.waitFor(() => expect(sent).toHaveLength(1));
  expect(JSON.parse(sent[0].MessageBody)).toMatchObject({
    requestContext: { condition: 'RetriesExhausted', approximateInvokeCount: 2 },
    requestPayload: { n: 1 },
    responsePayload: { errorMessage: 'never' },
  });
  expect(attempts()).toBeUndefined();
});

test('asynchronous invocations survive a restart', async () => {
  const { lambda, runtime } = start('export const handler = async () => 1;');
  // Accepted, but the process dies before it starts its background work.
  await lambda.call('Invoke', { FunctionName: 'fn', InvocationType: 'Event' }, operator);
  const again = runtime.restart().use(createLambda());
  await again.start!();
  await runtime.clock.advance(0);
  await vi.waitFor(() => expect(runtime.db.prepare('SELECT * FROM lambda_async').all()).toEqual([]));
});
