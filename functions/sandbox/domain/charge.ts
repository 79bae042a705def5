import { isoInstant } from '../../kernel/clock.ts';
import type { Currency } from '../../kernel/contract.ts';
import { digest } from '../../kernel/ids.ts';
import type { ChargeView } from '../contract.ts';
import { confirmWithin, type PaymentKey } from './payment-key.ts';
import { Refusal } from './refusal.ts';
import { behaviourOf, unknownToken } from './tokens.ts';

/** A line of the book as it is stored. Amounts are minor units of `currency`; instants are RFC 3339. */
export interface Charge {
  readonly id: string;
  readonly reference: string;
  readonly token: string;
  readonly currency: Currency;
  readonly authorized: number;
  readonly captured: number;
  readonly refunds: readonly {
    readonly id: string;
    readonly reference: string;
    readonly amount: number;
    readonly at?: string;
  }[];
  /** What the shopper's bank took back. */
  readonly disputes?: readonly { readonly id: string; readonly amount: number; readonly at: string }[];
  readonly state: 'requires_action' | 'authorized' | 'declined' | 'captured' | 'voided';
  readonly reason?: string | undefined;
  /** Where the shopper confirms or fails what `requires_action`. */
  readonly actionUrl?: string | undefined;
  /** Captures for which the bank could not be reached. */
  readonly failedCaptures?: number | undefined;
  readonly authorizedAt: string;
  readonly capturedAt?: string | undefined;
  readonly voidedAt?: string | undefined;
  /** Of the line: every change raises it by one. */
  readonly version: number;
}

/** The bank cannot be reached: nothing happens, but that it was tried is remembered. */
export class BankUnreachable extends Refusal {
  readonly remembered: Charge;
  constructor(remembered: Charge) {
    super(502, 'bank-unreachable', 'the bank could not be reached; nothing was captured');
    this.remembered = remembered;
  }
}

/** Milliseconds that the shopper has to act. */
const actWithin = 15 * 60_000;

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
  request: {
    reference: string;
    amount: number;
    currency: Currency;
    token: string;
    /** Of the sandbox itself, for the shopper's browser. */
    baseUrl?: string;
  },
  now: number,
): Charge {
  const { reference, token, currency, baseUrl = '' } = request;
  if (existing) throw new Refusal(409, 'reference-used', `there is an authorisation for ${reference}`);
  const behaviour = behaviourOf(token);
  if (!behaviour) throw unknownToken();
  const id = chargeIdOf(reference);
  const approved = behaviour.asksShopper ? 'requires_action' : 'authorized';
  return {
    id,
    reference,
    token,
    currency,
    authorized: request.amount,
    captured: 0,
    refunds: [],
    state: behaviour.declines ? 'declined' : approved,
    reason: behaviour.declines,
    ...(behaviour.asksShopper && { actionUrl: `${baseUrl.replace(/\/$/, '')}/actions/${id}` }),
    authorizedAt: isoInstant(now),
    version: 1,
  };
}

/** The charge as it is at `now` (milliseconds): a shopper who does not act in time has declined. */
export function lapsed(charge: Charge, now: number): Charge {
  const over = charge.state === 'requires_action' && now >= Date.parse(charge.authorizedAt) + actWithin;
  return over ? { ...charge, state: 'declined', reason: 'action-expired' } : charge;
}

/**
 * The shopper confirms to the bank, or fails to.
 * @throws Refusal `no-action-outstanding`
 */
export function act(before: Charge, did: 'confirm' | 'fail', now: number): Charge {
  const charge = lapsed(before, now);
  if (charge.state !== 'requires_action') {
    throw new Refusal(409, 'no-action-outstanding', `the authorisation is ${charge.state}`);
  }
  const version = charge.version + 1;
  return did === 'confirm'
    ? { ...charge, state: 'authorized', version }
    : { ...charge, state: 'declined', reason: 'action-failed', version };
}

/**
 * Charges what the shopper has authorised in the browser, at once.
 * @throws Refusal `reference-used`, `not-found`, `payment-key-used`, `payment-key-expired`, `order-mismatch`,
 * `amount-mismatch`
 */
