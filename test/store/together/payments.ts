import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  charges,
  left,
  order,
  runSchedule,
  type Store,
  sell,
  settled,
  totalOf,
  until,
} from '../../../bench/store.ts';
import { rotateWebhookSecret, sendWebhook, signedWebhook, webhookSecret } from '../support/webhooks.ts';
import { sharedStore } from './shared-store.ts';

let store: Store;
beforeAll(async () => {
  store = await sharedStore();
});

interface Ordered {
  readonly sku: string;
  readonly token: string;
  readonly orderId: string;
  readonly total: { readonly amount: number; readonly currency: string };
}

/** A shopper who has placed an order for one of three pieces of something new. */
async function ordered(payWith: string | null): Promise<Ordered> {
  const { sku } = await sell(store, { stock: 3 });
  const lines = [{ sku, quantity: 1 }];
  const total = await totalOf(store, lines);
  const { token } = await store.account();
  const placed = await order(store, { token, lines, total, payWith });
  expect(placed.status).toBe(201);
  return { sku, token, total, orderId: placed.body.id };
}

const post = (token: string, path: string, json: unknown = {}) =>
  store.request('POST', path, { token, headers: { 'idempotency-key': randomUUID() }, json });
const chargesOf = async (orderId: string) => (await charges(store)).filter((one) => one.orderId === orderId);
const history = async ({ token, orderId }: Ordered): Promise<string[]> =>
  (await store.request('GET', `/v1/orders/${orderId}/events`, { token })).body.items.map(
    ({ type }: { type: string }) => type,
  );
const advance = (seconds: number) =>
  store.request('POST', '/_local/clock', { json: { advanceSeconds: seconds } });
const sweep = () => store.request('POST', '/_local/schedules/sweep-due/run', { json: {} });

/** The sandbox, as the shopper's browser calls it. */
const sandbox = async (path: string, json: unknown = {}) => {
  const response = await fetch(new URL(path, store.cloud.runtime.output('SandboxUrl')), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(json),
  });
  return { status: response.status, body: (await response.json()) as any };
};

describe('each card of the sandbox', () => {
  it.each([
    ['tok_approve', { status: 'paid', payment: 'captured' }, 'captured'],
    ['tok_slow', { status: 'paid', payment: 'captured' }, 'captured'],
    ['tok_timeout_then_approved', { status: 'paid', payment: 'captured' }, 'captured'],
    ['tok_capture_fails_once', { status: 'paid', payment: 'captured' }, 'captured'],
    ['tok_decline', { status: 'placed', payment: 'declined' }, 'declined'],
    ['tok_insufficient_funds', { status: 'placed', payment: 'declined' }, 'declined'],
    ['tok_timeout_then_declined', { status: 'placed', payment: 'declined' }, 'declined'],
    ['tok_capture_fails', { status: 'placed', payment: 'declined' }, 'voided'],
  ])('%s ends as %o, and the book says %s', async (card, end, book) => {
    const { token, orderId } = await ordered(card);
    await settled(store, token, orderId, end);
    expect((await chargesOf(orderId)).map(({ status }) => status)).toEqual([book]);
  });
});

describe('a shopper whom the bank asks', () => {
  const asked = async () => {
    const given = await ordered('tok_requires_action');
    const { payment } = await settled(store, given.token, given.orderId, { payment: 'requires_action' });
    const { url } = payment.nextAction;
    return { ...given, url: url as string, id: url.split('/').at(-1) as string };
  };

  it('is sent there, confirms, and has paid', async () => {
    const shopper = await asked();
    expect(await (await fetch(shopper.url)).text()).toContain(String(shopper.total.amount));
    expect((await sandbox(`/authorizations/${shopper.id}/confirm`)).status).toBe(201);
    const paid = await settled(store, shopper.token, shopper.orderId, { payment: 'captured' });
    expect(paid.payment.nextAction).toBeUndefined();
    const types = (await history(shopper)).filter((type) => type !== 'payment.hinted');
    expect(types).toEqual([
      'order.placed',
      'payment.action_required',
      'capture.requested',
      'payment.captured',
    ]);
  });

  it('refuses, and pays with another card', async () => {
    const shopper = await asked();
    await sandbox(`/authorizations/${shopper.id}/fail`);
    const declined = await settled(store, shopper.token, shopper.orderId, { payment: 'declined' });
    expect(declined.payment.lastError).toBe('action-failed');
    await post(shopper.token, `/v1/orders/${shopper.orderId}/payments`, {
      method: 'card',
      token: 'tok_approve',
    });
    await settled(store, shopper.token, shopper.orderId, { payment: 'captured' });
  });

  it('cancels meanwhile: the order ends, and nothing is held', async () => {
    const shopper = await asked();
    await post(shopper.token, `/v1/orders/${shopper.orderId}/cancel`);
    await settled(store, shopper.token, shopper.orderId, { status: 'cancelled' });
    expect(await left(store, shopper.sku)).toBe(3);
    expect((await chargesOf(shopper.orderId)).map(({ status }) => status)).toEqual(['voided']);
    expect((await sandbox(`/authorizations/${shopper.id}/confirm`)).status).toBe(409);
  });
});

