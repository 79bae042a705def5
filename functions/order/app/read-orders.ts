import { decodeCursor, encodeCursor } from '../../kernel/cursor.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { OrderView } from '../contract.ts';
import { fold, type Order, type OrderEvent } from '../domain/order.ts';
import { viewOf } from '../domain/view.ts';

export interface Ports {
  readonly load: (orderId: string) => Promise<readonly OrderEvent[]>;
  /** A customer's order ids, newest first, and where to go on. */
  readonly listIds: (
    customerId: string,
    limit: number,
    after: Position | undefined,
  ) => Promise<{ ids: readonly string[]; next: Position | undefined }>;
}

type Position = readonly [string, string];

/**
 * The customer's own order.
 * @throws DomainError `not-found`, also for somebody else's: nobody learns that it exists
 */
export async function ownOrder(
  ports: Pick<Ports, 'load'>,
  customerId: string,
  orderId: string,
): Promise<{ order: Order; events: readonly OrderEvent[] }> {
  const events = await ports.load(orderId);
  const order = events.length > 0 ? fold(events) : undefined;
  if (order?.placed.customerId !== customerId) throw noSuchOrder(orderId);
  return { order, events };
}

export function noSuchOrder(orderId: string): DomainError {
  return new DomainError('not-found', `There is no order ${orderId} of yours.`);
}

/** One page of the customer's orders, newest first. @throws DomainError `invalid-cursor` */
export async function listOwnOrders(
  ports: Ports,
  customerId: string,
  page: { limit: number; cursor?: string | undefined },
): Promise<{ items: OrderView[]; next?: string }> {
  const binding = ['listOrders', customerId];
  const after = page.cursor === undefined ? undefined : positionOf(decodeCursor(page.cursor, binding));
  const { ids, next } = await ports.listIds(customerId, page.limit, after);
  const items = await Promise.all(ids.map(async (id) => viewOf(fold(await ports.load(id)))));
  return next === undefined ? { items } : { items, next: encodeCursor(next, binding) };
}

/** A cursor is not signed: whoever makes one up gets no further than a refusal, or a place in their own list. */
function positionOf(position: unknown): Position {
  if (Array.isArray(position) && position.length === 2) {
    const [placedKey, orderId] = position;
    // DynamoDB refuses sort keys over 1,024 bytes.
    const isKey = typeof placedKey === 'string' && /^[\x21-\x7e]{1,200}$/.test(placedKey);
    if (isKey && typeof orderId === 'string' && /^ord_[0-9A-Za-z-]{1,64}$/.test(orderId))
      return [placedKey, orderId];
  }
  throw new DomainError('invalid-cursor', 'Use the `next` of the page before.');
}

/** The history that a shopper sees: what happened when, and the amount or reason where there is one. */
export function historyOf(events: readonly OrderEvent[]) {
  return {
    items: events.map(({ id, type, seq, at, body }) => {
      const { amount, reason } = JSON.parse(body);
      return { id, type, seq, at, ...(amount && { amount }), ...(reason && { reason }) };
    }),
  };
}
