import * as z from 'zod/mini';
import { currency, money } from '../kernel/contract.ts';

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
  status: z.enum(['authorized', 'declined', 'captured', 'voided', 'partially_refunded', 'refunded']),
  /** Why it was declined. */
  reason: z.optional(z.string()),
  captureId: z.optional(z.string()),
  refunds: z.array(z.object({ id: z.string(), reference: z.string(), amount: money })),
  authorizedAt: z.iso.datetime(),
  capturedAt: z.optional(z.iso.datetime()),
  voidedAt: z.optional(z.iso.datetime()),
});
export type ChargeView = z.infer<typeof charge>;

/** Every answer that is not a success. */
export const failure = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
