import * as z from 'zod/mini';
import { shippingMethod } from '../cart/contract.ts';
import {
  address,
  amount,
  currency,
  event,
  id,
  instant,
  listOf,
  money,
  page,
  route,
} from '../kernel/contract.ts';

const orderId = id('ord');
const sku = id('sku');
const quantity = z.int().check(z.minimum(1), z.maximum(999));
const paymentMethod = z.enum(['card']);
/** A token of the payment provider; never a card number. */
const paymentToken = z.string().check(z.regex(/^[A-Za-z0-9_-]{3,255}$/));
/** Payment providers by name, as in the webhook's address. */
const paymentProvider = z.enum(['sandbox']);

/* Schemas of the public order */

const orderStatus = z.enum(['placed', 'paid', 'fulfilled', 'delivered', 'cancelled', 'expired', 'returned']);
const paymentStatus = z.enum([
  'none',
  'pending',
  'requires_action',
  'authorized',
  'captured',
  'declined',
  'unknown',
  'voided',
  'partially_refunded',
  'refunded',
]);

const orderLine = z.object({
  sku,
  productId: id('prd'),
  name: z.string(),
  quantity,
  unitPrice: money,
  discount: money,
  tax: money,
  total: money,
});

/** Where the shopper's browser must go. */
const nextAction = z.object({ type: z.literal('redirect'), url: z.string() });

export const order = z.object({
  id: orderId,
  /** For people: on the e-mail, on the telephone. */
  number: z.string(),
  status: orderStatus,
  /** The number of events so far; also the ETag. */
  version: z.int(),
  lines: z.array(orderLine),
  subtotal: money,
  discount: money,
  shipping: money,
  tax: money,
  taxIncluded: z.boolean(),
  total: money,
  currency,
  reservedUntil: instant,
  payment: z.object({
    status: paymentStatus,
    provider: z.optional(z.string()),
    method: z.optional(paymentMethod),
    /** What the shopper has to do while the status is `requires_action` (3-D Secure). */
    nextAction: z.optional(nextAction),
    amountCaptured: money,
    amountRefunded: money,
    lastError: z.optional(z.string()),
  }),
  shippingAddress: address,
  shippingMethod,
  createdAt: instant,
  updatedAt: instant,
});
export type OrderView = z.infer<typeof order>;

const payment = z.object({ method: paymentMethod, token: paymentToken });

const checkout = {
  shippingAddress: address,
  shippingMethod: z._default(shippingMethod, 'standard'),
  payment: z.optional(payment),
  expectedTotal: money,
};

/** From a cart, or at once ("buy now") from lines. */
const placeOrderBody = z.union([
  z.strictObject({ cartId: id('crt'), ...checkout }),
  z.strictObject({
    lines: z.array(z.strictObject({ sku, quantity })).check(z.minLength(1), z.maxLength(200)),
    ...checkout,
  }),
]);
export type PlaceOrderBody = z.infer<typeof placeOrderBody>;

/** A token that we charge, or a payment that the shopper has authorised in the browser, which we confirm. */
const payOrderBody = z.union([
  z.strictObject({ method: paymentMethod, token: paymentToken }),
  z.strictObject({ provider: paymentProvider, paymentKey: paymentToken, amount: money }),
]);
export type PayOrderBody = z.infer<typeof payOrderBody>;

const refund = z.object({
  id: id('rfd'),
  orderId,
  amount: money,
  status: z.enum(['pending', 'completed', 'failed']),
  reason: z.string(),
});

const historyItem = z.object({
  id: z.string(),
  type: z.string(),
  seq: z.int(),
  at: instant,
  amount: z.optional(money),
  reason: z.optional(z.string()),
});

/* Routes */

export const placeOrder = route({
  id: 'placeOrder',
  method: 'POST',
  path: '/v1/orders',
  audience: 'shopper',
  priority: 'order',
  quota: { name: 'orders', requests: 20, seconds: 60 },
  summary: 'Place an order: all lines or none, its stock reserved in the same transaction',
  idempotent: true,
  body: placeOrderBody,
  responses: { 201: order },
  problems: [
    'not-found',
    'admission-required',
    'admission-invalid',
    'admission-used',
    'customer-limit',
    'drop-not-open',
    'out-of-stock',
    'price-changed',
    'cart-closed',
    'cart-empty',
    'idempotency-key-reused',
    'too-many-lines',
    'currency-mismatch',
    'temporary-reduced-capacity',
  ],
});

