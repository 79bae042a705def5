import { DomainError } from '../../kernel/errors.ts';
import type { Reader, StoredCart } from '../domain/cart.ts';

export interface FindPorts {
  /** Read consistently; undefined when it is not there for the reader. */
  readonly readCart: (cartId: string, reader: Reader) => Promise<StoredCart | undefined>;
}

/** @throws DomainError `not-found`: none, expired, or another shopper's */
export async function findCart(ports: FindPorts, cartId: string, reader: Reader): Promise<StoredCart> {
  const cart = await ports.readCart(cartId, reader);
  if (!cart) throw new DomainError('not-found', `There is no cart ${cartId}, or it has expired.`);
  return cart;
}
