import * as z from 'zod/mini';
import { currency, event, money } from '../kernel/contract.ts';

const text = (max: number) => z.string().check(z.regex(/^[\x21-\x7e]+$/), z.maxLength(max));
/** Minor units; a payment of nothing is no payment. */
const amount = z.int().check(z.minimum(1));

/** `POST /authorizations`. */
export const authorizationRequest = z.strictObject({
  /** The merchant's: order id, hyphen, attempt. One authorisation at most exists for it. */
  reference: text(100),
  amount,
  currency,
  method: z.literal('card'),
  token: text(100),
});

/**
 * `POST /payment-keys`: what the provider's code in the shopper's browser does. It takes no API key, and charges
 * nothing: the merchant's server does, by `POST /payments`, for the same order and amount.
 */
export const paymentKeyRequest = z.strictObject({ orderId: text(64), amount, currency, token: text(100) });

/** `POST /payments`: confirms a payment that the shopper has authorised in the browser; that is the charge. */
export const confirmationRequest = z.strictObject({
  paymentKey: text(100),
  /** As of an authorisation, and for the payment key's own order. */
  reference: text(100),
  amount,
  currency,
});

/** `POST /authorizations/{id}/captures`: once, for no more than was authorised. */
export const captureRequest = z.strictObject({ amount });

/** `POST /captures/{id}/refunds`: for no more than is left of the capture. One refund at most for a reference. */
export const refundRequest = z.strictObject({ amount, reference: text(100) });

/** A line of the sandbox's book, and the answer to everything that changes it. */
export const charge = z.object({
  /** Of the authorisation. */
  id: z.string(),
  orderId: z.string(),
  reference: z.string(),
  /** What was authorised. */
  amount: money,
  captured: money,
  refunded: money,
  status: z.enum([
    'requires_action',
    'authorized',
    'declined',
    'captured',
    'voided',
    'partially_refunded',
    'refunded',
  ]),
  /** Why it was declined. */
  reason: z.optional(z.string()),
  /** Where the shopper must go (3-D Secure) while the status is `requires_action`. */
  nextAction: z.optional(z.object({ type: z.literal('redirect'), url: z.string() })),
  captureId: z.optional(z.string()),
  refunds: z.array(z.object({ id: z.string(), reference: z.string(), amount: money })),
  authorizedAt: z.iso.datetime(),
  capturedAt: z.optional(z.iso.datetime()),
  voidedAt: z.optional(z.iso.datetime()),
});
export type ChargeView = z.infer<typeof charge>;

/** `POST /captures/{id}/disputes`: the shopper's bank takes money back. For tests: real ones come unasked. */
export const disputeRequest = z.strictObject({ amount });

const minorUnits = z.coerce.number().check(z.int());

/**
 * A row of a settlement file, amounts in minor units. `gross` and `net` are what moved to the merchant's balance:
 * negative for refunds, disputes and payouts. An `adjustment` corrects an earlier row of its reference.
 */
export const settlementRow = z.object({
  type: z.enum(['charge', 'refund', 'dispute', 'adjustment', 'payout']),
  /** The merchant's: of a charge and its dispute that of the attempt, of a refund the refund's. */
  reference: z.string(),
  providerId: z.string(),
  occurredAt: z.iso.datetime(),
  currency,
  gross: minorUnits,
  /** What the provider keeps; not negative but in an adjustment. */
  fee: minorUnits,
  net: minorUnits,
});
export type SettlementRow = z.infer<typeof settlementRow>;

/** The columns of the file, in their order. */
export const settlementColumns = [
  'type',
  'reference',
  'providerId',
  'occurredAt',
  'currency',
  'gross',
  'fee',
  'net',
] as const satisfies readonly (keyof SettlementRow)[];

/** Every answer that is not a success. */
export const failure = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** The JSON of a webhook. It says that something has changed, not what: who wants to know asks. */
export const webhook = z.object({
  /** The same for every delivery of one change. */
  id: z.string(),
  type: z.literal('charge.changed'),
  reference: z.string(),
});
export type Webhook = z.infer<typeof webhook>;

/** The header with a webhook's signature: `t=<seconds>,v1=<HMAC-SHA-256 of "<seconds>.<raw body>">`. */
export const signatureHeader = 'sandbox-signature';

export const webhookDue = event({
  source: 'floodgate.sandbox',
  type: 'webhook.due',
  version: 1,
  summary: 'A charge of the sandbox provider has changed; its merchant is to hear of it.',
  body: z.object({
    chargeId: z.string(),
    reference: z.string(),
    /** 1 for the first change of the charge. */
    change: z.int(),
  }),
});