export const listOrders = route({
  id: 'listOrders',
  method: 'GET',
  path: '/v1/orders',
  audience: 'shopper',
  priority: 'cart',
  summary: "The caller's own orders, newest first",
  query: z.object(page),
  responses: { 200: listOf(order) },
  problems: ['invalid-cursor'],
});

const orderParams = z.object({ orderId });

export const getOrder = route({
  id: 'getOrder',
  method: 'GET',
  path: '/v1/orders/{orderId}',
  audience: 'shopper',
  priority: 'order',
  summary: "One of the caller's own orders",
  params: orderParams,
  responses: { 200: order },
  problems: ['not-found'],
});

export const listOrderEvents = route({
  id: 'listOrderEvents',
  method: 'GET',
  path: '/v1/orders/{orderId}/events',
  audience: 'shopper',
  priority: 'cart',
  summary: "The history of one of the caller's own orders, oldest first",
  params: orderParams,
  responses: { 200: listOf(historyItem) },
  problems: ['not-found'],
});

export const payOrder = route({
  id: 'payOrder',
  method: 'POST',
  path: '/v1/orders/{orderId}/payments',
  audience: 'shopper',
  priority: 'pay',
  quota: { name: 'payments', requests: 20, seconds: 60 },
  summary: 'Pay a placed order: the first time, or again after a decline',
  params: orderParams,
  idempotent: true,
  body: payOrderBody,
  responses: { 202: order },
  problems: [
    'not-found',
    'order-state',
    'amount-mismatch',
    'idempotency-key-reused',
    'temporary-reduced-capacity',
  ],
});

export const cancelOrder = route({
  id: 'cancelOrder',
  method: 'POST',
  path: '/v1/orders/{orderId}/cancel',
  audience: 'shopper',
  priority: 'order',
  summary: 'Cancel an order before it is fulfilled; what was captured is refunded',
  params: orderParams,
  idempotent: true,
  responses: { 202: order },
  problems: ['not-found', 'order-state', 'temporary-reduced-capacity'],
});

export const fulfilOrder = route({
  id: 'fulfilOrder',
  method: 'POST',
  path: '/v1/admin/orders/{orderId}/fulfil',
  audience: 'operators',
  priority: 'operate',
  summary:
    'A paid order has been handed to the carrier: it can no longer be cancelled. Harmless when repeated.',
  params: orderParams,
  responses: { 200: order },
  problems: ['not-found', 'order-state', 'temporary-reduced-capacity'],
});

export const deliverOrder = route({
  id: 'deliverOrder',
  method: 'POST',
  path: '/v1/admin/orders/{orderId}/deliver',
  audience: 'operators',
  priority: 'operate',
  summary: 'A fulfilled order has reached the shopper. Harmless when repeated.',
  params: orderParams,
  responses: { 200: order },
  problems: ['not-found', 'order-state', 'temporary-reduced-capacity'],
});

export const refundOrder = route({
  id: 'refundOrder',
  method: 'POST',
  path: '/v1/admin/orders/{orderId}/refunds',
  audience: 'operators',
  priority: 'operate',
  summary: 'Refund an amount, some lines, or all that is left of a captured order',
  params: orderParams,
  idempotent: true,
  body: z.strictObject({
    amount: z.optional(z.object({ amount: z.int().check(z.minimum(1)), currency })),
    lines: z.optional(z.array(z.strictObject({ sku, quantity })).check(z.minLength(1), z.maxLength(50))),
    reason: z.string().check(z.trim(), z.minLength(1), z.maxLength(200)),
  }),
  responses: { 201: refund },
  problems: [
    'not-found',
    'order-state',
    'currency-mismatch',
    'idempotency-key-reused',
    'temporary-reduced-capacity',
  ],
});

export const receivePaymentWebhook = route({
  id: 'receivePaymentWebhook',
  method: 'POST',
  path: '/v1/webhooks/payments/{provider}',
  audience: 'provider',
  priority: 'pay',
  summary:
    'A signed word of the payment provider that a payment has changed: a hint to look, never a command',
  params: z.object({ provider: paymentProvider }),
  body: 'text',
  responses: { 200: z.object({ received: z.boolean() }) },
  problems: ['signature-invalid', 'not-found', 'payload-too-large', 'temporary-reduced-capacity'],
});

