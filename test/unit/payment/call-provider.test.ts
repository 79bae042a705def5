import { describe, expect, it } from 'vitest';
import { callProvider } from '../../../functions/payment/app/call-provider.ts';
import type { ProviderCommand } from '../../../functions/payment/contract.ts';
import type { Charge } from '../../../functions/payment/domain/provider.ts';
import { memoryProvider, type Trouble, usd } from './memory-provider.ts';

const requestedAt = '2026-11-22T10:00:00.000Z';
const reference = 'ord_A-1';
const hour = 60 * 60 * 1000;

const common = {
  orderId: 'ord_A',
  reference,
  amount: usd(1000),
  method: 'card',
  requestedAt,
  ask: false,
} as const;
const commands = {
  authorise: { ...common, step: 'authorise', token: 'tok_approve' },
  capture: { ...common, step: 'capture', authorizationId: 'auth-1' },
  void: { ...common, step: 'void', authorizationId: 'auth-1' },
  refund: { ...common, step: 'refund', captureId: 'cap-1', refundId: 'rfd_1', amount: usd(400) },
} as const satisfies Record<string, ProviderCommand>;

const held: Charge = { id: 'auth-1', reference, amount: usd(1000), status: 'authorized', refunds: [] };
const captured: Charge = { ...held, status: 'captured', captureId: 'cap-1' };
const refunded: Charge = {
  ...captured,
  refunds: [{ id: 'at-provider-rfd_1', refundId: 'rfd_1', amount: usd(400) }],
};
const voided: Charge = { ...held, status: 'voided' };
const declined: Charge = { ...held, status: 'declined', reason: 'insufficient-funds' };

/** What the provider's book holds before each command can run. */
const before = { authorise: undefined, capture: held, void: held, refund: captured };
const outcomes = {
  authorise: {
    step: 'authorise',
    outcome: 'authorized',
    authorizationId: 'auth-ord_A-1',
    provider: 'memory',
  },
  capture: { step: 'capture', outcome: 'captured', captureId: 'capture-ord_A-1' },
  void: { step: 'void', outcome: 'voided' },
  refund: { step: 'refund', outcome: 'refunded', providerRefundId: 'at-provider-rfd_1' },
};
const keys = {
  authorise: 'ord_A-1-authorise',
  capture: 'ord_A-1-capture',
  void: 'ord_A-1-void',
  refund: 'ord_A-1-refund-rfd_1',
};
const steps = ['authorise', 'capture', 'void', 'refund'] as const;

/** Runs a command `age` milliseconds after its intent. */
function run(memory: ReturnType<typeof memoryProvider>, command: ProviderCommand, age = 0) {
  return callProvider({ provider: memory.provider, now: () => Date.parse(requestedAt) + age })(command);
}

function withTrouble(charge: Charge | undefined, method: (typeof steps)[number], ...troubles: Trouble[]) {
  const memory = memoryProvider(charge);
  memory.troubles[method] = troubles;
  return memory;
}

describe.each(steps)('%s', (step) => {
  it('is sent once, with its own key, without asking first', async () => {
    const memory = memoryProvider(before[step]);
    expect(await run(memory, commands[step])).toEqual(outcomes[step]);
    expect(memory.calls).toEqual([`${step} ${keys[step]}`]);
  });

  it('whose answer came too late is known by asking, not by sending again', async () => {
    const memory = withTrouble(before[step], step, 'late');
    expect(await run(memory, commands[step])).toEqual(outcomes[step]);
    expect(memory.calls).toEqual([`${step} ${keys[step]}`, `find ${reference}`]);
  });

  it('that was lost on the way is unknown, and the retry is safe', async () => {
    const memory = withTrouble(before[step], step, 'lost');
    await expect(run(memory, commands[step])).rejects.toMatchObject({ name: 'provider-unavailable' });
    expect(await run(memory, commands[step])).toEqual(outcomes[step]);
  });

  it('is unknown when the question fails too', async () => {
    const memory = withTrouble(before[step], step, 'late');
    memory.troubles.find = ['lost'];
    await expect(run(memory, commands[step])).rejects.toMatchObject({ name: 'provider-unavailable' });
  });

  it('that is refused ends the step for good', async () => {
    const memory = withTrouble(before[step], step, 'refused');
    const outcome = step === 'authorise' ? 'declined' : 'failed';
    expect(await run(memory, commands[step])).toEqual({ step, outcome, reason: 'refused-by-test' });
  });

  it('resumed before it was sent asks, then sends', async () => {
    const memory = memoryProvider(before[step]);
    expect(await run(memory, { ...commands[step], ask: true })).toEqual(outcomes[step]);
    expect(memory.calls).toEqual([`find ${reference}`, `${step} ${keys[step]}`]);
  });

  it('resumed after its effect asks and sends nothing', async () => {
    const memory = memoryProvider(before[step]);
    await run(memory, commands[step]);
    memory.calls.length = 0;
    expect(await run(memory, { ...commands[step], ask: true })).toEqual(outcomes[step]);
    expect(memory.calls).toEqual([`find ${reference}`]);
  });

  it('resumed while the provider is down is unknown and sends nothing', async () => {
    const memory = memoryProvider(before[step]);
    memory.troubles.find = ['lost'];
    const resumed = { ...commands[step], ask: true };
    await expect(run(memory, resumed)).rejects.toMatchObject({ name: 'provider-unavailable' });
    expect(memory.calls).toEqual([`find ${reference}`]);
  });

  it('is still sent a moment before 20 hours', async () => {
    const memory = memoryProvider(before[step]);
    expect(await run(memory, commands[step], 20 * hour - 1)).toEqual(outcomes[step]);
  });

  it('is only asked for after 20 hours', async () => {
    const memory = memoryProvider(before[step]);
    const outcome = step === 'authorise' ? 'declined' : 'failed';
    expect(await run(memory, commands[step], 20 * hour)).toEqual({ step, outcome, reason: 'not-received' });
    expect(memory.calls).toEqual([`find ${reference}`]);
  });

  it('that had its effect is found after 20 hours', async () => {
    const memory = memoryProvider(before[step]);
    await run(memory, commands[step]);
    expect(await run(memory, commands[step], 30 * hour)).toEqual(outcomes[step]);
  });
});

