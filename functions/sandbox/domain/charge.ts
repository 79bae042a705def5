import { isoInstant } from '../../kernel/clock.ts';
import type { Currency } from '../../kernel/contract.ts';
import { digest } from '../../kernel/ids.ts';
import type { ChargeView } from '../contract.ts';
import { Refusal } from './refusal.ts';
import { behaviourOf, tokenNames } from './tokens.ts';

/** A line of the book as it is stored. Amounts are minor units of `currency`; instants are RFC 3339. */
export interface Charge {
  readonly id: string;
  readonly reference: string;
  readonly token: string;
  readonly currency: Currency;
  readonly authorized: number;
  readonly captured: number;
  readonly refunds: readonly { readonly id: string; readonly reference: string; readonly amount: number }[];
  readonly state: 'authorized' | 'declined' | 'captured' | 'voided';
  readonly reason?: string | undefined;
  readonly authorizedAt: string;
  readonly capturedAt?: string | undefined;
  readonly voidedAt?: string | undefined;
  /** Of the line: every change raises it by one. */
  readonly version: number;
}

/** The same id for a reference, always: that makes a second authorisation for it impossible. */
export function chargeIdOf(reference: string): string {
  return `aut_${digest(reference).slice(0, 24)}`;
}

/** A charge has one capture, named after it. */
export function chargeIdOfCapture(captureId: string): string {
  return captureId.replace(/^cap_/, 'aut_');
}

/**
 * @param now milliseconds since the epoch
 * @throws Refusal `reference-used`, `unknown-token`
 */
export function authorise(
  existing: Charge | undefined,
  request: { reference: string; amount: number; currency: Currency; token: string },
  now: number,
): Charge {
  const { reference, token, currency } = request;
  if (existing) throw new Refusal(409, 'reference-used', `there is an authorisation for ${reference}`);
  const behaviour = behaviourOf(token);
  if (!behaviour) throw new Refusal(422, 'unknown-token', `the tokens are ${tokenNames.join(', ')}`);
  return {
    id: chargeIdOf(reference),
    reference,
    token,
    currency,
    authorized: request.amount,
    captured: 0,
    refunds: [],
    state: behaviour.declines ? 'declined' : 'authorized',
    reason: behaviour.declines,
    authorizedAt: isoInstant(now),
    version: 1,
  };
}

/**
 * @param amount minor units
 * @param now milliseconds since the epoch
 * @throws Refusal `not-capturable`, `capture-failed`, `amount-too-large`
 */
export function capture(charge: Charge, amount: number, now: number): Charge {
  if (charge.state !== 'authorized') {
    throw new Refusal(409, 'not-capturable', `the authorisation is ${charge.state}`);
  }
  if (behaviourOf(charge.token)?.captureFails) {
    throw new Refusal(402, 'capture-failed', 'the bank refuses the capture');
  }
  if (amount > charge.authorized) {
    throw new Refusal(422, 'amount-too-large', `${charge.authorized} was authorised`);
  }
  return {
    ...charge,
    state: 'captured',
    captured: amount,
    capturedAt: isoInstant(now),
    version: charge.version + 1,
  };
}

/**
 * @param now milliseconds since the epoch
 * @throws Refusal `not-voidable`
 */
export function voidCharge(charge: Charge, now: number): Charge {
  if (charge.state !== 'authorized') {
    throw new Refusal(409, 'not-voidable', `the authorisation is ${charge.state}`);
  }
  return { ...charge, state: 'voided', voidedAt: isoInstant(now), version: charge.version + 1 };
}

/** @throws Refusal `not-refundable`, `reference-used`, `amount-too-large` */
export function refund(charge: Charge, request: { reference: string; amount: number }): Charge {
  const { reference, amount } = request;
  if (charge.state !== 'captured') {
    throw new Refusal(409, 'not-refundable', `the authorisation is ${charge.state}`);
  }
  if (charge.refunds.some((earlier) => earlier.reference === reference)) {
    throw new Refusal(409, 'reference-used', `there is a refund for ${reference}`);
  }
  const left = charge.captured - refunded(charge);
  if (amount > left) throw new Refusal(422, 'amount-too-large', `${left} is left to refund`);
  const id = `ref_${digest(`${charge.id} ${reference}`).slice(0, 24)}`;
  return {
    ...charge,
    refunds: [...charge.refunds, { id, reference, amount }],
    version: charge.version + 1,
  };
}

function refunded(charge: Charge): number {
  return charge.refunds.reduce((sum, { amount }) => sum + amount, 0);
}

/** As the API shows it. */
export function viewOf(charge: Charge): ChargeView {
  const money = (amount: number) => ({ amount, currency: charge.currency });
  return {
    id: charge.id,
    orderId: charge.reference.replace(/-[^-]*$/, ''),
    reference: charge.reference,
    amount: money(charge.authorized),
    captured: money(charge.captured),
    refunded: money(refunded(charge)),
    status: statusOf(charge),
    reason: charge.reason,
    captureId: charge.state === 'captured' ? charge.id.replace(/^aut_/, 'cap_') : undefined,
    refunds: charge.refunds.map(({ id, reference, amount }) => ({ id, reference, amount: money(amount) })),
    authorizedAt: charge.authorizedAt,
    capturedAt: charge.capturedAt,
    voidedAt: charge.voidedAt,
  };
}

function statusOf(charge: Charge): ChargeView['status'] {
  const given = refunded(charge);
  if (given === 0) return charge.state;
  return given < charge.captured ? 'partially_refunded' : 'refunded';
}
