import { isoInstant } from '../../kernel/clock.ts';
import { decodeCursor, encodeCursor } from '../../kernel/cursor.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { OrderRow } from '../contract.ts';

/** A place in the list, as the index sorts it: `<placed at>#<order id>`. Each order has one, for good. */
type Placing = string;

export interface Ports {
  /** At most `limit` orders placed from `from` on and before `before`, newest first. */
  readonly newest: (range: { from: string; before: Placing }, limit: number) => Promise<readonly Placing[]>;
  /** The rows at these places, in their order; one that is not there yet is left out. */
  readonly rows: (placings: readonly Placing[]) => Promise<readonly { placing: Placing; row: OrderRow }[]>;
}

interface Query {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly status?: OrderRow['status'] | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Rows that one request looks at for a status, before it answers with what it has and where to go on. */
const mostLookedAt = 1_000;
const lookedAtOnce = 100;

/**
 * A page of the operators' list.
 * 1. Begin where the page before ended, or at the newest order before `to`.
 * 2. Read places in the list, newest first, and their rows; keep those with the status that is asked for.
 * 3. Stop with a full page, at the end, or when enough rows have been looked at: then the page is short and has a next.
 *
 * @throws DomainError `invalid-cursor`
 */
export const listAdminOrders =
  (ports: Ports) =>
  async ({ limit, cursor, status, from, to }: Query): Promise<{ items: OrderRow[]; next?: string }> => {
    const binding = ['listAdminOrders', status, from, to];
    const range = { from: from === undefined ? '0' : inFull(from) };
    let before = to === undefined ? '~' : inFull(to);
    if (cursor !== undefined) before = placingOf(decodeCursor(cursor, binding));

    // One more than asked for tells whether there is a next page.
    const step = status === undefined ? limit + 1 : lookedAtOnce;
    const found: { placing: Placing; row: OrderRow }[] = [];
    let looked = 0;
    for (let ended = false; !ended && found.length <= limit && looked < mostLookedAt; ) {
      const placings = await ports.newest({ ...range, before }, step);
      const rows = await ports.rows(placings);
      found.push(...rows.filter(({ row }) => status === undefined || row.status === status));
      looked += placings.length;
      before = placings.at(-1) ?? before;
      ended = placings.length < step;
      if (ended && found.length <= limit) return { items: found.map(({ row }) => row) };
    }
    const shown = found.slice(0, limit);
    const last = found.length > limit ? shown.at(-1)!.placing : before;
    return { items: shown.map(({ row }) => row), next: encodeCursor(last, binding) };
  };

/** With milliseconds, as the index has them. */
function inFull(instant: string): string {
  return isoInstant(Date.parse(instant));
}

/** A cursor is not signed: whoever makes one up gets no further than a refusal, or another place in the list. */
function placingOf(position: unknown): Placing {
  if (typeof position === 'string' && /^\d{4}-[\dT:.-]+Z#ord_[\w-]+$/.test(position)) return position;
  throw new DomainError('invalid-cursor', 'Use the `next` of the page before.');
}
