import { describe, expect, it } from 'vitest';
import { AnswerDropped, type CrossingPoint } from '../../local/boundary.ts';
import { faultsOf } from '../../local/faults.ts';
import { createLocalApi } from '../../local/local-api.ts';
import { createS3 } from '../../local/s3.ts';
import { createScheduler } from '../../local/scheduler.ts';
import { createSecrets } from '../../local/secrets.ts';
import { createSqs } from '../../local/sqs.ts';
import type { Caller, Crossing, CrossingKind, Fault, FaultRule } from '../../local/types.ts';
import { fakeRuntime, queue, queueArn, resource } from './support/runtime.ts';

const role: Caller = { kind: 'role', roleArn: 'arn:aws:iam::111122223333:role/fn' };

function point() {
  const runtime = fakeRuntime();
  const crashed: string[] = [];
  const crossing = (kind: CrossingKind, operation = 'Do'): Crossing => ({
    kind,
    service: 'sqs',
    operation,
    resources: ['here'],
    by: 'fn',
    input: 'sound',
    poisoned: () => 'poisoned',
    crash: async () => crashed.push('fn'),
  });
  const boundary = runtime.boundary as CrossingPoint;
  return { runtime, boundary, crossing, crashed };
}

/** How often what was crossing took effect, and what came of it. */
const course: Readonly<Record<Fault, { effects: number; fails: boolean }>> = {
  throttle: { effects: 0, fails: true },
  delay: { effects: 1, fails: false },
  'fail-before': { effects: 0, fails: true },
  'fail-after': { effects: 1, fails: true },
  'drop-answer': { effects: 1, fails: true },
  duplicate: { effects: 2, fails: false },
  reorder: { effects: 1, fails: false },
  late: { effects: 1, fails: false },
  poison: { effects: 1, fails: false },
  crash: { effects: 1, fails: true },
  'clock-jump': { effects: 1, fails: false },
};
const pairs = Object.entries(faultsOf).flatMap(([kind, faults]) =>
  faults.map((fault) => [kind as CrossingKind, fault] as const),
);

describe('every fault at every kind of crossing', () => {
  it.each(pairs)('%s: %s strikes once, and what follows is sound', async (kind, fault) => {
    const { boundary, runtime, crossing } = point();
    boundary.faults.add({ at: { resource: 'here' }, fault, times: 1, delayMs: 1 });
    let effects = 0;
    const pass = () =>
      boundary.pass(crossing(kind), async () => {
        effects++;
        return 'done';
      });
    const struck = pass();
    if (fault === 'late') await runtime.clock.advance(1);
    const outcome = await struck.then(
      () => false,
      () => true,
    );
    expect({ effects, fails: outcome }).toEqual(course[fault]);
    expect(boundary.faults.view().hits).toEqual([{ service: 'sqs', operation: 'Do', fault, count: 1 }]);
    await expect(pass()).resolves.toBe('done');
  });
});

describe('a fault', () => {
  it('says what AWS says', async () => {
    const { boundary, crossing } = point();
    boundary.faults.add({ at: { operation: 'A' }, fault: 'throttle' });
    boundary.faults.add({ at: { operation: 'B' }, fault: 'drop-answer' });
    const run = async () => 1;
    await expect(boundary.pass(crossing('call', 'A'), run)).rejects.toMatchObject({
      code: 'RequestThrottled',
      status: 403,
    });
    await expect(boundary.pass(crossing('call', 'B'), run)).rejects.toBeInstanceOf(AnswerDropped);
  });

  it('replaces a poisoned input, ends a crashed function, and moves the clock', async () => {
    const { boundary, crossing, crashed, runtime } = point();
    const inputs: string[] = [];
    const run = async (input: string) => inputs.push(input);
    boundary.faults.add({ at: {}, fault: 'poison', nth: 1 });
    await boundary.pass(crossing('delivery'), run);
    boundary.faults.clear();
    boundary.faults.add({ at: {}, fault: 'crash' });
    await expect(boundary.pass(crossing('call'), run)).rejects.toBeInstanceOf(AnswerDropped);
    boundary.faults.clear();
    const before = runtime.clock.now();
    boundary.faults.add({ at: {}, fault: 'clock-jump', delayMs: 7 });
    await boundary.pass(crossing('call'), run);
    expect(inputs).toEqual(['poisoned', 'sound', 'sound']);
    expect(crashed).toEqual(['fn']);
    expect(runtime.clock.now()).toBe(before + 7);
  });

  it('lets the next one overtake what it holds back', async () => {
    const { boundary, crossing } = point();
    boundary.faults.add({ at: {}, fault: 'reorder', nth: 1, delayMs: 60_000 });
    const order: string[] = [];
    const first = boundary.pass(crossing('delivery'), async () => order.push('first'));
    const second = boundary.pass(crossing('delivery'), async () => order.push('second'));
    await Promise.all([first, second]);
    expect(order).toEqual(['second', 'first']);
  });

  it('by probability strikes the same ones for the same seed', async () => {
    const struck = async (seed: number) => {
      const { boundary, crossing } = point();
      boundary.faults.add({
        at: {},
        fault: 'any',
        except: ['late', 'clock-jump'],
        probability: 0.3,
        seed,
        delayMs: 0,
      });
      const outcomes: string[] = [];
      for (let at = 0; at < 60; at++)
        outcomes.push(
          await boundary.pass(crossing('call', `${at}`), async () => 'done').catch(({ code }) => code),
        );
      return JSON.stringify([outcomes, boundary.faults.view().hits]);
    };
    expect(await struck(5)).toBe(await struck(5));
    expect(await struck(5)).not.toBe(await struck(6));
  });

  it.each([
    [{ service: 'sqs' }, true],
    [{ service: 'sq*', operation: 'Do', resource: 'her*', function: 'fn' }, true],
    [{ service: 'ses' }, false],
    [{ resource: 'there' }, false],
    [{ function: 'other' }, false],
  ])('at %o: %o', async (at, expected) => {
    const { boundary, crossing } = point();
    boundary.faults.add({ at, fault: 'delay', delayMs: 0 });
    await boundary.pass(crossing('call'), async () => 1);
    expect(boundary.faults.view().hits.length === 1).toBe(expected);
  });
});

