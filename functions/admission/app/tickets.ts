import type { KeyObject } from 'node:crypto';
import { isoInstant } from '../../kernel/clock.ts';
import { DomainError, errorName } from '../../kernel/errors.ts';
import { derivedId } from '../../kernel/ids.ts';
import { count, log } from '../../kernel/log.ts';
import { defectMetrics } from '../../kernel/metrics.ts';
import type { TicketView } from '../contract.ts';
import { bucketOfTicket, drawnInTime, type Place, positionOf, secondsUntilCounted } from '../domain/queue.ts';
import { noSuchDrop, notOpen } from '../domain/refusals.ts';
import { type CountedSecond, heldUntil, isStale, recentPace, servedAt } from '../domain/serving.ts';
import type { Standing } from '../domain/standing.ts';
import { signToken } from '../domain/token.ts';
import { type Ports as CountPorts, countArrivals } from './count-arrivals.ts';

/** A shopper's place in a drop's waiting room. */
export interface Ticket extends Place {
  readonly ticketId: string;
  /** Counts the shopper's tickets of the drop, from 1. */
  readonly generation: number;
  readonly arrivedAt: number;
}

export interface Ports extends CountPorts {
  readonly random: () => number;
  /** At most a second old. */
  readonly standing: (dropId: string) => Promise<Standing | undefined>;
  /** Read consistently. */
  readonly ticket: (dropId: string, customerId: string) => Promise<Ticket | undefined>;
  /** The next ordinal of the bucket. */
  readonly draw: (drop: Standing['drop'], second: number, bucket: number) => Promise<number>;
  /** @returns the ticket that is stored: another one when another tab was faster */
  readonly keep: (drop: Standing['drop'], customerId: string, ticket: Ticket) => Promise<Ticket>;
  /**
   * Undefined for a second that was counted without an arrival. One that is not `counted` yet, as far as is known, is
   * not looked for: at most a second later it will be known.
   */
  readonly second: (dropId: string, second: number, counted: boolean) => Promise<CountedSecond | undefined>;
  readonly isUsed: (dropId: string, position: number) => Promise<boolean>;
  /** Units that the shopper has bought in the drop. */
  readonly bought: (dropId: string, customerId: string) => Promise<number>;
  readonly key: (drop: Standing['drop']) => Promise<KeyObject>;
}

const draws = 5;

/**
 * Gives a shopper a place in the waiting room.
 * 1. Whoever has a ticket gets the same, unless its turn has passed; then a new one at the end.
 * 2. The place is a number of this second's counter for the ticket's bucket; a number that came late is not taken.
 * 3. Of several tabs at once one is stored, and all are told of it.
 * @throws DomainError `not-found`, `drop-not-open`, `drop-closed`, `temporary-reduced-capacity`
 */
export const takeTicket =
  (ports: Ports) =>
  async (dropId: string, customerId: string): Promise<TicketView> => {
    const standing = await standingOf(ports, dropId);
    const { drop } = standing;
    const now = ports.now();
    if (now < drop.opensAt) throw notOpen({ dropId, opensAt: drop.opensAt }, now);
    if (now >= drop.closesAt) {
      throw new DomainError('drop-closed', 'The drop is over.', {
        dropId,
        closesAt: isoInstant(drop.closesAt),
      });
    }
    const existing = await ports.ticket(dropId, customerId);
    if (existing) {
      const view = await look(ports, standing, customerId, existing);
      if (!(await isRenewable(ports, standing, customerId, view))) return view;
    }
    const generation = (existing?.generation ?? 0) + 1;
    const ticketId = derivedId('tkt', dropId, customerId, String(generation));
    const place = await drawPlace(ports, drop, ticketId);
    const ticket = { ticketId, generation, arrivedAt: ports.now(), ...place };
    return look(ports, standing, customerId, await ports.keep(drop, customerId, ticket));
  };

/**
 * The shopper's own ticket, with the admission once it is its turn.
 * @throws DomainError `not-found`, also for somebody else's and for one that was replaced
 */
export const getTicket =
  (ports: Ports) =>
  async (dropId: string, ticketId: string, customerId: string): Promise<TicketView> => {
    const standing = await standingOf(ports, dropId);
    const ticket = await ports.ticket(dropId, customerId);
    if (ticket?.ticketId !== ticketId) {
      throw new DomainError('not-found', `There is no ticket ${ticketId} of yours.`);
    }
    return look(ports, standing, customerId, ticket);
  };

