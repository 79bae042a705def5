import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SQSEvent } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { comingBack } from '../../../functions/order/adapters/coming-back.ts';
import { receiveWebhook } from '../../../functions/order/app/receive-webhook.ts';
import { recordOutcome } from '../../../functions/order/app/record-outcome.ts';
import { runCheckout } from '../../../functions/order/app/run-checkout.ts';
import { type DueOrders, sweepDue, type Waiting } from '../../../functions/order/app/sweep-due.ts';
import { fold, type OrderEvent } from '../../../functions/order/domain/order.ts';
import { dueBuckets } from '../../../functions/order/keys.ts';
import type { ProviderCommand } from '../../../functions/payment/contract.ts';
import { noon, placedEvent } from './given.ts';

const orderId = 'ord_TEST1';
let events: OrderEvent[];
let now: number;
beforeEach(() => {
  events = [placedEvent()];
  now = noon;
});
const ports = {
  store: {
    load: async (id: string) => (id === orderId ? [...events] : []),
    append: async (appended: readonly OrderEvent[]) => {
      events.push(...appended);
      return 'appended' as const;
    },
  },
  now: () => now,
  sleep: async () => {},
  random: () => 0.5,
};
const types = () => events.map(({ type }) => type);

describe('a run of the saga', () => {
  it('that fails leaves the payment unknown, once, and comes back', async () => {
    const run = runCheckout({
      ...ports,
      run: async () => ({ ended: 'failed', error: 'provider-unavailable' }),
    });
    for (const resumed of [false, true]) {
      await expect(run({ orderId, resumed })).rejects.toThrow('provider-unavailable');
    }
    expect(types()).toEqual(['order.placed', 'payment.unknown']);
  });

  it('that succeeds says nothing more, and asks first when it is resumed', async () => {
    const asked: ProviderCommand[] = [];
    const run = runCheckout({
      ...ports,
      run: async (command) => {
        asked.push(command);
        return { ended: 'succeeded', error: '' };
      },
    });
    await run({ orderId, resumed: false });
    await run({ orderId, resumed: true });
    await run({ orderId: 'ord_NOBODY', resumed: true });
    expect(asked.map(({ ask }) => ask)).toEqual([false, true]);
    expect(types()).toEqual(['order.placed']);
  });

  it('ends where the shopper must act', async () => {
    const command: ProviderCommand = {
      step: 'authorise',
      orderId,
      reference: `${orderId}-1`,
      amount: { amount: 23_000, currency: 'KRW' },
      method: 'card',
      token: 'tok_approve',
      requestedAt: '2026-11-22T03:00:00.000Z',
      ask: false,
    };
    const nextAction = { type: 'redirect', url: 'https://bank.example/1' } as const;
    const asked = {
      step: 'authorise',
      outcome: 'requires_action',
      authorizationId: 'a',
      provider: 'p',
      nextAction,
    } as const;
    for (let times = 0; times < 2; times++) {
      expect(await recordOutcome(ports)(command, asked)).toEqual({ step: 'done' });
    }
    expect(types()).toEqual(['order.placed', 'payment.action_required']);
  });
});

describe('a webhook', () => {
  const receive = receiveWebhook({
    ...ports,
    verifiers: {
      sandbox: async ({ body }) => (body === 'forged' ? undefined : { id: 'whk_1', reference: body }),
    },
  });
  const send = (body: string, provider = 'sandbox') => receive(provider, { body, headers: {} });

  it('about what is outstanding is noted, once', async () => {
    now = noon + 60_000;
    await send(`${orderId}-1`);
    await send(`${orderId}-1`);
    expect(types()).toEqual(['order.placed', 'payment.hinted']);
  });

  it.each(['ord_NOBODY-1', `${orderId}-2`, orderId, 'nonsense'])('about %s changes nothing', async (body) => {
    now = noon + 60_000;
    await send(body);
    expect(types()).toEqual(['order.placed']);
  });

  it.each([
    ['forged', 'sandbox', 'signature-invalid'],
    [`${orderId}-1`, 'nobody', 'signature-invalid'],
    ['x'.repeat(65 * 1024), 'sandbox', 'payload-too-large'],
  ])('that is not good is refused', async (body, provider, code) => {
    await expect(send(body, provider)).rejects.toMatchObject({ code });
    expect(types()).toEqual(['order.placed']);
  });
});

