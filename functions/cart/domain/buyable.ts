import type { Currency } from '../../kernel/contract.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { SkuPrice } from './priced-cart.ts';

/**
 * That each SKU is sold and in one currency with the cart: `currency`, or the first SKU's when that is open.
 * @param skus with the JSON pointer to each in the request
 * @returns the cart's currency from now on
 * @throws DomainError `validation-failed` naming what is not sold, `currency-mismatch`
 */
export function requireBuyable(
  skus: readonly { readonly sku: string; readonly pointer: string }[],
  prices: ReadonlyMap<string, SkuPrice>,
  currency: Currency | undefined,
): Currency | undefined {
  const unknown = skus.filter(({ sku }) => !prices.get(sku)?.purchasable);
  if (unknown.length > 0) {
    throw new DomainError(
      'validation-failed',
      `Not sold here: ${unknown
        .slice(0, 5)
        .map(({ sku }) => sku)
        .join(', ')}.`,
      {
        errors: unknown.map(({ sku, pointer }) => ({ pointer, message: `there is no SKU ${sku} for sale` })),
      },
    );
  }
  const found = skus.map(({ sku }) => prices.get(sku)!);
  const wanted = currency ?? found[0]?.price.currency;
  const others = found.filter(({ price }) => price.currency !== wanted);
  if (wanted !== undefined && others.length > 0) {
    throw new DomainError(
      'currency-mismatch',
      `The cart is in ${wanted}, but ${others[0]!.sku} is sold in ${others[0]!.price.currency}. Use a cart of its own.`,
      { currency: wanted, skus: others.map(({ sku }) => sku) },
    );
  }
  return wanted;
}
