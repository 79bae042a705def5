import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { order, runSchedule, type Store, sell, settled, totalOf } from '../../../bench/store.ts';
import { readLeverLog } from '../../../scripts/operate/audit.ts';
import { type Deployment, embeddedDeployment } from '../../../scripts/operate/deployment.ts';
import { redrive } from '../../../scripts/operate/redrive.ts';
import { replay } from '../../../scripts/operate/replay.ts';
import { runLever } from '../../../scripts/operate/run.ts';
import { shedLoad } from '../../../scripts/operate/shed-load.ts';
import { stuckOrders } from '../../../scripts/operate/stuck-orders.ts';
import { warm } from '../../../scripts/operate/warm.ts';
import { readWarmth, readyDuring } from '../../../scripts/operate/warmth.ts';
import { sharedStore } from './shared-store.ts';

const levers = { 'shed-load': shedLoad, redrive, replay, 'stuck-orders': stuckOrders, warm };

let store: Store;
let deployment: Deployment;
let goods: { productId: string; sku: string };

beforeAll(async () => {
  store = await sharedStore();
  deployment = await embeddedDeployment(store.apiUrl);
  goods = await sell(store, { stock: 1_000 });
});
afterAll(async () => {
  deployment?.close();
});

/** Pulls a lever and answers what it printed. */
async function operate(name: keyof typeof levers, line: string, go = false): Promise<string> {
  const printed: string[] = [];
  const args = line.split(' ').filter(Boolean);
  const asked = { args, go, reason: 'a test' };
  await runLever(deployment, [name, levers[name]], asked, (said) => printed.push(said));
  return printed.join('\n');
}

/** Environments look at the pressure every five seconds of their clock. */
async function orderLevel(line: string): Promise<void> {
  await operate('shed-load', line, true);
  await store.request('POST', '/_local/clock', { json: { advanceSeconds: 6 } });
}

const product = () => store.request('GET', `/v1/products/${goods.productId}`);
const cart = () =>
  store.request('POST', '/v1/carts?country=KR', { json: { lines: [{ sku: goods.sku, quantity: 1 }] } });

async function buy(token: string, payWith: string | null = 'tok_approve') {
  const lines = [{ sku: goods.sku, quantity: 1 }];
  return order(store, { token, lines, total: await totalOf(store, lines), payWith });
}

describe('shedding by priority', () => {
  afterAll(() => orderLevel('--clear'));

  it('refuses browsing while carts, orders and payments pass', async () => {
    const { token } = await store.account();
    const placed = await buy(token, null);
    expect((await product()).status).toBe(200);

    await orderLevel('browse --minutes 10');
    const refused = await product();
    expect(refused).toMatchObject({ status: 503, body: { title: 'Too busy at the moment' } });
    expect(refused.body.type).toMatch(/temporary-reduced-capacity$/);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(2);
    expect(refused.headers.get('cache-control')).toBe('no-store');
    expect((await buy(token)).status).toBe(201);
    expect((await pay(placed.body.id, token)).status).toBe(202);
  });

  it('refuses everything but paying and operating at the highest level', async () => {
    const { token } = await store.account();
    const { body: placed } = await buy(token, null);
    await orderLevel('order --minutes 10');
    expect((await cart()).status).toBe(503);
    const { status } = await order(store, {
      token,
      lines: [{ sku: goods.sku, quantity: 1 }],
      total: { amount: 1, currency: 'USD' },
    });
    expect(status).toBe(503);
    expect((await pay(placed.id, token)).status).toBe(202);
    expect((await store.request('GET', '/v1/health')).status).toBe(200);
    const asOperator = { token: await store.operator() };
    expect((await store.request('GET', `/v1/admin/stock/${goods.sku}`, asOperator)).status).toBe(200);
  });

  it('ends by itself', async () => {
    await orderLevel('order --minutes 1');
    expect((await product()).status).toBe(503);
    await store.request('POST', '/_local/clock', { json: { advanceSeconds: 61 } });
    expect((await product()).status).toBe(200);
  });
});

function pay(orderId: string, token: string) {
  return store.request('POST', `/v1/orders/${orderId}/payments`, {
    token,
    headers: { 'idempotency-key': `pay-${orderId}` },
    json: { method: 'card', token: 'tok_approve' },
  });
}

