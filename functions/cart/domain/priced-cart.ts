import { isoInstant } from '../../kernel/clock.ts';
import type { Currency, Money } from '../../kernel/contract.ts';
import { moneyOf } from '../../kernel/money.ts';
import type { Cart, ShippingMethod } from '../contract.ts';
import type { CartLine, StoredCart } from './cart.ts';
import { type PricedLine, type Quote, type QuoteLine, quote } from './quote.ts';
import { taxRateOf } from './rates.ts';

/** A SKU as it is sold now. */
export interface SkuPrice {
  readonly sku: string;
  readonly productId: string;
  readonly name: string;
  readonly price: Money;
  readonly purchasable: boolean;
}

/** What there is of a SKU, in units. */
export interface SkuStock {
  readonly availability: 'in_stock' | 'low' | 'sold_out';
  readonly available: number;
}

/** Prices and stock at one moment. A SKU that is missing is unknown, or not stocked. */
export interface Market {
  readonly prices: ReadonlyMap<string, SkuPrice>;
  readonly stock: ReadonlyMap<string, SkuStock>;
}

/** What the shopper asked the estimate for. */
export interface Estimate {
  readonly country?: string | undefined;
  readonly shippingMethod: ShippingMethod;
}

/**
 * The cart as the API shows it. A line that cannot be bought stays, flagged, and counts for nothing.
 * @throws DomainError `validation-failed` when the total is larger than an amount can be
 */
export function pricedCart(cart: StoredCart, market: Market, estimate: Estimate): Cart {
  const country = estimate.country ?? cart.country ?? 'US';
  const currency = cart.currency ?? 'USD';
  const { shippingMethod } = estimate;
  const sold = cart.lines.flatMap((line) => pricedLine(line, market, currency) ?? []);
  const quoted =
    sold.length > 0
      ? quote(sold, { country, shippingMethod })
      : nothing(currency, taxRateOf(country).included);
  const lines = new Map(quoted.lines.map((line) => [line.sku, line]));
  return {
    id: cart.cartId,
    status: cart.orderId !== undefined ? 'closed' : cart.claimedBy !== undefined ? 'claimed' : 'open',
    ...(cart.orderId !== undefined && { orderId: cart.orderId }),
    ...(cart.claimedBy !== undefined && { claimedBy: cart.claimedBy }),
    version: cart.version,
    currency,
    country,
    shippingMethod,
    lines: cart.lines.map((line) => shownLine(line, lines.get(line.sku), market)),
    subtotal: quoted.subtotal,
    discount: quoted.discount,
    shipping: quoted.shipping,
    tax: quoted.tax,
    taxIncluded: quoted.taxIncluded,
    total: quoted.total,
    createdAt: cart.createdAt,
    updatedAt: cart.updatedAt,
    expiresAt: isoInstant(cart.expiresAt * 1000),
  };
}

function pricedLine(line: CartLine, { prices }: Market, currency: Currency): PricedLine | undefined {
  const found = prices.get(line.sku);
  if (!found?.purchasable || found.price.currency !== currency) return undefined;
  const { productId, name, price } = found;
  return { ...line, productId, name, price };
}

function shownLine(
  { sku, quantity }: CartLine,
  quoted: QuoteLine | undefined,
  { stock }: Market,
): Cart['lines'][number] {
  if (!quoted) return { sku, quantity, unavailable: true };
  const { availability, available } = stock.get(sku) ?? { availability: 'sold_out', available: 0 };
  return { ...quoted, unavailable: false, availability, enough: available >= quantity };
}

function nothing(currency: Currency, taxIncluded: boolean): Quote {
  const zero = moneyOf(0, currency);
  return {
    currency,
    lines: [],
    subtotal: zero,
    discount: zero,
    shipping: zero,
    tax: zero,
    total: zero,
    taxIncluded,
  };
}
