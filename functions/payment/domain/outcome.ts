import type { Money } from '../../kernel/contract.ts';
import type { ProviderCommand, ProviderOutcome } from '../contract.ts';
import type { Charge } from './provider.ts';

/** How long after its intent a call may still be sent: Stripe forgets idempotency keys after 24 hours. */
const sendableFor = 20 * 60 * 60 * 1000;

/** @param now milliseconds since the epoch */
export function maySend(command: ProviderCommand, now: number): boolean {
  return now - Date.parse(command.requestedAt) < sendableFor;
}

/** An authorisation of another amount or currency than was asked for, whose money has not all been given back. */
export function holdsAnotherAmount(command: ProviderCommand, charge: Charge): boolean {
  if (command.step !== 'authorise' || sameMoney(charge.amount, command.amount)) return false;
  const givenBack = charge.refunds.reduce((sum, refund) => sum + refund.amount.amount, 0);
  return !dead(charge) && givenBack < charge.amount.amount;
}

/**
 * What the provider's book says of the command: its outcome, or undefined while it has not happened and still may.
 * The caller has dealt with a charge that `holdsAnotherAmount`.
 */
export function outcomeIn(
  charge: Charge,
  command: ProviderCommand,
  provider: string,
): ProviderOutcome | undefined {
  switch (command.step) {
    case 'authorise':
      return authorisation(charge, command.amount, provider);
    case 'capture':
      if (charge.captureId) return { step: 'capture', outcome: 'captured', captureId: charge.captureId };
      return dead(charge) ? { step: 'capture', outcome: 'failed', reason: charge.status } : undefined;
    case 'void':
      if (charge.captureId) return { step: 'void', outcome: 'captured', captureId: charge.captureId };
      return dead(charge) ? { step: 'void', outcome: 'voided' } : undefined;
    case 'refund': {
      const refund = charge.refunds.find(({ refundId }) => refundId === command.refundId);
      if (refund) return { step: 'refund', outcome: 'refunded', providerRefundId: refund.id };
      return charge.captureId ? undefined : { step: 'refund', outcome: 'failed', reason: 'not-captured' };
    }
  }
}

/**
 * The outcome of a command that is too old to send, and that the provider's book does not show: nothing can be on
 * its way any more, so it did not happen.
 */
export function outcomeOfNothing(command: ProviderCommand, charge: Charge | undefined): ProviderOutcome {
  if (command.step === 'authorise') return { step: 'authorise', outcome: 'declined', reason: 'not-received' };
  if (command.step === 'void' && !charge) return { step: 'void', outcome: 'voided' };
  return { step: command.step, outcome: 'failed', reason: 'not-received' };
}

function authorisation(charge: Charge, asked: Money, provider: string): ProviderOutcome {
  const step = 'authorise';
  if (charge.status === 'declined') return { step, outcome: 'declined', reason: charge.reason ?? 'declined' };
  if (!sameMoney(charge.amount, asked)) return { step, outcome: 'declined', reason: 'amount-mismatch' };
  if (charge.status === 'voided') return { step, outcome: 'declined', reason: 'voided' };
  const held = { step, authorizationId: charge.id, provider } as const;
  if (charge.status !== 'requires_action') return { ...held, outcome: 'authorized' };
  const nextAction = { type: 'redirect' as const, url: charge.actionUrl ?? '' };
  return { ...held, outcome: 'requires_action', nextAction };
}

function dead(charge: Charge): boolean {
  return charge.status === 'declined' || charge.status === 'voided';
}

function sameMoney(a: Money, b: Money): boolean {
  return a.amount === b.amount && a.currency === b.currency;
}
