import { isoInstant, type Now } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { HttpRequest } from '../../kernel/http.ts';
import type { IdPrefix } from '../../kernel/ids.ts';
import { type createCart as contract, maxQuantity } from '../contract.ts';
import { requireBuyable } from '../domain/buyable.ts';
import { type CartLine, expiryOf, type StoredCart, withLine } from '../domain/cart.ts';
import { cartAnswer, type MarketPorts, marketOf } from './price-cart.ts';

interface Ports extends MarketPorts {
  readonly now: Now;
  readonly newId: (prefix: IdPrefix) => string;
  /** Stores the cart; a shopper's becomes the one they use now. */
  readonly createCart: (cart: StoredCart) => Promise<void>;
}

/**
 * 1. Gather the lines, adding up what is sent twice.
 * 2. Refuse what is not sold, or not in one currency.
 * 3. Store the cart, the shopper's or a guest's.
 */
export const createCart =
  (ports: Ports) =>
  async ({ body, query, caller }: HttpRequest<typeof contract>) => {
    const lines = gathered(body.lines ?? []);
    const market = await marketOf(ports, lines);
    const named = lines.map(({ sku }) => ({ sku, pointer: pointerTo(sku, body.lines ?? []) }));
    const currency = requireBuyable(named, market.prices, body.currency);
    const now = ports.now();
    const cart: StoredCart = {
      cartId: ports.newId('crt'),
      version: 1,
      ...(caller && { ownerId: caller.customerId }),
      ...(currency && { currency }),
      ...(body.country && { country: body.country }),
      lines,
      createdAt: isoInstant(now),
      updatedAt: isoInstant(now),
      expiresAt: expiryOf(now),
    };
    const answer = cartAnswer(201, cart, market, query);
    await ports.createCart(cart);
    return { ...answer, headers: { ...answer.headers, location: `/v1/carts/${cart.cartId}` } };
  };

function gathered(sent: readonly CartLine[]): readonly CartLine[] {
  let lines: readonly CartLine[] = [];
  for (const { sku, quantity } of sent) {
    const total = (lines.find((line) => line.sku === sku)?.quantity ?? 0) + quantity;
    if (total > maxQuantity) {
      throw new DomainError('validation-failed', `A line holds at most ${maxQuantity} units of ${sku}.`, {
        errors: [{ pointer: pointerTo(sku, sent), message: `at most ${maxQuantity} units altogether` }],
      });
    }
    lines = withLine(lines, { sku, quantity: total });
  }
  return lines;
}

function pointerTo(sku: string, sent: readonly CartLine[]): string {
  return `#/lines/${sent.findIndex((line) => line.sku === sku)}/sku`;
}
