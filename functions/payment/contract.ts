import * as z from 'zod/mini';
import { id, instant, money } from '../kernel/contract.ts';

/** Ours at the provider: order id and attempt number. One authorisation at most exists for it. */
const reference = z.string().check(z.regex(/^ord_[0-9A-Za-z-]{1,64}-\d{1,6}$/));

/** As long as the longest token that an order takes: a command that is refused here would never end its order. */
const providerId = z.string().check(z.minLength(1), z.maxLength(255));
const reason = z.string().check(z.minLength(1), z.maxLength(200));

const common = {
  orderId: id('ord'),
  reference,
  amount: money,
  method: z.literal('card'),
  /** When the intent was recorded. Nothing is sent to the provider 20 hours or more after it, only asked. */
  requestedAt: instant,
  /** A resumed run: the provider is asked by `reference` before anything is sent. */
  ask: z.boolean(),
  /** Of the request that placed the order; the provider is told. */
  traceparent: z.optional(z.string()),
  /** The number of the try, from the second on, when an earlier one has failed for good. */
  attempted: z.optional(z.int().check(z.minimum(2))),
};

/** An id that the run does not know is looked up at the provider by `reference`. */
const authorizationId = z.optional(providerId);

/** What a task state of the checkout saga asks of the payment provider: one money call. */
export const providerCommand = z.discriminatedUnion('step', [
  z
    .object({
      ...common,
      step: z.literal('authorise'),
      /** The provider's token for the shopper's card, which we charge. */
      token: z.optional(providerId),
      /** A payment that the shopper has authorised in the browser, which we confirm. */
      paymentKey: z.optional(providerId),
    })
    .check(
      z.refine(({ token, paymentKey }) => (token === undefined) !== (paymentKey === undefined), {
        error: 'needs either a token or a paymentKey',
      }),
    ),
  z.object({ ...common, step: z.literal('capture'), authorizationId }),
  z.object({ ...common, step: z.literal('void'), authorizationId }),
  z.object({ ...common, step: z.literal('refund'), captureId: z.optional(providerId), refundId: id('rfd') }),
]);
export type ProviderCommand = z.infer<typeof providerCommand>;

/** What is certain afterwards. What is not certain is no outcome: the task fails with `provider-unavailable`. */
export const providerOutcome = z.discriminatedUnion('outcome', [
  z.object({
    step: z.literal('authorise'),
    outcome: z.literal('authorized'),
    authorizationId: providerId,
    provider: z.string(),
  }),
  /** The shopper must act (3-D Secure) before the money is held. */
  z.object({
    step: z.literal('authorise'),
    outcome: z.literal('requires_action'),
    authorizationId: providerId,
    provider: z.string(),
    nextAction: z.object({ type: z.literal('redirect'), url: z.string() }),
  }),
  /** Nothing is held; another attempt may be opened. */
  z.object({ step: z.literal('authorise'), outcome: z.literal('declined'), reason }),
  /** Of a void: it came too late, the money has been taken. */
  z.object({ step: z.enum(['capture', 'void']), outcome: z.literal('captured'), captureId: providerId }),
  /** Nothing is held: it was given back, or there never was anything. */
  z.object({ step: z.literal('void'), outcome: z.literal('voided') }),
  z.object({ step: z.literal('refund'), outcome: z.literal('refunded'), providerRefundId: providerId }),
  /** The provider did not do it, and will not do it later. */
  z.object({ step: z.enum(['capture', 'void', 'refund']), outcome: z.literal('failed'), reason }),
]);
export type ProviderOutcome = z.infer<typeof providerOutcome>;
