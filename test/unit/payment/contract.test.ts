import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { providerCommand, providerOutcome } from '../../../functions/payment/contract.ts';

const common = {
  orderId: 'ord_A',
  reference: 'ord_A-1',
  amount: { amount: 1000, currency: 'KRW' },
  method: 'card',
  requestedAt: '2026-11-22T10:00:00.000Z',
  ask: false,
};
const accepts = (schema: z.ZodMiniType, value: unknown) => z.safeParse(schema, value).success;

describe('a provider command', () => {
  it.each([
    ['a token', { step: 'authorise', token: 'tok_approve' }, true],
    ['a browser payment', { step: 'authorise', paymentKey: 'pk' }, true],
    ['the longest token that an order takes', { step: 'authorise', token: 't'.repeat(255) }, true],
    ['neither', { step: 'authorise' }, false],
    ['both', { step: 'authorise', token: 'tok_approve', paymentKey: 'pk' }, false],
    ['a capture without its authorisation', { step: 'capture' }, true],
    ['a refund without our refund id', { step: 'refund' }, false],
    ['a step that there is not', { step: 'settle' }, false],
    ['a reference without an attempt', { step: 'void', reference: 'ord_A' }, false],
    ['a time that is none', { step: 'void', requestedAt: 'yesterday' }, false],
  ])('with %s', (_, change, valid) => {
    expect(accepts(providerCommand, { ...common, ...change })).toBe(valid);
  });
});

describe('a provider outcome', () => {
  it.each([
    [{ step: 'void', outcome: 'voided' }, true],
    [{ step: 'void', outcome: 'failed', reason: 'captured' }, true],
    [{ step: 'authorise', outcome: 'failed', reason: 'x' }, false],
    [{ step: 'capture', outcome: 'declined', reason: 'x' }, false],
    [{ step: 'capture', outcome: 'captured' }, false],
  ])('%o', (outcome, valid) => {
    expect(accepts(providerOutcome, outcome)).toBe(valid);
  });
});
