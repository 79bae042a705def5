import type { Now } from '../../kernel/clock.ts';
import type { HttpRequest } from '../../kernel/http.ts';
import type { getCart as contract } from '../contract.ts';
import { type FindPorts, findCart } from './find-cart.ts';
import { cartAnswer, type MarketPorts, marketOf } from './price-cart.ts';

interface Ports extends FindPorts, MarketPorts {
  readonly now: Now;
}

/**
 * 1. Find the cart.
 * 2. Price it for the destination asked for.
 */
export const getCart =
  (ports: Ports) =>
  async ({ params, query, caller }: HttpRequest<typeof contract>) => {
    const cart = await findCart(ports, params.cartId, { customerId: caller?.customerId, now: ports.now() });
    return cartAnswer(200, cart, await marketOf(ports, cart.lines), query);
  };