/* Events. Bodies carry no name, address, e-mail or payment token: those stay in the stored item, off the bus. */

/** Lines that draw on one SKU are added up: a draw may be larger than a line. */
const draw = z.object({ sku, shard: z.int(), quantity: z.int().check(z.minimum(1)) });

/** Amounts in minor units of the order's currency. */
const placedLine = z.object({
  sku,
  productId: id('prd'),
  name: z.string(),
  quantity,
  unitPrice: amount,
  discount: amount,
  tax: amount,
  total: amount,
});

export const orderSummary = z.object({
  customerId: z.string(),
  number: z.string(),
  locale: z.enum(['ko', 'en']),
  lines: z.array(z.object({ sku, name: z.string(), quantity, total: money })),
  subtotal: money,
  discount: money,
  shipping: money,
  tax: money,
  taxIncluded: z.boolean(),
  total: money,
});
export type OrderSummary = z.infer<typeof orderSummary>;

const attempt = z.int().check(z.minimum(1));
const source = 'floodgate.order';

export const orderPlaced = event({
  source,
  type: 'order.placed',
  version: 1,
  summary: 'An order and its reservations exist. With `payment`, its first payment attempt is open.',
  body: z.object({
    customerId: z.string(),
    number: z.string(),
    locale: z.enum(['ko', 'en']),
    /** SHA-256 of the canonical request: the same key with another body is refused. */
    requestHash: z.string(),
    cartId: z.optional(id('crt')),
    currency,
    lines: z.array(placedLine),
    /** Where each unit was taken from, and so where a release puts it back. */
    draws: z.array(draw),
    subtotal: amount,
    discount: amount,
    shipping: amount,
    tax: amount,
    taxIncluded: z.boolean(),
    total: amount,
    shippingMethod,
    reservedUntil: instant,
    payment: z.optional(z.object({ method: paymentMethod })),
    /**
     * The drops that it buys from: by the admission at `position`, or without one while nobody conducts the drop.
     * `units` count against the shopper's limit there until the order ends unpaid.
     */
    admissions: z.optional(
      z.array(
        z.object({
          dropId: id('drp'),
          position: z.optional(z.int()),
          units: z.int().check(z.minimum(1)),
        }),
      ),
    ),
  }),
});

export const paymentRequested = event({
  source,
  type: 'payment.requested',
  version: 1,
  summary: 'A payment attempt is open. At most one is at any time.',
  body: z.object({
    attempt,
    method: paymentMethod,
    /** Of a payment that the shopper has authorised in the browser. */
    provider: z.optional(z.string()),
    keyHash: z.string(),
    requestHash: z.string(),
  }),
});

export const paymentActionRequired = event({
  source,
  type: 'payment.action_required',
  version: 1,
  summary: 'The shopper must act (3-D Secure) before the money is held. The attempt stays open.',
  body: z.object({ attempt, authorizationId: z.string(), provider: z.string(), nextAction }),
});

export const paymentUnknown = event({
  source,
  type: 'payment.unknown',
  version: 1,
  summary: 'The provider did not say in time what became of the step. It is asked until it does.',
  body: z.object({ attempt, step: z.enum(['authorise', 'capture', 'void']) }),
});

export const paymentHinted = event({
  source,
  type: 'payment.hinted',
  version: 1,
  summary:
    'Somebody says that it is time to ask the provider about what is outstanding. No statement about it.',
  body: z.object({
    by: z.enum(['provider', 'reconciler']),
    attempt: z.optional(attempt),
    refundId: z.optional(id('rfd')),
    /** The provider's id of the webhook: the same for each delivery of it. */
    notification: z.optional(z.string()),
  }),
});

export const captureRequested = event({
  source,
  type: 'capture.requested',
  version: 1,
  summary: 'The attempt is authorised, and the money is to be captured. Excludes a void of the attempt.',
  body: z.object({ attempt, authorizationId: z.string(), provider: z.string() }),
});

export const voidRequested = event({
  source,
  type: 'void.requested',
  version: 1,
  summary: 'The attempt is authorised, and the hold is to be given up. Excludes a capture of the attempt.',
  body: z.object({
    attempt,
    authorizationId: z.string(),
    provider: z.string(),
    because: z.enum(['cancel', 'expiry', 'capture-failed']),
    /** The number of the try, from the second on: each has an idempotency key of its own. */
    attempted: z.optional(z.int().check(z.minimum(2))),
  }),
});

