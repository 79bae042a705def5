import * as z from 'zod/mini';
import { country, currency, id, instant, money, route } from '../kernel/contract.ts';

export const shippingMethod = z.enum(['standard', 'express']);
export type ShippingMethod = z.infer<typeof shippingMethod>;

/** Distinct SKUs a cart or an order may have. */
export const maxLines = 50;
/** Units a line may have. */
export const maxQuantity = 999;

const cartId = id('crt');
const sku = z.string().check(z.minLength(1), z.maxLength(64));

const quantity = z
  .int()
  .check(
    z.minimum(1, 'must be at least 1; to remove a line, DELETE it'),
    z.maximum(maxQuantity, `must be at most ${maxQuantity}`),
  );

const cartLine = z.object({
  sku,
  quantity: z.int(),
  /** The product is no longer sold, or not in the cart's currency: the line is left out of the totals. */
  unavailable: z.boolean(),
  /** Absent on a line that is unavailable, as is everything below. */
  productId: z.optional(z.string()),
  name: z.optional(z.string()),
  unitPrice: z.optional(money),
  discount: z.optional(money),
  tax: z.optional(money),
  total: z.optional(money),
  availability: z.optional(z.enum(['in_stock', 'low', 'sold_out'])),
  /** Whether there are units enough for the line's quantity now. */
  enough: z.optional(z.boolean()),
});

/** A cart, priced now for a destination and a way of shipping. */
export const cart = z.object({
  id: cartId,
  /** `closed`: it became the order `orderId`. `claimed`: its lines are in the cart `claimedBy`. */
  status: z.enum(['open', 'closed', 'claimed']),
  orderId: z.optional(id('ord')),
  claimedBy: z.optional(cartId),
  version: z.int(),
  /** Chosen when the cart was made, or that of its first line; USD before there is either. */
  currency,
  country,
  shippingMethod,
  lines: z.array(cartLine),
  subtotal: money,
  discount: money,
  /** An estimate: the order's own address decides. */
  shipping: money,
  tax: money,
  taxIncluded: z.boolean(),
  total: money,
  createdAt: instant,
  updatedAt: instant,
  expiresAt: instant,
});
export type Cart = z.infer<typeof cart>;

const params = z.object({ cartId });
const lineParams = z.object({ cartId, sku });

/** What the estimate is for. */
const query = z.object({
  /** The cart's own country unless told, and US if it has none. */
  country: z.optional(country),
  shippingMethod: z._default(shippingMethod, 'standard'),
});

export const createCart = route({
  id: 'createCart',
  method: 'POST',
  path: '/v1/carts',
  audience: 'guest',
  priority: 'cart',
  quota: { name: 'carts', requests: 30, addressRequests: 600, seconds: 60 },
  summary: "Make a cart; a guest's is open to whoever knows its id",
  query,
  body: z.object({
    currency: z.optional(currency),
    country: z.optional(country),
    lines: z.optional(z.array(z.object({ sku, quantity }))),
  }),
  responses: { 201: cart },
  problems: ['too-many-lines', 'currency-mismatch'],
});

export const getCart = route({
  id: 'getCart',
  method: 'GET',
  path: '/v1/carts/{cartId}',
  audience: 'guest',
  priority: 'cart',
  summary: 'A cart, priced now',
  params,
  query,
  responses: { 200: cart },
  live: true,
});

export const putCartLine = route({
  id: 'putCartLine',
  method: 'PUT',
  path: '/v1/carts/{cartId}/lines/{sku}',
  audience: 'guest',
  priority: 'cart',
  quota: { name: 'cart-lines', requests: 120, addressRequests: 2_400, seconds: 60 },
  summary: 'Set how many of a SKU are in the cart',
  params: lineParams,
  query,
  body: z.object({ quantity }),
  conditional: true,
  responses: { 200: cart },
  problems: ['cart-closed', 'too-many-lines', 'currency-mismatch'],
});

export const deleteCartLine = route({
  id: 'deleteCartLine',
  method: 'DELETE',
  path: '/v1/carts/{cartId}/lines/{sku}',
  audience: 'guest',
  priority: 'cart',
  summary: 'Take a SKU out of the cart; one that is not in it is no error',
  params: lineParams,
  query,
  conditional: true,
  responses: { 200: cart },
  problems: ['cart-closed'],
});

export const claimCart = route({
  id: 'claimCart',
  method: 'POST',
  path: '/v1/carts/{cartId}/claim',
  audience: 'shopper',
  priority: 'cart',
  quota: { name: 'carts', requests: 30, seconds: 60 },
  summary: "Merge a guest cart into the shopper's own; repeating it changes nothing",
  params,
  query,
  responses: { 200: cart },
  problems: ['cart-closed', 'too-many-lines', 'currency-mismatch'],
});
