import { describe, expect, it } from 'vitest';
import { recordOutcome } from '../../../functions/order/app/record-outcome.ts';
import { nextCommand } from '../../../functions/order/domain/decide.ts';
import { fold, type OrderEvent } from '../../../functions/order/domain/order.ts';
import type { ProviderOutcome } from '../../../functions/payment/contract.ts';
import { noon, placedEvent, traceparent } from '../order/given.ts';

/** An order with an open attempt, and a clock: what `settled` is told, in seconds. */
function given() {
  const events: OrderEvent[] = [placedEvent()];
  const told: number[] = [];
  let now = noon;
  const record = recordOutcome({
    store: {
      load: async () => [...events],
      append: async (more) => {
        events.push(...more);
        return 'appended';
      },
    },
    now: () => now,
    sleep: async () => {},
    random: () => 0,
    settled: (seconds) => told.push(seconds),
  });
  let last = nextCommand(fold(events), false)!;
  const answer = async (seconds: number, outcome: ProviderOutcome) => {
    now = noon + seconds * 1000;
    const command = nextCommand(fold(events), false) ?? last;
    last = command;
    await record(command, outcome);
  };
  return { answer, told, command: () => nextCommand(fold(events), false) };
}

const authorized = {
  step: 'authorise',
  outcome: 'authorized',
  authorizationId: 'a',
  provider: 'sandbox',
} as const;
const captured = { step: 'capture', outcome: 'captured', captureId: 'c' } as const;

describe('the time until a payment attempt is settled', () => {
  it('runs from the event that opened it to the one that closed it, and is told once', async () => {
    const { answer, told } = given();
    await answer(10, authorized);
    expect(told).toEqual([]);
    await answer(75, captured);
    expect(told).toEqual([75]);
    await answer(90, captured);
    expect(told).toEqual([75]);
  });

  it('counts a decline, which settles it too', async () => {
    const { answer, told } = given();
    await answer(3, { step: 'authorise', outcome: 'declined', reason: 'insufficient_funds' });
    expect(told).toEqual([3]);
  });

  it('leaves out what the shopper took for 3-D Secure', async () => {
    const { answer, told } = given();
    const nextAction = { type: 'redirect', url: 'https://bank.test/1' } as const;
    await answer(1, { ...authorized, outcome: 'requires_action', nextAction });
    await answer(300, authorized);
    await answer(304, captured);
    expect(told).toEqual([4]);
  });
});

it('the trace goes on to the provider with every command', async () => {
  const { answer, command } = given();
  expect(command()).toMatchObject({ step: 'authorise', traceparent });
  await answer(1, authorized);
  expect(command()).toMatchObject({ step: 'capture', traceparent });
});
