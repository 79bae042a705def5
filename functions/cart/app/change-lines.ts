import { isoInstant, type Now } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import { expiryOf, type Reader, requireOpen, type StoredCart } from '../domain/cart.ts';
import { type Estimate, type Market, pricedCart } from '../domain/priced-cart.ts';
import { requireMatch, takesAny } from '../domain/version.ts';
import { type FindPorts, findCart } from './find-cart.ts';
import { cartAnswer, type MarketPorts, marketOf } from './price-cart.ts';

export interface ChangePorts extends FindPorts, MarketPorts {
  readonly now: Now;
  /** Whether it was stored: not when it is no longer at the version before, or has been ordered meanwhile. */
  readonly replaceCart: (cart: StoredCart) => Promise<boolean>;
}

/** A write to one line of a cart, by somebody who knows its version. */
interface LineRequest {
  readonly params: { readonly cartId: string; readonly sku: string };
  readonly query: Estimate;
  readonly caller: { readonly customerId: string } | undefined;
  readonly ifMatch: string;
}

const attempts = 5;

/**
 * 1. Find the cart; refuse when it is closed, or not at the version asked for.
 * 2. Change it; a change that is none writes nothing.
 * 3. Store it unless it has changed meanwhile: then `If-Match: *` begins again, and a version is refused.
 * 4. Answer the cart priced now.
 */
export async function changeLines(
  ports: ChangePorts,
  { params, query, caller, ifMatch }: LineRequest,
  change: (cart: StoredCart, market: Market) => Pick<StoredCart, 'lines' | 'currency'>,
) {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const now = ports.now();
    const reader: Reader = { customerId: caller?.customerId, now };
    const cart = await findCart(ports, params.cartId, reader);
    requireOpen(cart);
    requireMatch(ifMatch, cart);
    const market = await marketOf(ports, cart.lines, [params.sku]);
    const changed = change(cart, market);
    if (sameLines(changed.lines, cart.lines)) return cartAnswer(200, cart, market, query);
    const next: StoredCart = {
      ...cart,
      ...changed,
      version: cart.version + 1,
      updatedAt: isoInstant(now),
      expiresAt: expiryOf(now),
    };
    // Refuses a total beyond what an amount can hold before it is stored.
    pricedCart(next, market, query);
    if (await ports.replaceCart(next)) return cartAnswer(200, next, market, query);
    if (!takesAny(ifMatch)) requireMatch(ifMatch, await findCart(ports, params.cartId, reader));
  }
  throw new DomainError('temporary-reduced-capacity', 'The cart is changing too fast. Please try again.');
}

function sameLines(a: StoredCart['lines'], b: StoredCart['lines']): boolean {
  return (
    a.length === b.length && a.every((line, i) => line.sku === b[i]?.sku && line.quantity === b[i].quantity)
  );
}