async function standingOf(ports: Ports, dropId: string): Promise<Standing> {
  const standing = await ports.standing(dropId);
  if (!standing) throw noSuchDrop(dropId);
  if (!isStale(standing.drop, standing.serving, ports.now())) return standing;
  // Nobody conducts the drop: those who wait count the arrivals themselves, a part of them at a time.
  if (ports.random() > 0.2) return standing;
  count(defectMetrics.dropNotConducted);
  try {
    return { ...standing, queue: await countArrivals(ports, standing, false) };
  } catch (error) {
    log.warn('arrivals not counted', { dropId, error: errorName(error) });
    return standing;
  }
}

async function drawPlace(ports: Ports, drop: Standing['drop'], ticketId: string): Promise<Place> {
  const bucket = bucketOfTicket(drop.orderKey, ticketId, drop.arrivalShards);
  for (let drawn = 0; drawn < draws; drawn++) {
    const second = Math.floor(ports.now() / 1_000);
    const ordinal = await ports.draw(drop, second, bucket);
    if (drawnInTime(second, ports.now())) return { second, bucket, ordinal };
  }
  throw new DomainError('temporary-reduced-capacity', 'Your arrival could not be counted. Please try again.');
}

/** A turn that was not used, or one that was by a shopper who may buy more. */
async function isRenewable(
  ports: Ports,
  { drop }: Standing,
  customerId: string,
  { state }: TicketView,
): Promise<boolean> {
  if (state === 'lapsed') return true;
  return state === 'used' && (await ports.bought(drop.id, customerId)) < drop.perCustomerLimit;
}

async function look(
  ports: Ports,
  { drop, serving, queue }: Standing,
  customerId: string,
  ticket: Ticket,
): Promise<TicketView> {
  const now = ports.now();
  const view = { id: ticket.ticketId, dropId: drop.id, arrivedAt: isoInstant(ticket.arrivedAt) };
  const counted = queue.closedTo >= ticket.second;
  const second = await ports.second(drop.id, ticket.second, counted);
  if (!second && now >= drop.closesAt) return { ...view, state: 'closed', pollAfterSeconds: 60 };
  if (!second && !counted) {
    const spread = Math.floor(ports.random() * 3);
    return { ...view, state: 'counting', pollAfterSeconds: secondsUntilCounted(ticket.second, now) + spread };
  }
  const position = second && positionOf(ticket, second);
  // Drawn by a clock far behind: nobody else has the place, and the shopper takes another.
  if (!second || position === undefined) return { ...view, state: 'lapsed', pollAfterSeconds: 1 };
  const placed = { ...view, position };
  if (position <= servedAt(drop, serving, queue, now)) {
    if (await ports.isUsed(drop.id, position)) return { ...placed, state: 'used', pollAfterSeconds: 60 };
    const until = Math.min(heldUntil(drop, serving, second, position), drop.closesAt);
    if (now >= drop.closesAt) return { ...placed, state: 'closed', pollAfterSeconds: 60 };
    if (now >= until) return { ...placed, state: 'lapsed', pollAfterSeconds: 1 };
    const exp = Math.floor(until / 1_000);
    const claims = { drop: drop.id, sub: customerId, position, ticket: ticket.ticketId, exp };
    const token = signToken(claims, await ports.key(drop));
    return {
      ...placed,
      state: 'admitted',
      pollAfterSeconds: 10,
      admission: { token, expiresAt: isoInstant(exp * 1_000) },
    };
  }
  if (now >= drop.closesAt) return { ...placed, state: 'closed', pollAfterSeconds: 60 };
  if (serving.soldOut && !isStale(drop, serving, now)) {
    return { ...placed, state: 'sold_out', pollAfterSeconds: 10 };
  }
  return { ...placed, state: 'waiting', ...waitOf({ drop, serving, queue }, position, now) };
}

/** The nearer the turn, the sooner the next look; nobody need look more often than the number moves. */
function waitOf({ drop, serving, queue }: Standing, position: number, now: number) {
  const ahead = position - servedAt(drop, serving, queue, now);
  const pace = isStale(drop, serving, now)
    ? drop.fallbackPerSecond
    : (recentPace(serving) ?? serving.pace.perSecond);
  const etaSeconds = Math.ceil(ahead / Math.max(0.1, pace));
  return { etaSeconds, pollAfterSeconds: Math.max(1, Math.min(15, Math.floor(etaSeconds / 4))) };
}