export const paymentCaptured = event({
  source,
  type: 'payment.captured',
  version: 1,
  summary: 'The money has been taken; the order is paid.',
  body: z.object({
    attempt,
    captureId: z.string(),
    provider: z.string(),
    amount: money,
    summary: orderSummary,
  }),
});

export const paymentDeclined = event({
  source,
  type: 'payment.declined',
  version: 1,
  summary: 'The attempt is closed without money. The order stays placed until it expires.',
  body: z.object({
    attempt,
    reason: z.string(),
    /** Absent when the order ends with the attempt, as was wished or its time was over. */
    retryUntil: z.optional(instant),
    summary: orderSummary,
  }),
});

export const paymentVoided = event({
  source,
  type: 'payment.voided',
  version: 1,
  summary: 'The hold of the attempt has been given up; the attempt is closed.',
  body: z.object({
    attempt,
    /** What was held. Events from before the ledger kept memos of it have none. */
    amount: z.optional(money),
    /** The provider would not give it up: it lapses by itself, within days. */
    lapses: z.optional(z.literal(true)),
  }),
});

export const cancelRequested = event({
  source,
  type: 'cancel.requested',
  version: 1,
  summary: 'The shopper wishes to cancel; carried out when the open attempt settles.',
  body: z.object({}),
});

export const expiryRequested = event({
  source,
  type: 'expiry.requested',
  version: 1,
  summary: 'The reservation is over while an attempt is open; carried out when the attempt settles.',
  body: z.object({}),
});

const ended = z.object({
  reason: z.enum(['shopper', 'operator', 'unpaid']),
  /** The reservations that this event gave back, in the same transaction. */
  released: z.array(draw),
  summary: orderSummary,
});

export const orderCancelled = event({
  source,
  type: 'order.cancelled',
  version: 1,
  summary: 'The order is cancelled and its stock given back.',
  body: ended,
});

export const orderExpired = event({
  source,
  type: 'order.expired',
  version: 1,
  summary: 'The order was not paid in time; its stock is given back.',
  body: ended,
});

export const orderFulfilled = event({
  source,
  type: 'order.fulfilled',
  version: 1,
  summary: 'A paid order has been handed to the carrier.',
  body: z.object({ summary: orderSummary }),
});

export const orderDelivered = event({
  source,
  type: 'order.delivered',
  version: 1,
  summary: 'A fulfilled order has reached the shopper.',
  body: z.object({ summary: orderSummary }),
});

/** How a refund splits over what was sold; the parts sum to its amount. `net` excludes tax and shipping. */
const breakdown = z.object({ net: money, tax: money, shipping: money });

export const refundRequested = event({
  source,
  type: 'refund.requested',
  version: 1,
  summary: 'Money is to be given back. Sums with earlier refunds to at most what was captured.',
  body: z.object({
    refundId: id('rfd'),
    amount: money,
    breakdown,
    /** The units that are given back, where the refund is of lines. */
    lines: z.optional(z.array(z.object({ sku, quantity }))),
    reason: z.string(),
    requestHash: z.string(),
  }),
});

export const refundCompleted = event({
  source,
  type: 'refund.completed',
  version: 1,
  summary: 'The money of a refund has been given back.',
  body: z.object({
    refundId: id('rfd'),
    providerRefundId: z.string(),
    amount: money,
    /** All completed refunds of the order, this one included. */
    refundedTotal: money,
    breakdown,
    summary: orderSummary,
  }),
});

export const refundFailed = event({
  source,
  type: 'refund.failed',
  version: 1,
  summary: 'The provider refused a refund for good; nothing was given back.',
  body: z.object({ refundId: id('rfd'), reason: z.string() }),
});

/** What may leave something to be done at the payment provider. */
export const checkoutEvents = [
  orderPlaced,
  paymentRequested,
  refundRequested,
  cancelRequested,
  expiryRequested,
  paymentHinted,
] as const;

/** Those before which nothing can have been sent for their attempt or refund. */
export const firstRuns: readonly string[] = [orderPlaced.type, paymentRequested.type, refundRequested.type];