export function confirm(
  existing: Charge | undefined,
  key: PaymentKey | undefined,
  request: { reference: string; amount: number; currency: Currency },
  now: number,
): Charge {
  if (!key) throw new Refusal(404, 'not-found', 'there is no such payment key');
  const { reference } = request;
  if (!reference.startsWith(`${key.orderId}-`)) {
    throw new Refusal(422, 'order-mismatch', 'the shopper authorised the payment of another order');
  }
  if (key.amount !== request.amount || key.currency !== request.currency) {
    throw new Refusal(422, 'amount-mismatch', `the shopper authorised ${key.amount} ${key.currency}`);
  }
  if (key.usedFor !== undefined) throw new Refusal(409, 'payment-key-used', `it paid ${key.usedFor}`);
  if (now >= Date.parse(key.madeAt) + confirmWithin) {
    throw new Refusal(409, 'payment-key-expired', 'it was not confirmed in time');
  }
  const charge = authorise(existing, { ...request, token: key.token }, now);
  if (charge.state === 'declined') return charge;
  // What the shopper had to confirm was confirmed in the browser.
  return {
    ...charge,
    state: 'captured',
    captured: charge.authorized,
    actionUrl: undefined,
    capturedAt: isoInstant(now),
  };
}

/**
 * @param amount minor units
 * @param now milliseconds since the epoch
 * @throws Refusal `not-capturable`, `capture-failed`, `amount-too-large`, `bank-unreachable`
 */
export function capture(charge: Charge, amount: number, now: number): Charge {
  const fails = behaviourOf(charge.token)?.captureFails;
  if (charge.state !== 'authorized') {
    throw new Refusal(409, 'not-capturable', `the authorisation is ${charge.state}`);
  }
  if (fails === 'always') {
    throw new Refusal(402, 'capture-failed', 'the bank refuses the capture');
  }
  if (amount > charge.authorized) {
    throw new Refusal(422, 'amount-too-large', `${charge.authorized} was authorised`);
  }
  if (fails === 'once' && !charge.failedCaptures) {
    throw new BankUnreachable({ ...charge, failedCaptures: 1, version: charge.version + 1 });
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
export function voidCharge(before: Charge, now: number): Charge {
  const charge = lapsed(before, now);
  if (charge.state !== 'authorized' && charge.state !== 'requires_action') {
    throw new Refusal(409, 'not-voidable', `the authorisation is ${charge.state}`);
  }
  return { ...charge, state: 'voided', voidedAt: isoInstant(now), version: charge.version + 1 };
}

/**
 * The shopper's bank takes money back.
 * @param now milliseconds since the epoch
 * @throws Refusal `not-captured`, `amount-too-large`
 */
export function dispute(charge: Charge, amount: number, now: number): Charge {
  if (charge.state !== 'captured') throw new Refusal(409, 'not-captured', `it is ${charge.state}`);
  const { disputes = [] } = charge;
  const left = charge.captured - disputes.reduce((sum, { amount: taken }) => sum + taken, 0);
  if (amount > left) throw new Refusal(422, 'amount-too-large', `${left} is left to dispute`);
  const id = `dsp_${digest(`${charge.id} ${disputes.length}`).slice(0, 24)}`;
  return {
    ...charge,
    disputes: [...disputes, { id, amount, at: isoInstant(now) }],
    version: charge.version + 1,
  };
}

/**
 * @param now milliseconds since the epoch
 * @throws Refusal `not-refundable`, `reference-used`, `amount-too-large`
 */
export function refund(charge: Charge, request: { reference: string; amount: number }, now: number): Charge {
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
    refunds: [...charge.refunds, { id, reference, amount, at: isoInstant(now) }],
    version: charge.version + 1,
  };
}

/** The merchant's references are order id, hyphen, attempt. */
export function orderIdOf(reference: string): string {
  return reference.replace(/-[^-]*$/, '');
}

function refunded(charge: Charge): number {
  return charge.refunds.reduce((sum, { amount }) => sum + amount, 0);
}

/** As the API shows it. */
export function viewOf(charge: Charge): ChargeView {
  const money = (amount: number) => ({ amount, currency: charge.currency });
  return {
    id: charge.id,
    orderId: orderIdOf(charge.reference),
    reference: charge.reference,
    amount: money(charge.authorized),
    captured: money(charge.captured),
    refunded: money(refunded(charge)),
    status: statusOf(charge),
    reason: charge.reason,
    nextAction:
      charge.state === 'requires_action' && charge.actionUrl !== undefined
        ? { type: 'redirect', url: charge.actionUrl }
        : undefined,
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
