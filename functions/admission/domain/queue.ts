import { createHmac } from 'node:crypto';

/** Where a ticket stands: order is by second of arrival, then by bucket (keyed), then by ordinal. */
export interface Place {
  /** Seconds since the epoch. */
  readonly second: number;
  readonly bucket: number;
  /** From 1, within the bucket of the second. */
  readonly ordinal: number;
}

/** A second whose arrivals have been counted for good. */
export interface ClosedSecond {
  /** Arrivals of all seconds before. */
  readonly base: number;
  /** Arrivals by bucket. */
  readonly counts: readonly number[];
}

/** Up to which second arrivals have been counted, and how many there were. */
export interface Counted {
  /** The last counted second. */
  readonly closedTo: number;
  /** Arrivals up to its end: the highest position there is. */
  readonly known: number;
}

/** Seconds after the end of a second at which it is counted: later than any number of it that is still accepted. */
export const countAfterSeconds = 5;

/**
 * Seconds from the beginning of a second until its count can be seen as a rule: the second itself, the wait, and a look of
 * whoever counts.
 */
const seenAfterSeconds = 1 + countAfterSeconds + 1;

/** Whole seconds, at least one, until an arrival of `second` may be told its position. */
export function secondsUntilCounted(second: number, now: number): number {
  return Math.max(1, second + seenAfterSeconds - Math.floor(now / 1_000));
}

/** Milliseconds from the beginning of a second within which the answer of its counter must have come. */
const acceptWithinMs = 4_000;

/** The bucket in which a ticket is counted. Nobody can foresee it; the same ticket always falls into the same one. */
export function bucketOfTicket(orderKey: string, ticketId: string, buckets: number): number {
  const mac = createHmac('sha256', Buffer.from(orderKey, 'base64')).update(ticketId).digest();
  return mac.readUInt32BE(0) % buckets;
}

/**
 * Whether a number that was drawn for `second` counts. One whose answer came late may have been drawn after the second
 * was counted: it is thrown away, and at worst nobody comes to its place.
 */
export function drawnInTime(second: number, answeredAt: number): boolean {
  return answeredAt < second * 1_000 + acceptWithinMs;
}

/** From 1; undefined for a number beyond what was counted. */
export function positionOf(place: Place, { base, counts }: ClosedSecond): number | undefined {
  if (place.ordinal > (counts[place.bucket] ?? 0)) return undefined;
  const before = counts.slice(0, place.bucket).reduce((sum, count) => sum + count, 0);
  return base + before + place.ordinal;
}

/** The seconds that can be counted now, oldest first, at most `most`. */
export function countableSeconds(
  { closedTo }: Pick<Counted, 'closedTo'>,
  now: number,
  most: number,
): number[] {
  const last = Math.floor(now / 1_000) - 1 - countAfterSeconds;
  const length = Math.max(0, Math.min(most, last - closedTo));
  return Array.from({ length }, (_, index) => closedTo + 1 + index);
}

/** What counting the next seconds makes of the queue; a second without arrivals needs no item. */
export function count(
  before: Counted,
  seconds: readonly { readonly second: number; readonly counts: readonly number[] }[],
): { readonly after: Counted; readonly closed: readonly (ClosedSecond & { readonly second: number })[] } {
  let { closedTo, known } = before;
  const closed: (ClosedSecond & { second: number })[] = [];
  for (const { second, counts } of seconds) {
    if (second !== closedTo + 1) throw new Error(`second ${closedTo + 1} has not been counted`);
    const arrivals = counts.reduce((sum, n) => sum + n, 0);
    if (arrivals > 0) closed.push({ second, base: known, counts });
    closedTo = second;
    known += arrivals;
  }
  return { after: { closedTo, known }, closed };
}
