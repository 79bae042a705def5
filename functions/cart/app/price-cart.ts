import type { Cart } from '../contract.ts';
import type { StoredCart } from '../domain/cart.ts';
import { type Estimate, type Market, pricedCart } from '../domain/priced-cart.ts';
import { etagOf } from '../domain/version.ts';

/** Prices and stock of these SKUs now. */
export interface MarketPorts {
  readonly market: (skus: readonly string[]) => Promise<Market>;
}

/** The market of what is in the carts' lines, and of `others`. */
export function marketOf(ports: MarketPorts, lines: StoredCart['lines'], others: readonly string[] = []) {
  return ports.market([...new Set([...lines.map(({ sku }) => sku), ...others])]);
}

/** What every cart route answers: the cart priced now, under the ETag of its version. */
export function cartAnswer<S extends number>(
  status: S,
  cart: StoredCart,
  market: Market,
  estimate: Estimate,
): { status: S; body: Cart; headers: { etag: string } } {
  return { status, body: pricedCart(cart, market, estimate), headers: { etag: etagOf(cart) } };
}
