import { isoInstant, type Now } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { HttpRequest } from '../../kernel/http.ts';
import type { IdPrefix } from '../../kernel/ids.ts';
import type { claimCart as contract } from '../contract.ts';
import { expiryOf, mergedLines, type Reader, requireOpen, type StoredCart } from '../domain/cart.ts';
import { pricedCart } from '../domain/priced-cart.ts';
import { type FindPorts, findCart } from './find-cart.ts';
import { cartAnswer, type MarketPorts, marketOf } from './price-cart.ts';

/** Both carts as they are to be, with what must still be so for the claim to hold. */
export interface Claim {
  /** The guest's cart, emptied and marked; it must still be at the version before. */
  readonly guest: StoredCart;
  /** The shopper's cart with the lines of both; at the version before, or new at version 1. */
  readonly own: StoredCart;
  readonly customerId: string;
  /** The cart that the shopper's pointer names now; it is to name `own`. */
  readonly pointsTo: string | undefined;
}

interface Ports extends FindPorts, MarketPorts {
  readonly now: Now;
  readonly newId: (prefix: IdPrefix) => string;
  /** The id of the cart that a shopper uses now, whatever has become of it. */
  readonly currentCartId: (customerId: string) => Promise<string | undefined>;
  /** All of it in one transaction; false when something has changed meanwhile. */
  readonly storeClaim: (claim: Claim) => Promise<boolean>;
}

const attempts = 5;

/**
 * 1. Find the guest's cart. One that this shopper has claimed already, or owns, needs nothing more.
 * 2. Find the shopper's own open cart, or begin one.
 * 3. Merge: quantities of a SKU add up; refuse another currency, or more lines than a cart holds.
 * 4. Store both in one transaction; begin again if either has changed meanwhile.
 * 5. Answer the shopper's cart priced now.
 */
export const claimCart =
  (ports: Ports) =>
  async ({ params, query, caller }: HttpRequest<typeof contract>) => {
    const { customerId } = caller;
    for (let attempt = 0; attempt < attempts; attempt++) {
      const reader: Reader = { customerId, now: ports.now() };
      const guest = await findCart(ports, params.cartId, reader);
      if (guest.ownerId === customerId) {
        const own = guest.claimedBy ? await findCart(ports, guest.claimedBy, reader) : guest;
        return cartAnswer(200, own, await marketOf(ports, own.lines), query);
      }
      requireOpen(guest);
      const pointsTo = await ports.currentCartId(customerId);
      const current = pointsTo === undefined ? undefined : await ports.readCart(pointsTo, reader);
      const own = current?.orderId === undefined ? current : undefined;
      const merged = merge(guest, own, { customerId, now: reader.now, newId: ports.newId });
      const market = await marketOf(ports, merged.lines);
      // Refuses a total beyond what an amount can hold before it is stored.
      pricedCart(merged, market, query);
      const marked: StoredCart = {
        ...guest,
        ownerId: customerId,
        claimedBy: merged.cartId,
        lines: [],
        version: guest.version + 1,
        updatedAt: merged.updatedAt,
        expiresAt: merged.expiresAt,
      };
      if (await ports.storeClaim({ guest: marked, own: merged, customerId, pointsTo })) {
        return cartAnswer(200, merged, market, query);
      }
    }
    throw new DomainError('temporary-reduced-capacity', 'The carts are changing too fast. Please try again.');
  };

function merge(
  guest: StoredCart,
  own: StoredCart | undefined,
  { customerId, now, newId }: { customerId: string; now: number; newId: (prefix: IdPrefix) => string },
): StoredCart {
  const currency = mergedCurrency(guest, own);
  const country = own?.country ?? guest.country;
  return {
    ...(own ?? { cartId: newId('crt'), ownerId: customerId, createdAt: isoInstant(now) }),
    ...(currency && { currency }),
    ...(country && { country }),
    version: (own?.version ?? 0) + 1,
    lines: mergedLines(own?.lines ?? [], guest.lines),
    updatedAt: isoInstant(now),
    expiresAt: expiryOf(now),
  };
}

/** That of whichever cart has lines. @throws DomainError `currency-mismatch` when both do, in different ones */
function mergedCurrency(guest: StoredCart, own: StoredCart | undefined): StoredCart['currency'] {
  if (!own || own.lines.length === 0)
    return guest.lines.length > 0 ? guest.currency : (own?.currency ?? guest.currency);
  if (guest.lines.length > 0 && guest.currency !== own.currency) {
    throw new DomainError(
      'currency-mismatch',
      `Your cart is in ${own.currency}, this one in ${guest.currency}. Order one of them first.`,
      { currency: own.currency },
    );
  }
  return own.currency;
}