describe('a payment that the shopper has authorised in the browser', () => {
  const keyFor = async ({ orderId, total }: Ordered, amount = total.amount) => {
    const { currency } = total;
    const made = await sandbox('/payment-keys', { orderId, amount, currency, token: 'tok_approve' });
    expect(made.status).toBe(201);
    return made.body.paymentKey as string;
  };

  it('is confirmed for the order’s own amount, and is the charge', async () => {
    const shopper = await ordered(null);
    const paymentKey = await keyFor(shopper);
    const paid = await post(shopper.token, `/v1/orders/${shopper.orderId}/payments`, {
      provider: 'sandbox',
      paymentKey,
      amount: shopper.total,
    });
    expect(paid.status).toBe(202);
    await settled(store, shopper.token, shopper.orderId, { status: 'paid', payment: 'captured' });
    const [charge, ...others] = await chargesOf(shopper.orderId);
    expect(others).toEqual([]);
    expect(charge.captured).toEqual(shopper.total);
  });

  it('for another amount is refused before anything is sent', async () => {
    const shopper = await ordered(null);
    const amount = { ...shopper.total, amount: shopper.total.amount - 1 };
    const paymentKey = await keyFor(shopper, amount.amount);
    const path = `/v1/orders/${shopper.orderId}/payments`;
    const refused = await post(shopper.token, path, { provider: 'sandbox', paymentKey, amount });
    expect([refused.status, refused.body.type]).toEqual([
      422,
      'https://floodgate.dev/problems/amount-mismatch',
    ]);
    expect(refused.body.total).toEqual(shopper.total);
    // The shopper's code lies about the amount: then the provider compares.
    await post(shopper.token, path, { provider: 'sandbox', paymentKey, amount: shopper.total });
    const declined = await settled(store, shopper.token, shopper.orderId, { payment: 'declined' });
    expect(declined.payment.lastError).toBe('amount-mismatch');
    expect(await chargesOf(shopper.orderId)).toEqual([]);
  });
});

describe('a webhook', () => {
  const received = { status: 200, body: { received: true } };

  it('arrives late, twice and after everything is settled, and changes nothing', async () => {
    const shopper = await ordered('tok_approve');
    await settled(store, shopper.token, shopper.orderId, { payment: 'captured' });
    const before = await history(shopper);
    const webhook = await signedWebhook(store, `${shopper.orderId}-1`);
    for (let times = 0; times < 3; times++) expect(await sendWebhook(store, webhook)).toMatchObject(received);
    await advance(250);
    expect(await sendWebhook(store, webhook)).toMatchObject(received);
    expect(await history(shopper)).toEqual(before);
  });

  it('about nothing that we know is taken, and forgotten', async () => {
    for (const reference of ['ord_Nobody-1', 'ord_Nobody-9', 'nonsense']) {
      expect(await sendWebhook(store, await signedWebhook(store, reference))).toMatchObject(received);
    }
  });

  it.each([
    ['is signed by somebody else', async () => signedWebhook(store, 'ord_A-1', { secret: 'guessed' })],
    [
      'has another body',
      async () => ({ ...(await signedWebhook(store, 'ord_A-1')), body: '{"id":"x","reference":"ord_B-1"}' }),
    ],
    ['is not signed', async () => ({ ...(await signedWebhook(store, 'ord_A-1')), headers: {} })],
  ])('that %s is refused', async (_, make) => {
    const { status, body } = await sendWebhook(store, await make());
    expect([status, body.type]).toEqual([400, 'https://floodgate.dev/problems/signature-invalid']);
  });

  it('older than five minutes is refused', async () => {
    const webhook = await signedWebhook(store, 'ord_A-1');
    await advance(301);
    expect((await sendWebhook(store, webhook)).status).toBe(400);
  });

  it('of a provider that we do not have is not found', async () => {
    expect((await store.request('POST', '/v1/webhooks/payments/nobody', { text: '{}' })).status).toBe(404);
  });

  it('is believed with the new secret and with the one before, not with an older one', async () => {
    const oldest = await webhookSecret(store);
    expect(await sendWebhook(store, await signedWebhook(store, 'ord_A-1'))).toMatchObject(received);
    const second = await rotateWebhookSecret(store);
    const signed = (secret: string) => signedWebhook(store, 'ord_A-1', { secret });
    // Known sooner than the secret is read again by itself: an unknown signature is a reason to look.
    await advance(11);
    expect(await sendWebhook(store, await signed(second))).toMatchObject(received);
    expect(await sendWebhook(store, await signed(oldest))).toMatchObject(received);
    const third = await rotateWebhookSecret(store);
    await advance(11);
    expect(await sendWebhook(store, await signed(third))).toMatchObject(received);
    expect(await sendWebhook(store, await signed(second))).toMatchObject(received);
    expect((await sendWebhook(store, await signed(oldest))).status).toBe(400);
    // And the sandbox itself goes on: its webhook brings this payment to its end.
    const { token, orderId } = await ordered('tok_requires_action');
    const { payment } = await settled(store, token, orderId, { payment: 'requires_action' });
    await sandbox(`/authorizations/${payment.nextAction.url.split('/').at(-1)}/confirm`);
    await settled(store, token, orderId, { payment: 'captured' });
  });
});