describe('a quota', () => {
  afterAll(() => orderLevel('--clear'));

  it('tells callers where they are, and refuses a heavy one until its window ends', async () => {
    const { token } = await store.account();
    // The stage gives a thousand times what the contract says: one machine stands for everybody here.
    await orderLevel('--quotas 0.001 --minutes 10');
    const asked = () => store.request('POST', '/v1/orders', { token, json: {} });
    const answers = [];
    while (answers.length < 25) answers.push(await asked());
    expect(answers[0]!.headers.get('ratelimit-policy')).toBe('"orders";q=20;w=60');
    expect(answers[0]!.headers.get('ratelimit')).toMatch(/^"orders";r=19;t=\d+$/);
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(1);
    const refused = answers.at(-1)!;
    expect(refused.body.type).toMatch(/quota-exceeded$/);
    expect(refused.headers.get('ratelimit')).toMatch(/^"orders";r=0;t=\d+$/);
    const wait = Number(refused.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(65);

    const { token: another } = await store.account();
    expect((await store.request('POST', '/v1/orders', { token: another, json: {} })).status).toBe(422);
    await store.request('POST', '/_local/clock', { json: { advanceSeconds: 60 } });
    expect((await asked()).status).toBe(422);
  });
});

describe('the levers', () => {
  it('change nothing without --go, and leave a record either way', async () => {
    expect(await operate('shed-load', 'browse')).toContain('Nothing was changed; --go does it.');
    expect((await product()).status).toBe(200);
    await operate('shed-load', 'none --minutes 1', true);
    const [done, begun, looked] = await readLeverLog(deployment, { limit: 3 });
    expect(looked).toMatchObject({ phase: 'looked', lever: 'shed-load', args: ['browse'], reason: 'a test' });
    expect(begun).toMatchObject({ phase: 'begun', args: ['none', '--minutes', '1'] });
    expect(done).toMatchObject({ phase: 'done', run: begun!.run, who: deployment.who });
    expect(done!.says.join()).toContain('Ordered: level 0');
    await operate('shed-load', '--clear', true);
  });

  it('send dead messages back to their consumer', async () => {
    const operator = { kind: 'operator' } as const;
    const dead = store.cloud.runtime
      .resources('AWS::SQS::Queue')
      .find(({ logicalId }) => logicalId.startsWith('JournalEventsDeadLetters'))!;
    const depth = async () => {
      const input = { QueueUrl: dead.ref, AttributeNames: ['All'] };
      const { Attributes } = await store.cloud.runtime.call('sqs', 'GetQueueAttributes', input, operator);
      return Number(Attributes.ApproximateNumberOfMessages);
    };
    const before = await depth();
    const { token } = await store.account();
    const { body: placed } = await buy(token);
    await settled(store, token, placed.id, { payment: 'captured' });
    const recorded = await store.request('GET', '/_local/events?since=0');
    const captured = recorded.body.items.find(
      (one: any) =>
        one.event?.['detail-type'] === 'payment.captured' || one['detail-type'] === 'payment.captured',
    );
    const MessageBody = JSON.stringify(captured.event ?? captured);
    await store.cloud.runtime.call('sqs', 'SendMessage', { QueueUrl: dead.ref, MessageBody }, operator);

    const waiting = new RegExp(`JournalEventsDeadLetters\\S*: ${before + 1} messages`);
    expect(await operate('redrive', '')).toMatch(waiting);
    await operate('redrive', 'JournalEventsDeadLetters');
    expect(await depth()).toBe(before + 1);
    expect(await operate('redrive', 'JournalEventsDeadLetters', true)).toContain('on their way');
    await expect.poll(depth).toBe(0);
  });

  it('replay an archive window to one consumer', async () => {
    const now = (await deployment.now()) / 1_000;
    const from = new Date((now - 6 * 3_600) * 1_000).toISOString();
    const printed = await operate('replay', `--from ${from} --rule FollowOrder`, true);
    const [, name] = /Replay (operate-\d+) of .*: completed/.exec(printed) ?? [];
    expect(name, printed).toBeDefined();
    const { body } = await store.request('GET', '/_local/events?since=0');
    const replayed = body.items.filter((one: any) => (one.event ?? one)['replay-name'] === name);
    expect(replayed.length).toBeGreaterThan(0);
  });

  it('have environments ready for a drop while it is open, and not after', async () => {
    const { sku } = await sell(store, { stock: 5 });
    const opens = (await deployment.now()) + 3_600_000;
    const { body: drop } = await deployment.api('POST', '/v1/admin/drops', {
      headers: { 'idempotency-key': 'warm' },
      json: {
        name: 'Moon jar',
        skus: [sku],
        opensAt: new Date(opens).toISOString(),
        closesAt: new Date(opens + 1_800_000).toISOString(),
        perCustomerLimit: 1,
        admission: { rate: 10 },
        fallbackPerSecond: 1,
      },
    });
    const placeOrder = async () =>
      (await readWarmth(deployment)).find(({ id }) => id === 'order-place-order')!;
    const atOpening = async () => readyDuring(await placeOrder(), opens, opens + 60_000);

    const looked = await operate('warm', `--drop ${drop.id} --environments 30`);
    expect(looked).toContain('order-place-order: 0 ready now, 30 of 250 reserved');
    expect(looked).toContain('Nothing was changed');
    expect(await atOpening()).toBe(0);

    await operate('warm', `--drop ${drop.id} --environments 30`, true);
    // Asked again it is the same schedule, with the other number.
    await operate('warm', `--drop ${drop.id} --environments 40`, true);
    expect(await placeOrder()).toMatchObject({
      ready: 0,
      steps: [{ environments: 40 }, { environments: 0 }],
    });
    expect(await atOpening()).toBe(40);

    const { FunctionName, Qualifier } = { FunctionName: (await placeOrder()).resource, Qualifier: 'live' };
    const provisioned = () =>
      store.cloud.runtime
        .call(
          'lambda',
          'GetProvisionedConcurrencyConfig',
          { FunctionName: FunctionName.split(':')[1], Qualifier },
          { kind: 'operator' },
        )
        .then(
          ({ RequestedProvisionedConcurrentExecutions: environments }) => environments,
          () => 0,
        );
    expect(await provisioned()).toBe(0);
    await store.request('POST', '/_local/clock', { json: { advanceSeconds: 3_000 } });
    await expect.poll(provisioned).toBe(40);

    // Begun, it is taken back at once.
    await operate('warm', `--drop ${drop.id} --off`, true);
    expect(await provisioned()).toBe(0);
    expect(await placeOrder()).toMatchObject({ ready: 0, steps: [] });
    // And put again, it counts from now on.
    await operate('warm', `--drop ${drop.id} --minutes 5`, true);
    expect(await provisioned()).toBe(250);
    await store.request('POST', '/_local/clock', { json: { advanceSeconds: 900 } });
    await expect.poll(provisioned).toBe(0);
    expect(await operate('warm', `--drop ${drop.id} --minutes 5`)).toContain('that is over: nothing to do');
  });

  it('find an order whose payment stands still, and have the provider asked', async () => {
    const { iam } = store.cloud.runtime;
    const worker = store.cloud.runtime
      .resources('AWS::Lambda::Function')
      .find(({ logicalId }) => logicalId.startsWith('RunCheckout'))!;
    // Nobody can start a saga, so nothing but the lever moves the order.
    const giveBack = iam.revoke(worker.properties.Role);
    const { token } = await store.account();
    const { body: placed } = await buy(token);
    try {
      for (const advanceSeconds of [600, 600, 180]) {
        await store.request('POST', '/_local/clock', { json: { advanceSeconds } });
        await runSchedule(store, 'sweep-due');
      }
      expect(await operate('stuck-orders', '--minutes 15')).toContain(`${placed.id}: since`);
      const hints = async () => {
        const { body } = await store.request('GET', `/v1/orders/${placed.id}/events`, { token });
        return body.items.filter(({ type }: { type: string }) => type === 'payment.hinted').length;
      };
      const before = await hints();
      expect(await operate('stuck-orders', `--minutes 15 --order ${placed.id}`, true)).toContain(
        'is asked now',
      );
      expect(await hints()).toBe(before + 1);
    } finally {
      giveBack();
    }
    // What failed meanwhile comes back later and later.
    await store.request('POST', '/_local/clock', { json: { advanceSeconds: 1_000 } });
    await expect
      .poll(
        async () => (await store.request('GET', `/v1/orders/${placed.id}`, { token })).body.payment.status,
        { timeout: 20_000 },
      )
      .not.toBe('pending');
  });
});
