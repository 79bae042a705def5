/**
 * Keys of the cart table.
 *
 * | item | pk | sk | read or written by |
 * |---|---|---|---|
 * | cart with its lines (at most 50) | `CART#<cartId>` | `CART` | get, create, put and delete a line, claim; order: read and close |
 * | the cart a shopper uses now | `OWNER#<customerId>` | `CART` | create, claim |
 *
 * No index: a cart is found by its id, a shopper's own through the pointer.
 */
export const cartKey = (cartId: string) => ({ pk: `CART#${cartId}`, sk: 'CART' });

export const ownerKey = (customerId: string) => ({ pk: `OWNER#${customerId}`, sk: 'CART' });