it('orders are paid while the provider’s keys are rotated, each at the first attempt', async () => {
  const keys = async () => {
    const held = store.cloud.runtime.resources('AWS::SecretsManager::Secret').map(({ arn }) => arn);
    const read = (SecretId: string) =>
      store.cloud.runtime.call('secretsmanager', 'GetSecretValue', { SecretId }, { kind: 'operator' });
    return Promise.all(held.map(async (arn) => (await read(arn)).SecretString as string));
  };
  const before = await keys();
  const placed: { token: string; orderId: string }[] = [];
  const pay = async (count: number) => {
    placed.push(...(await Promise.all(Array.from({ length: count }, () => ordered('tok_approve')))));
  };
  await Promise.all([pay(15), runSchedule(store, 'rotate-keys')]);
  await pay(15);
  expect((await keys()).filter((key) => before.includes(key))).toEqual([]);
  for (const { token, orderId } of placed) {
    const { payment } = await settled(store, token, orderId, { payment: 'captured' });
    expect(payment.attempt ?? 1).toBe(1);
    const { body } = await store.request('GET', `/v1/orders/${orderId}/events`, { token });
    const types = body.items.map(({ type }: { type: string }) => type);
    expect(types.filter((type: string) => /unknown|declined/.test(type))).toEqual([]);
  }
});

/** Tokens live for an hour of the clock that these tests move: another operator's. */
function freshTokens(): void {
  beforeAll(async () => {
    store = await sharedStore();
  });
}

const provider = /sandbox payment provider: every route/;

/** Runs while a function may do nothing: its role's policies do not count. */
async function without<T>(description: RegExp, run: () => Promise<T>): Promise<T> {
  const { runtime } = store.cloud;
  const fn = runtime
    .resources('AWS::Lambda::Function')
    .find(({ properties }) => description.test(properties.Description));
  if (!fn) throw new Error(`there is no function ${description}`);
  const giveBack = runtime.iam.revoke(fn.properties.Role);
  try {
    return await run();
  } finally {
    giveBack();
  }
}

describe('the reconciler', () => {
  freshTokens();

  it('asks for a shopper of whom no webhook tells', async () => {
    const shopper = await ordered('tok_requires_action');
    const { payment } = await settled(store, shopper.token, shopper.orderId, { payment: 'requires_action' });
    await without(/Takes signed webhooks/, async () => {
      await sandbox(`/authorizations/${payment.nextAction.url.split('/').at(-1)}/confirm`);
      await advance(3 * 60);
      await sweep();
      await settled(store, shopper.token, shopper.orderId, { payment: 'captured' });
    });
    expect(await history(shopper)).toContain('payment.hinted');
  });

  it('asks no more once everything is settled', async () => {
    const shopper = await ordered('tok_requires_action');
    await settled(store, shopper.token, shopper.orderId, { payment: 'requires_action' });
    await advance(16 * 60);
    await sweep();
    await settled(store, shopper.token, shopper.orderId, { status: 'expired' });
    const before = await history(shopper);
    for (let times = 0; times < 3; times++) {
      await advance(5 * 60);
      await sweep();
    }
    expect(await history(shopper)).toEqual(before);
    expect(await left(store, shopper.sku)).toBe(3);
    const [charge] = await chargesOf(shopper.orderId);
    expect(['declined', 'voided']).toContain(charge?.status);
  });

  it('ends what could not be asked about when its time was over, and leaves no hold', async () => {
    const shopper = await without(provider, async () => {
      const given = await ordered('tok_approve');
      await settled(store, given.token, given.orderId, { payment: 'unknown' });
      await advance(16 * 60);
      await sweep();
      expect(await history(given)).toContain('expiry.requested');
      return given;
    });
    await until('the order has expired', async () => {
      await advance(60);
      await sweep();
      const { body } = await store.request('GET', `/v1/orders/${shopper.orderId}`, { token: shopper.token });
      return body.status === 'expired';
    });
    expect((await chargesOf(shopper.orderId)).filter(({ status }) => status !== 'voided')).toEqual([]);
    expect(await left(store, shopper.sku)).toBe(3);
  });
});

describe('a payment whose run has failed', () => {
  freshTokens();

  it('comes back by itself after 30 seconds', async () => {
    const shopper = await without(provider, async () => {
      const given = await ordered('tok_approve');
      await settled(store, given.token, given.orderId, { payment: 'unknown' });
      return given;
    });
    await until('it is paid', async () => {
      await advance(10);
      const { body } = await store.request('GET', `/v1/orders/${shopper.orderId}`, { token: shopper.token });
      return body.payment.status === 'captured';
    });
    expect((await chargesOf(shopper.orderId)).map(({ status }) => status)).toEqual(['captured']);
  });
});
