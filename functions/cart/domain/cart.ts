import type { Currency } from '../../kernel/contract.ts';
import { DomainError } from '../../kernel/errors.ts';
import { maxLines, maxQuantity } from '../contract.ts';

export interface CartLine {
  readonly sku: string;
  readonly quantity: number;
}

/** A cart as it is stored: one item with its lines. Prices are not in it; they are those of the moment. */
export interface StoredCart {
  readonly cartId: string;
  /** Begins at 1; one more with every write. */
  readonly version: number;
  /** The shopper whose it is. Absent on a guest's cart: its id is its capability. */
  readonly ownerId?: string;
  /** Chosen at the start, or that of the first line; it stays. */
  readonly currency?: Currency;
  readonly country?: string;
  readonly lines: readonly CartLine[];
  /** The order that it became: it stays closed. */
  readonly orderId?: string;
  /** The cart that took its lines over when a shopper claimed it. */
  readonly claimedBy?: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Seconds since the epoch. DynamoDB deletes it some time after; from then on it counts as gone. */
  readonly expiresAt: number;
}

/** Who asks, and when (milliseconds since the epoch). */
export interface Reader {
  readonly customerId?: string | undefined;
  readonly now: number;
}

const lifetimeSeconds = 30 * 24 * 60 * 60;

/** The seconds since the epoch at which a cart written now (milliseconds) expires: 30 days later. */
export function expiryOf(now: number): number {
  return Math.floor(now / 1000) + lifetimeSeconds;
}

/** Whether the cart is there for this reader: not expired, and a guest's or the reader's own. */
export function isThereFor(cart: Pick<StoredCart, 'ownerId' | 'expiresAt'>, reader: Reader): boolean {
  return (
    cart.expiresAt * 1000 > reader.now && (cart.ownerId === undefined || cart.ownerId === reader.customerId)
  );
}

/** @throws DomainError `cart-closed`, with what became of it */
export function requireOpen(cart: StoredCart): void {
  if (cart.orderId !== undefined) {
    throw new DomainError('cart-closed', 'This cart has been ordered. Start a new one.', {
      orderId: cart.orderId,
    });
  }
  if (cart.claimedBy !== undefined) {
    throw new DomainError('cart-closed', 'The lines of this cart have moved to the cart `claimedBy`.', {
      claimedBy: cart.claimedBy,
    });
  }
}

/**
 * The lines with `sku` at `quantity`: in its place when it is there, else at the end.
 * @throws DomainError `too-many-lines`
 */
export function withLine(lines: readonly CartLine[], line: CartLine): readonly CartLine[] {
  const known = lines.some(({ sku }) => sku === line.sku);
  const next = known ? lines.map((old) => (old.sku === line.sku ? line : old)) : [...lines, line];
  refuseTooMany(next);
  return next;
}

export function withoutLine(lines: readonly CartLine[], sku: string): readonly CartLine[] {
  return lines.filter((line) => line.sku !== sku);
}

/**
 * The lines of both, the quantities of a SKU added up, and cut at what a line may hold.
 * @throws DomainError `too-many-lines`
 */
export function mergedLines(into: readonly CartLine[], from: readonly CartLine[]): readonly CartLine[] {
  const quantities = new Map(into.map(({ sku, quantity }) => [sku, quantity]));
  for (const { sku, quantity } of from) {
    quantities.set(sku, Math.min((quantities.get(sku) ?? 0) + quantity, maxQuantity));
  }
  const lines = [...quantities].map(([sku, quantity]) => ({ sku, quantity }));
  refuseTooMany(lines);
  return lines;
}

/** @throws DomainError `too-many-lines` */
function refuseTooMany(lines: readonly CartLine[]): void {
  if (lines.length <= maxLines) return;
  throw new DomainError('too-many-lines', `A cart holds at most ${maxLines} different SKUs.`, { maxLines });
}