describe('what the provider has done already is the outcome of a resumed step', () => {
  const authorized = {
    step: 'authorise',
    outcome: 'authorized',
    authorizationId: 'auth-1',
    provider: 'memory',
  };
  const failed = (step: string, reason: string) => ({ step, outcome: 'failed', reason });
  it.each([
    ['authorise', 'held', held, authorized],
    ['authorise', 'captured', captured, authorized],
    [
      'authorise',
      'declined',
      declined,
      { step: 'authorise', outcome: 'declined', reason: 'insufficient-funds' },
    ],
    ['authorise', 'voided', voided, { step: 'authorise', outcome: 'declined', reason: 'voided' }],
    [
      'authorise',
      'waiting for the shopper',
      { ...held, status: 'requires_action', actionUrl: 'https://bank.example/1' },
      {
        ...authorized,
        outcome: 'requires_action',
        nextAction: { type: 'redirect', url: 'https://bank.example/1' },
      },
    ],
    ['capture', 'captured', captured, { step: 'capture', outcome: 'captured', captureId: 'cap-1' }],
    ['capture', 'refunded', refunded, { step: 'capture', outcome: 'captured', captureId: 'cap-1' }],
    ['capture', 'voided', voided, failed('capture', 'voided')],
    ['capture', 'declined', declined, failed('capture', 'declined')],
    ['void', 'voided', voided, { step: 'void', outcome: 'voided' }],
    ['void', 'declined', declined, { step: 'void', outcome: 'voided' }],
    ['void', 'captured', captured, { step: 'void', outcome: 'captured', captureId: 'cap-1' }],
    [
      'refund',
      'refunded',
      refunded,
      { step: 'refund', outcome: 'refunded', providerRefundId: 'at-provider-rfd_1' },
    ],
    ['refund', 'not captured', held, failed('refund', 'not-captured')],
  ] as const)('%s: %s', async (step, _, charge, outcome) => {
    const memory = memoryProvider(charge as Charge);
    expect(await run(memory, { ...commands[step], ask: true })).toEqual(outcome);
    expect(memory.calls).toEqual([`find ${reference}`]);
  });

  it('refund: another refund of the same charge does not count', async () => {
    const memory = memoryProvider({
      ...refunded,
      refunds: [{ id: 'r', refundId: 'rfd_other', amount: usd(1) }],
    });
    expect(await run(memory, { ...commands.refund, ask: true })).toEqual(outcomes.refund);
  });
});

describe('a refusal is believed only if the book does not show the effect', () => {
  it.each([
    ['capture', captured, { step: 'capture', outcome: 'captured', captureId: 'cap-1' }],
    ['void', captured, { step: 'void', outcome: 'captured', captureId: 'cap-1' }],
    ['refund', refunded, outcomes.refund],
  ] as const)('%s', async (step, charge, outcome) => {
    expect(await run(withTrouble(charge, step, 'refused'), commands[step])).toEqual(outcome);
  });
});

