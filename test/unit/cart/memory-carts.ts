import type { Claim } from '../../../functions/cart/app/claim-cart.ts';
import { isThereFor, type Reader, type StoredCart } from '../../../functions/cart/domain/cart.ts';
import type { Market, SkuPrice, SkuStock } from '../../../functions/cart/domain/priced-cart.ts';
import type { Currency } from '../../../functions/kernel/contract.ts';

/** The cart's ports in memory, with the same conditions as the table's. */
export class MemoryCarts {
  readonly carts = new Map<string, StoredCart>();
  readonly pointers = new Map<string, string>();
  readonly prices = new Map<string, SkuPrice>();
  readonly stock = new Map<string, SkuStock>();
  time = Date.UTC(2026, 0, 1);
  writes = 0;
  /** Runs once, just before the next conditional write: what somebody else does meanwhile. */
  meanwhile: (() => void) | undefined;
  #ids = 0;

  now = () => this.time;
  newId = (prefix: string) => `${prefix}_${++this.#ids}`;
  market = async (): Promise<Market> => ({ prices: this.prices, stock: this.stock });

  readCart = async (cartId: string, reader: Reader) => {
    const cart = this.carts.get(cartId);
    return cart && isThereFor(cart, reader) ? cart : undefined;
  };

  createCart = async (cart: StoredCart) => {
    this.writes++;
    this.carts.set(cart.cartId, cart);
    if (cart.ownerId) this.pointers.set(cart.ownerId, cart.cartId);
  };

  replaceCart = async (cart: StoredCart) => {
    this.#interrupt();
    if (!this.#takes(cart)) return false;
    this.writes++;
    this.carts.set(cart.cartId, cart);
    return true;
  };

  currentCartId = async (customerId: string) => this.pointers.get(customerId);

  storeClaim = async ({ guest, own, customerId, pointsTo }: Claim) => {
    this.#interrupt();
    if (!this.#takes(guest) || !this.#takes(own) || this.pointers.get(customerId) !== pointsTo) return false;
    this.writes++;
    this.carts.set(guest.cartId, guest).set(own.cartId, own);
    this.pointers.set(customerId, own.cartId);
    return true;
  };

  /** Puts a SKU on sale. */
  sell(sku: string, amount: number, currency: Currency = 'USD', available = 100) {
    const price = { amount, currency };
    this.prices.set(sku, { sku, productId: 'prd_a', name: `Name of ${sku}`, price, purchasable: true });
    this.stock.set(sku, { availability: available === 0 ? 'sold_out' : 'in_stock', available });
  }

  /** Marks the cart as the order's transaction does. */
  order(cartId: string, orderId = 'ord_1') {
    const cart = this.carts.get(cartId)!;
    this.carts.set(cartId, { ...cart, orderId, version: cart.version + 1 });
  }

  #interrupt() {
    const happens = this.meanwhile;
    this.meanwhile = undefined;
    happens?.();
  }

  #takes({ cartId, version }: StoredCart): boolean {
    const stored = this.carts.get(cartId);
    return stored ? stored.version === version - 1 && stored.orderId === undefined : version === 1;
  }
}
