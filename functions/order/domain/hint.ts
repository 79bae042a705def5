import { isoInstant } from '../../kernel/clock.ts';
import { paymentHinted } from '../contract.ts';
import type { Decision } from './decide.ts';
import { awaitsShopper, type Order, outstanding } from './order.ts';

/** Milliseconds after a change in which a run of the saga may still be under way, and sees for itself. */
const runUnderWay = 30_000;

/** Notifications of one order that lead to a question: a provider gone mad must not fill the order's history. */
const maxHints = 50;

/** Milliseconds that an order may stand still before it is asked about; the pauses grow with its age. */
const firstPause = 2 * 60_000;
const pausesByAge = 4;

const nothing: Decision = { events: [], release: false };

/**
 * The provider says that a payment has changed. Only what is outstanding is asked about, once for each notification,
 * and not while a run may be asking already. What the notification says of the payment is not looked at.
 * @param now milliseconds since the epoch
 */
export function decideHint(
  order: Order,
  { id, reference }: { readonly id: string; readonly reference: string },
  now: number,
): Decision {
  const open = outstanding(order);
  if (!open || reference !== `${order.id}-${order.attempts}`) return nothing;
  if (order.hints.includes(id) || order.hints.length >= maxHints) return nothing;
  const waits = awaitsShopper(order) || order.open?.unknown;
  if (!waits && now - Date.parse(order.updatedAt) < runUnderWay) return nothing;
  return hinted({ by: 'provider', notification: id, ...about(open) });
}

/** The reconciler: what has stood still is asked about again. @param now milliseconds since the epoch */
export function decideReminder(order: Order, now: number): Decision {
  const open = outstanding(order);
  if (!open || now < remindAt(order, open.since)) return nothing;
  return hinted({ by: 'reconciler', ...about(open) });
}

/** When the order is to be looked at again; undefined when nothing is outstanding. */
export function nextLook(order: Order): { readonly since: string; readonly at: string } | undefined {
  const open = outstanding(order);
  return open && { since: open.since, at: isoInstant(remindAt(order, open.since)) };
}

/** Pauses of a quarter of the age: some thirty questions in 20 hours, and never none. */
function remindAt({ updatedAt }: Order, since: string): number {
  const changed = Date.parse(updatedAt);
  return changed + Math.max(firstPause, (changed - Date.parse(since)) / pausesByAge);
}

function about({ attempt, refundId }: { readonly attempt?: number; readonly refundId?: string }) {
  return attempt === undefined ? { refundId } : { attempt };
}

function hinted(body: {
  by: 'provider' | 'reconciler';
  attempt?: number | undefined;
  refundId?: string | undefined;
  notification?: string;
}): Decision {
  return { events: [{ contract: paymentHinted, body }], release: false };
}