describe('an id that the run does not know', () => {
  it.each([
    ['capture', held],
    ['void', held],
    ['refund', captured],
  ] as const)('%s looks it up by reference', async (step, charge) => {
    const memory = memoryProvider(charge);
    const {
      authorizationId: _a,
      captureId: _c,
      ...unknowing
    } = { authorizationId: '', captureId: '', ...commands[step] };
    expect(await run(memory, unknowing as ProviderCommand)).toEqual(outcomes[step]);
    expect(memory.calls).toEqual([`find ${reference}`, `${step} ${keys[step]}`]);
  });

  it.each([
    ['capture', { outcome: 'failed', reason: 'no-authorization' }],
    ['refund', { outcome: 'failed', reason: 'no-capture' }],
  ] as const)('%s of nothing fails', async (step, outcome) => {
    const {
      authorizationId: _a,
      captureId: _c,
      ...unknowing
    } = { authorizationId: '', captureId: '', ...commands[step] };
    expect(await run(memoryProvider(), unknowing as ProviderCommand)).toEqual({ step, ...outcome });
  });

  it('void of nothing is not certain while the authorisation may be on its way, and is later', async () => {
    const { authorizationId: _, ...unknowing } = commands.void;
    await expect(run(memoryProvider(), unknowing)).rejects.toMatchObject({ name: 'provider-unavailable' });
    expect(await run(memoryProvider(), unknowing, 20 * hour)).toEqual({ step: 'void', outcome: 'voided' });
  });
});

describe('an authorisation of another amount', () => {
  const mismatch = { step: 'authorise', outcome: 'declined', reason: 'amount-mismatch' };

  it.each([
    ['more', usd(1001)],
    ['less', usd(999)],
    ['another currency', { amount: 1000, currency: 'EUR' }],
  ] as const)('(%s) is voided and declined', async (_, amount) => {
    const memory = withTrouble(undefined, 'authorise', { answers: { amount } });
    expect(await run(memory, commands.authorise)).toEqual(mismatch);
    expect(memory.calls).toEqual([`authorise ${keys.authorise}`, `void ${keys.void}`]);
    expect(memory.charge(reference)?.status).toBe('voided');
  });

  it('is found and voided by a resumed run, at any age', async () => {
    const memory = memoryProvider({ ...held, amount: usd(1) });
    expect(await run(memory, { ...commands.authorise, ask: true }, 30 * hour)).toEqual(mismatch);
    expect(memory.charge(reference)?.status).toBe('voided');
  });

  it('whose void is unclear is unknown until it is voided', async () => {
    const memory = withTrouble(undefined, 'authorise', { answers: { amount: usd(1) } });
    memory.troubles.void = ['lost'];
    await expect(run(memory, commands.authorise)).rejects.toMatchObject({ name: 'provider-unavailable' });
    expect(await run(memory, commands.authorise)).toEqual(mismatch);
    expect(memory.charge(reference)?.status).toBe('voided');
  });

  it('that was charged at once is refunded whole, once', async () => {
    const memory = memoryProvider({ ...captured, amount: usd(1200) });
    const resumed = { ...commands.authorise, ask: true };
    expect(await run(memory, resumed)).toEqual(mismatch);
    expect(await run(memory, resumed)).toEqual(mismatch);
    expect(memory.charge(reference)?.refunds.map(({ amount }) => amount)).toEqual([usd(1200)]);
  });
});

describe('a payment authorised in the browser', () => {
  const { token: _, ...rest } = commands.authorise;
  const confirm = { ...rest, paymentKey: 'key-of-the-browser' };

  it('is charged by its confirmation, and captured without a second charge', async () => {
    const memory = memoryProvider();
    const authorized = await run(memory, confirm);
    expect(authorized).toMatchObject({ outcome: 'authorized', authorizationId: 'auth-ord_A-1' });
    const capture = { ...commands.capture, authorizationId: 'auth-ord_A-1' };
    expect(await run(memory, capture)).toEqual(outcomes.capture);
    expect(memory.charge(reference)?.captureId).toBe('capture-ord_A-1');
  });
});

it('a void that is tried again has an idempotency key of its own', async () => {
  const memory = memoryProvider(held);
  expect(await run(memory, { ...commands.void, attempted: 2 })).toEqual(outcomes.void);
  expect(memory.calls).toEqual([`void ${keys.void}-2`]);
});

describe('a defect', () => {
  it('is no outage: it keeps its own name', async () => {
    const memory = memoryProvider();
    const provider = { ...memory.provider, authorise: () => Promise.reject(new TypeError('a defect')) };
    const call = callProvider({ provider, now: () => Date.parse(requestedAt) })(commands.authorise);
    await expect(call).rejects.toBeInstanceOf(TypeError);
  });
});