/** Services that a purchase does not cross, or not in all ways; the others are in test/store/faults.test.ts. */
describe('the services on their own', () => {
  const bucket = resource('AWS::S3::Bucket', 'exports', {}, 'arn:aws:s3:::exports');
  const secret = resource(
    'AWS::SecretsManager::Secret',
    'key',
    { SecretString: 'x' },
    'arn:aws:secretsmanager:::key',
  );
  const schedule = resource('AWS::Scheduler::Schedule', 'often', {
    ScheduleExpression: 'rate(1 minute)',
    FlexibleTimeWindow: { Mode: 'OFF' },
    Target: { Arn: queueArn('work'), RoleArn: 'arn:aws:iam::111122223333:role/often' },
  });
  const start = async () => {
    const runtime = fakeRuntime({ resources: [bucket, secret, schedule, queue('work')] });
    const s3 = runtime.use(createS3);
    const secrets = runtime.use(createSecrets);
    runtime.use(createSqs);
    const scheduler = runtime.use(createScheduler);
    await scheduler.start!();
    const key = { Bucket: 'exports', Key: 'k' };
    await s3.call('PutObject', { ...key, Body: 'x' }, role);
    const cross: Readonly<Record<string, () => Promise<unknown>>> = {
      's3 PutObject': () => s3.call('PutObject', { ...key, Body: 'x' }, role),
      's3 GetObject': () => s3.call('GetObject', key, role),
      's3 HeadObject': () => s3.call('HeadObject', key, role),
      's3 ListObjectsV2': () => s3.call('ListObjectsV2', { Bucket: 'exports' }, role),
      's3 DeleteObject': () => s3.call('DeleteObject', key, role),
      'secretsmanager GetSecretValue': () => secrets.call('GetSecretValue', { SecretId: secret.arn }, role),
      'scheduler Deliver': () => runtime.clock.advance(60_000),
    };
    return { runtime, cross };
  };
  const cases = [
    's3 PutObject',
    's3 GetObject',
    's3 HeadObject',
    's3 ListObjectsV2',
    's3 DeleteObject',
    'secretsmanager GetSecretValue',
    'scheduler Deliver',
  ].flatMap((place) =>
    faultsOf[place.endsWith('Deliver') ? 'delivery' : 'call'].map((fault) => [place, fault] as const),
  );

  it.each(cases)('%s meets %s', async (place, fault) => {
    const { runtime, cross } = await start();
    const [service = '', operation = ''] = place.split(' ');
    runtime.boundary.faults.add({ at: { service, operation }, fault, times: 1, delayMs: 1 });
    await cross[place]!().catch(() => {});
    expect(runtime.boundary.faults.view().rules[0]).toMatchObject({ hits: 1 });
  });
});

describe('/_local/faults', () => {
  const send = (api: ReturnType<typeof createLocalApi>, method: string, body?: unknown) =>
    api({
      method,
      path: '/_local/faults',
      queryString: '',
      headers: { host: 'localhost:3000' },
      cookies: [],
      body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
      sourceIp: '127.0.0.1',
    }).then(({ status, body: text }) => ({ status, json: JSON.parse(String(text)) }));

  it('adds, lists with hits, and clears', async () => {
    const { runtime, boundary, crossing } = point();
    const api = createLocalApi(runtime);
    const rule: FaultRule = { at: { service: 'sqs' }, fault: 'delay', times: 1, delayMs: 0 };
    expect((await send(api, 'POST', { rules: [rule, rule] })).json.rules).toHaveLength(2);
    await boundary.pass(crossing('call'), async () => 1);
    const listed = await send(api, 'GET');
    expect(listed.json.rules).toEqual([
      { id: 1, ...rule, met: 1, hits: 1 },
      { id: 2, ...rule, met: 1, hits: 0 },
    ]);
    expect((await send(api, 'DELETE')).json).toEqual(listed.json);
    expect((await send(api, 'GET')).json).toEqual({ crossings: [], rules: [], hits: [] });
  });

  it.each([
    { fault: 'delay' },
    { at: {}, fault: 'explode' },
    { at: { place: 'sqs' }, fault: 'delay' },
    { at: {}, fault: 'delay', probability: 2 },
    { at: {}, fault: 'delay', nth: 0 },
    { rules: 'all' },
  ])('refuses %o', async (body) => {
    const { runtime } = point();
    expect((await send(createLocalApi(runtime), 'POST', body)).status).toBe(422);
    expect(runtime.boundary.faults.view().rules).toEqual([]);
  });
});
