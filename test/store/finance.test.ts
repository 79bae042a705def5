import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  charges,
  exportToday,
  type Goods,
  openStore,
  order,
  runSchedule,
  type Store,
  sell,
  settled,
  timeOf,
  totalOf,
} from '../../bench/store.ts';
import { outboxOf, purchase } from './support/outbox.ts';

let store: Store;
let outbox: ReturnType<typeof outboxOf>;
let goods: Goods;
beforeAll(async () => {
  store = await openStore();
  outbox = outboxOf(store);
  goods = await sell(store, { stock: 1_000 });
});
afterAll(() => store?.stop());

describe('the journal', () => {
  it('can be added to, by nobody changed or deleted: asked of every role', () => {
    const { runtime } = store.cloud;
    const arn = runtime.find(outbox.tableName('finance'))!.arn;
    const roles = runtime.resources('AWS::IAM::Role').map((role) => role.arn);
    const may = (roleArn: string, action: string) => {
      try {
        runtime.iam.authorize({ kind: 'role', roleArn }, `dynamodb:${action}`, arn);
        return true;
      } catch {
        return false;
      }
    };
    const count = (action: string) => roles.filter((role) => may(role, action)).length;
    const changing = [
      'UpdateItem',
      'DeleteItem',
      'BatchWriteItem',
      'PartiQLUpdate',
      'PartiQLDelete',
      'DeleteTable',
    ];
    expect(Object.fromEntries(changing.map((action) => [action, count(action)]))).toEqual(
      Object.fromEntries(changing.map((action) => [action, 0])),
    );
    // Those who post: events, and settlements.
    expect(count('PutItem')).toBe(2);
    expect(count('Query')).toBeGreaterThan(0);
  });
});

describe('a day at the store', () => {
  it('is exported when the audit has passed it, and reconciled with the provider', async () => {
    const boughtOn = new Date(await timeOf(store)).toISOString().slice(0, 10);
    const refunded = await purchase(store, goods);
    const disputed = await purchase(store, goods);
    await purchase(store, goods);
    const { token } = await store.account();
    const lines = [{ sku: goods.sku, quantity: 1 }];
    const voided = await order(store, {
      token,
      lines,
      total: await totalOf(store, lines),
      payWith: 'tok_capture_fails',
    });
    await settled(store, token, voided.body.id, { payment: 'declined' });
    const refund = await store.request('POST', `/v1/admin/orders/${refunded.orderId}/refunds`, {
      token: await store.operator(),
      headers: { 'idempotency-key': 'refund-1' },
      json: { amount: { amount: 500, currency: 'USD' }, reason: 'scratched' },
    });
    expect(refund.status).toBe(201);
    await settled(store, refunded.token, refunded.orderId, { payment: 'partially_refunded' });
    const book = await charges(store);
    const { captureId } = book.find(({ orderId }) => orderId === disputed.orderId);
    await dispute(captureId, 700);

    // Not over yet.
    const early = await runSchedule(
      store,
      'finance-export',
      new Date((await timeOf(store)) + 86_400_000).toISOString(),
    );
    expect(early).toMatchObject({ state: 'waiting' });

    const first = await exportToday(store);
    expect(first.manifest).toMatchObject({ date: first.date, balanced: true, previous: null });
    const rows = first.files.get('journal.csv')!.trim().split('\r\n').slice(1);
    const kinds = Object.entries(Object.groupBy(rows, (row) => row.split(',')[6]!)).map(
      ([kind, { length } = []]) => [kind, length],
    );
    expect(Object.fromEntries(kinds)).toMatchObject({ capture: 3, sale: 3, shipping: 3, refund: 3, void: 2 });

    // The provider's days are of UTC: on to the morning after.
    const morning = Date.parse(boughtOn) + 30 * 3_600_000;
    const left = morning - (await timeOf(store));
    if (left > 0) await outbox.advance(left / 1_000);
    const { date } = await runSchedule(store, 'finance-reconcile');
    expect(date).toBe(boughtOn);
    const posted = (await outbox.scan('finance')).filter(({ eventId }) =>
      eventId?.S.startsWith(`stl_${date}`),
    );
    expect(posted.map(({ eventId }) => eventId!.S.replace(/dsp_\w+/, 'dispute')).sort()).toEqual([
      `stl_${date}-dispute`,
      `stl_${date}-fee-USD`,
      `stl_${date}-payout-USD`,
    ]);
    expect(await runSchedule(store, 'finance-reconcile')).toMatchObject({ date, state: 'reconciled' });

    expect(await verify(first.date)).toMatchObject({ code: 0 });
    // The sale, and not the dispute, which is an entry of the order too.
    const sale = (await outbox.entries(disputed.orderId)).find(
      ({ eventId }) => !eventId.S.startsWith('stl_'),
    );
    await outbox.remove('finance', sale!);
    const broken = await verify(first.date);
    expect(broken).toMatchObject({ code: 1 });
    expect(broken.output).toContain('3 lines differ');
    expect(await verify('2020-01-01')).toMatchObject({ code: 1 });
  });
});

/** `npm run finance:verify` against this store. */
async function verify(date: string): Promise<{ code: number | null; output: string }> {
  const { port } = new URL(store.apiUrl);
  const env = { ...process.env, PORT: port };
  const child = spawn(process.execPath, ['scripts/finance-verify.ts', '--date', date], { env });
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  child.stderr.on('data', (text) => {
    output += text;
  });
  const [code] = await once(child, 'close');
  return { code, output };
}

async function dispute(captureId: string, amount: number): Promise<void> {
  const { runtime } = store.cloud;
  const { SecretString } = await outbox.call('secretsmanager', 'GetSecretValue', {
    SecretId: runtime
      .resources('AWS::Lambda::Function')
      .map(({ properties }) => properties.Environment?.Variables?.SANDBOX_SECRET_ARN)
      .find((arn) => arn !== undefined),
  });
  const response = await fetch(
    `${runtime.output('SandboxUrl')!.replace(/\/$/, '')}/captures/${captureId}/disputes`,
    {
      method: 'POST',
      headers: { authorization: `Bearer ${SecretString}`, 'idempotency-key': captureId },
      body: JSON.stringify({ amount }),
    },
  );
  expect(response.status).toBe(201);
}
