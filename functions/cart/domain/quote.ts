import type { Currency, Money } from '../../kernel/contract.ts';
import { DomainError } from '../../kernel/errors.ts';
import { moneyOf, share } from '../../kernel/money.ts';
import type { ShippingMethod } from '../contract.ts';
import { shippingFee, type TaxRate, taxRateOf } from './rates.ts';

/** What is to be priced: a SKU at its price now. */
export interface PricedLine {
  readonly sku: string;
  readonly productId: string;
  readonly name: string;
  readonly quantity: number;
  readonly price: Money;
}

export interface QuoteLine {
  readonly sku: string;
  readonly productId: string;
  readonly name: string;
  readonly quantity: number;
  readonly unitPrice: Money;
  readonly discount: Money;
  /** Part of `total` where tax is included, to be added to it where it is not. */
  readonly tax: Money;
  /** `unitPrice × quantity − discount`. */
  readonly total: Money;
}

/**
 * `subtotal = Σ (unitPrice × quantity)`, `tax = Σ line.tax`, `discount = Σ line.discount` and
 * `total = Σ line.total + shipping`, plus `tax` where it is not included. Shipping is not taxed separately.
 */
export interface Quote {
  readonly currency: Currency;
  readonly lines: readonly QuoteLine[];
  readonly subtotal: Money;
  readonly discount: Money;
  readonly shipping: Money;
  readonly tax: Money;
  readonly total: Money;
  readonly taxIncluded: boolean;
}

/** Where it goes to (ISO 3166-1 alpha-2) and how. */
interface Destination {
  readonly country: string;
  readonly shippingMethod: ShippingMethod;
}

/**
 * The price of `lines` at a destination. Tax is rounded per line, half away from zero.
 * @param rate the country's unless told
 * @throws DomainError `cart-empty` without lines, `currency-mismatch` when the prices differ in currency,
 *   `validation-failed` when a sum is beyond what an amount can hold
 */
export function quote(
  lines: readonly PricedLine[],
  { country, shippingMethod }: Destination,
  rate: TaxRate = taxRateOf(country),
): Quote {
  const currency = commonCurrency(lines);
  const quoted = lines.map((line) => quoteLine(line, rate));
  const subtotal = sum(quoted.map(({ unitPrice, quantity }) => unitPrice.amount * quantity));
  const discount = sum(quoted.map((line) => line.discount.amount));
  const tax = sum(quoted.map((line) => line.tax.amount));
  const shipping = shippingFee(currency, shippingMethod, subtotal - discount);
  const total = sum([...quoted.map((line) => line.total.amount), shipping, rate.included ? 0 : tax]);
  return {
    currency,
    lines: quoted,
    subtotal: moneyOf(subtotal, currency),
    discount: moneyOf(discount, currency),
    shipping: moneyOf(shipping, currency),
    tax: moneyOf(tax, currency),
    total: moneyOf(total, currency),
    taxIncluded: rate.included,
  };
}

function commonCurrency(lines: readonly PricedLine[]): Currency {
  const first = lines[0];
  if (!first) throw new DomainError('cart-empty', 'There is nothing to price.');
  const { currency } = first.price;
  const others = lines.filter((line) => line.price.currency !== currency);
  if (others.length > 0) {
    throw new DomainError(
      'currency-mismatch',
      `All lines must be in one currency: ${first.sku} is in ${currency}, ${others[0]!.sku} in ${others[0]!.price.currency}.`,
      { currency, skus: others.map((line) => line.sku) },
    );
  }
  return currency;
}

function quoteLine({ price, ...line }: PricedLine, rate: TaxRate): QuoteLine {
  const total = sum([price.amount * line.quantity]);
  return {
    ...line,
    unitPrice: price,
    // Nothing reduces a price yet.
    discount: moneyOf(0, price.currency),
    tax: moneyOf(taxOf(total, rate), price.currency),
    total: moneyOf(total, price.currency),
  };
}

/** Included, the tax is `rate / (1 + rate)` of the price; added, it is `rate` of it. */
function taxOf(amount: number, { millionths, included }: TaxRate): number {
  return share(amount, millionths, included ? 1_000_000 + millionths : 1_000_000);
}

function sum(amounts: readonly number[]): number {
  const total = amounts.reduce((a, b) => a + b, 0);
  if (Number.isSafeInteger(total)) return total;
  throw new DomainError('validation-failed', 'The total is larger than an amount can be.');
}