describe('the sweep', () => {
  /** One bucket with the one order, due at the given time. */
  function due(at: number) {
    const list = new Map<string, Waiting>();
    const marks = new Map<number, string>();
    const orders: DueOrders = {
      sweptTo: async () => marks,
      moveTo: async (buckets, to) => {
        for (const bucket of buckets) marks.set(bucket, to);
      },
      dueBetween: async (bucket, from, to) =>
        bucket === 0 && Date.parse(from) <= at && at <= Date.parse(to) ? [orderId] : [],
      waiting: async (bucket) => (bucket === 0 ? [...list.values()] : []),
      keep: async (_, waiting) => void list.set(waiting.orderId, waiting),
      forget: async (_, id) => void list.delete(id),
    };
    return { list, sweep: sweepDue({ ...ports, due: orders }) };
  }

  it('goes on asking about what is outstanding, and counts it after an hour', async () => {
    const { list, sweep } = due(noon + 15 * 60_000);
    let unknown = 0;
    for (; now < noon + 3 * 60 * 60_000; now += 60_000) unknown = (await sweep()).unknown;
    expect(unknown).toBe(1);
    expect([...list.keys()]).toEqual([orderId]);
    const asks = types().filter((type) => type === 'payment.hinted').length;
    expect(asks).toBeGreaterThan(5);
    expect(asks).toBeLessThan(30);
    expect(types()).toContain('expiry.requested');
  });

  it('forgets what has settled', async () => {
    const { list, sweep } = due(noon + 15 * 60_000);
    now = noon + 16 * 60_000;
    await sweep();
    expect(list.size).toBe(1);
    await recordOutcome(ports)(
      {
        step: 'authorise',
        orderId,
        reference: `${orderId}-1`,
        amount: { amount: 23_000, currency: 'KRW' },
        method: 'card',
        token: 'tok_approve',
        requestedAt: events[0]!.at,
        ask: true,
      },
      { step: 'authorise', outcome: 'declined', reason: 'not-received' },
    );
    expect(fold(events).status).toBe('expired');
    now += 30 * 60_000;
    expect(await sweep()).toEqual({ swept: 1, unknown: 0 });
    expect(list.size).toBe(0);
    expect(dueBuckets).toBeGreaterThanOrEqual(64);
  });
});

describe('a message whose run has failed', () => {
  let server: Server;
  const asked: any[] = [];
  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const text = Buffer.concat(await request.toArray()).toString();
      asked.push({ target: request.headers['x-amz-target'], ...JSON.parse(text) });
      response.end('{}');
    });
    await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
    Object.assign(process.env, {
      AWS_ENDPOINT_URL_SQS: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    });
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('comes back after 30 s, then after longer and longer, 15 minutes at most', async () => {
    const record = (receives: number) => ({
      messageId: `m${receives}`,
      receiptHandle: `handle-${receives}`,
      attributes: { ApproximateReceiveCount: String(receives) },
      eventSourceARN: 'arn:aws:sqs:eu-west-1:111122223333:checkout',
    });
    const batch = { Records: [1, 2, 3, 6, 50].map(record) } as unknown as SQSEvent;
    const failing = comingBack(async ({ Records }) => ({
      batchItemFailures: Records.filter(({ messageId }) => messageId !== 'm2').map(({ messageId }) => ({
        itemIdentifier: messageId,
      })),
    }));
    expect((await failing(batch)).batchItemFailures).toHaveLength(4);
    const pauses = asked.map(({ ReceiptHandle, VisibilityTimeout }) => [ReceiptHandle, VisibilityTimeout]);
    expect(Object.fromEntries(pauses)).toEqual({
      'handle-1': 30,
      'handle-3': 120,
      'handle-6': 900,
      'handle-50': 900,
    });
    expect(asked[0]).toMatchObject({
      target: 'AmazonSQS.ChangeMessageVisibility',
      QueueUrl: 'https://sqs.eu-west-1.amazonaws.com/111122223333/checkout',
    });
  });
});
