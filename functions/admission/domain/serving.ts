import type { Drop } from './drop.ts';
import type { ClosedSecond, Counted } from './queue.ts';

/**
 * Whom a drop serves. `served` only grows: every position up to it has been admitted. Times in milliseconds since the
 * epoch.
 */
export interface Serving {
  readonly served: number;
  /** When the drop was last conducted. */
  readonly at: number;
  readonly version: number;
  /** `[cell, served]`, ascending: how far it had come by the end of each cell of five seconds in which it moved. */
  readonly history: readonly (readonly [cell: number, served: number])[];
  /** Every admission up to this position can no longer be used. */
  readonly lapsedTo: number;
  /** Of the positions up to `lapsedTo`: those that were used. */
  readonly usedBefore: number;
  /** Of all positions: those that have been used. */
  readonly used: number;
  /** Units that remained, over all SKUs. */
  readonly remaining: number;
  readonly soldOut: boolean;
  /** Mean units of an order, as far as is known. */
  readonly unitsPerOrder: number;
  /** Parts of an admission that the pace has left over. */
  readonly credit: number;
}

/** Whom to serve while nobody conducts; written when a second is counted meanwhile. */
export interface FallbackLine {
  /** The `at` of the serving number that it goes on from; it means nothing beside another one. */
  readonly from: number;
  /** When everybody counted so far has been served. */
  readonly freeAt: number;
  /** How far it had come when seconds were last counted: `freeAt` says nothing of the time before. */
  readonly history: Serving['history'];
}

export type Queue = Counted & { readonly line?: FallbackLine | undefined };

/** A second, and when its first ticket is served if nobody conducts by then. */
export type CountedSecond = ClosedSecond & {
  readonly line?: { readonly from: number; readonly startAt: number } | undefined;
};

type Terms = Pick<Drop, 'opensAt' | 'closesAt' | 'pausedAt' | 'fallbackPerSecond' | 'holdSeconds'>;

/** Milliseconds after which nobody is thought to conduct. */
export const staleAfterMs = 10_000;

const cellMs = 5_000;

/** Milliseconds for which an admission that has run out is still counted: an order may be under way with it. */
const graceMs = 10_000;

/** The serving number of a drop that nobody has conducted yet. */
export function unserved(at: number): Serving {
  return {
    served: 0,
    at,
    version: 1,
    history: [],
    lapsedTo: 0,
    usedBefore: 0,
    used: 0,
    remaining: 0,
    soldOut: false,
    unitsPerOrder: 1,
    credit: 0,
  };
}

/** From when on the fallback rate counts. */
function fallbackFrom({ opensAt }: Terms, { at }: Pick<Serving, 'at'>): number {
  return Math.max(at, opensAt) + staleAfterMs;
}

/** Whether the drop is one that should be conducted and is not. */
export function isStale(drop: Terms, serving: Pick<Serving, 'at'>, now: number): boolean {
  return now >= fallbackFrom(drop, serving) && now < drop.closesAt;
}

/** Nobody is admitted during a pause, nor after the end. */
function admittingUntil({ pausedAt, closesAt }: Terms, now: number): number {
  return Math.min(now, pausedAt ?? now, closesAt);
}

/** When everybody counted so far will have been served at the fallback rate. */
function freeAtOf(drop: Terms, serving: Pick<Serving, 'at' | 'served'>, queue: Queue): number {
  if (queue.line?.from === serving.at) return queue.line.freeAt;
  const waiting = Math.max(0, queue.known - serving.served);
  return fallbackFrom(drop, serving) + (waiting / drop.fallbackPerSecond) * 1_000;
}

/**
 * The position up to which tickets are admitted now. While nobody conducts it follows from what is written, at the
 * fallback rate, and needs nobody: every reader comes to the same. What is not used of the rate is not saved up.
 */
export function servedAt(
  drop: Terms,
  serving: Pick<Serving, 'at' | 'served'>,
  queue: Queue,
  now: number,
): number {
  if (now < fallbackFrom(drop, serving)) return serving.served;
  const left =
    ((freeAtOf(drop, serving, queue) - admittingUntil(drop, now)) / 1_000) * drop.fallbackPerSecond;
  const served = Math.min(queue.known, queue.known - Math.ceil(left - 1e-9));
  return Math.max(serving.served, served);
}

/** The line that counting further seconds while nobody conducts makes: when each one's tickets are served. */
export function lineUp(
  drop: Terms,
  serving: Pick<Serving, 'at' | 'served' | 'history'>,
  before: Queue,
  closed: readonly (ClosedSecond & { readonly second: number })[],
  now: number,
): { readonly line: FallbackLine; readonly startsAt: readonly number[] } {
  let freeAt = freeAtOf(drop, serving, before);
  const startsAt: number[] = [];
  for (const { counts } of closed) {
    const startAt = Math.max(freeAt, now);
    startsAt.push(startAt);
    freeAt = startAt + (counts.reduce((sum, n) => sum + n, 0) / drop.fallbackPerSecond) * 1_000;
  }
  return { line: { from: serving.at, freeAt, history: cameTo(drop, serving, before, now) }, startsAt };
}

/** How far the fallback rate had come by the end of each cell, as long as anything served then may still be used. */
function cameTo(
  drop: Terms,
  serving: Pick<Serving, 'at' | 'served' | 'history'>,
  queue: Queue,
  now: number,
): Serving['history'] {
  const from = Math.max(fallbackFrom(drop, serving), now - drop.holdSeconds * 1_000 - graceMs);
  let history = queue.line?.from === serving.at ? queue.line.history : serving.history;
  for (let cell = Math.floor(from / cellMs); cell <= Math.floor(now / cellMs); cell++) {
    const served = servedAt(drop, serving, queue, Math.min(now, (cell + 1) * cellMs - 1));
    history = noted(history, cell, served);
  }
  // The last one that is over says up to which place all are.
  return history.slice(Math.max(0, overIn(history, drop, now).length - 1));
}

/**
 * Until when the admission of a served position can be used: the same at each asking. A place is served somewhere
 * within a cell and held from its end. 0 for a place whose time is over for good.
 */
export function heldUntil(
  drop: Terms,
  serving: Pick<Serving, 'at' | 'served' | 'history' | 'lapsedTo'>,
  second: CountedSecond,
  position: number,
): number {
  if (position <= serving.lapsedTo) return 0;
  return endOf(cellServed(drop, serving, second, position), drop);
}

/** Since an admission counts from the end of its cell, it is known when all of a cell have run out. */
function endOf(cell: number, { holdSeconds }: Pick<Drop, 'holdSeconds'>): number {
  return (cell + 1) * cellMs + holdSeconds * 1_000;
}

function cellServed(
  drop: Terms,
  serving: Pick<Serving, 'at' | 'served' | 'history'>,
  { base, line }: CountedSecond,
  position: number,
): number {
  const [cell] = serving.history.find(([, served]) => served >= position) ?? [];
  if (cell !== undefined) return cell;
  const msEach = 1_000 / drop.fallbackPerSecond;
  const at =
    line?.from === serving.at
      ? line.startAt + (position - base) * msEach
      : fallbackFrom(drop, serving) + (position - serving.served) * msEach;
  return Math.floor(at / cellMs);
}

/**
 * What the conductor makes of a time without one: it goes on from where the fallback rate has come.
 * @returns `serving` itself when there was a conductor
 */
export function resume(drop: Terms, serving: Serving, queue: Queue, now: number): Serving {
  if (now < fallbackFrom(drop, serving)) return serving;
  const history = cameTo(drop, serving, queue, now);
  return { ...serving, served: servedAt(drop, serving, queue, now), history, at: now };
}

function noted(history: Serving['history'], cell: number, served: number): Serving['history'] {
  const last = history.at(-1);
  if (last && last[1] >= served) return history;
  if (!last && served === 0) return history;
  return last?.[0] === cell ? [...history.slice(0, -1), [cell, served]] : [...history, [cell, served]];
}

/** Of a history the part whose admissions can no longer be used, nor an order be under way with one. */
function overIn(history: Serving['history'], drop: Terms, now: number): Serving['history'] {
  return history.filter(([cell]) => endOf(cell, drop) + graceMs <= now);
}

/** What the conductor has found out. */
export interface Findings {
  /** The highest position there is. */
  readonly known: number;
  /** Units that are there, over all SKUs. */
  readonly remaining: number;
  /** Admissions that were used, of the positions above `lapsedTo`: position and units. */
  readonly claims: readonly { readonly position: number; readonly units: number }[];
  /** Admissions a second. */
  readonly pace: number;
}

/** Admissions that can still be used. */
export function outstandingOf({ served, lapsedTo, used, usedBefore }: Serving): number {
  return Math.max(0, served - lapsedTo - (used - usedBefore));
}

export function lapsedOf({ lapsedTo, usedBefore }: Serving): number {
  return Math.max(0, lapsedTo - usedBefore);
}

/**
 * One step of the conductor.
 * 1. Admissions whose time is over lapse; those who did not come are replaced thereby.
 * 2. As many are admitted as the pace allows, as there are units not yet spoken for, and as there are tickets.
 * An admission under way counts for the mean units of an order, and a rest of units for a whole admission.
 * @returns the next serving number, and whether the pace alone held it back
 */
export function advance(
  drop: Terms,
  before: Serving,
  { known, remaining, claims, pace }: Findings,
  now: number,
): { readonly after: Serving; readonly paced: boolean } {
  const over = overIn(before.history, drop, now);
  const lapsedTo = over.at(-1)?.[1] ?? before.lapsedTo;
  const history = before.history.slice(over.length);
  const usedBefore = before.usedBefore + claims.filter(({ position }) => position <= lapsedTo).length;
  const used = before.usedBefore + claims.length;
  const unitsPerOrder = meanUnits(before.unitsPerOrder, claims);
  const settled = { ...before, history, lapsedTo, usedBefore, used, unitsPerOrder };

  const spare = Math.ceil(remaining / unitsPerOrder - 1e-9) - outstandingOf(settled);
  const waiting = known - before.served;
  const admitting = now >= drop.opensAt && admittingUntil(drop, now) === now && now < drop.closesAt;
  const elapsed = Math.min(2, Math.max(0, now - Math.max(before.at, drop.opensAt)) / 1_000);
  const credit = Math.min(Math.max(1, pace), before.credit + pace * elapsed);
  const wanted = admitting && remaining > 0 ? Math.max(0, Math.min(spare, waiting)) : 0;
  const admitted = Math.min(wanted, Math.floor(credit + 1e-9));
  const served = before.served + admitted;
  const after = {
    ...settled,
    served,
    at: now,
    version: before.version + 1,
    history: noted(history, Math.floor(now / cellMs), served),
    remaining,
    soldOut: remaining === 0,
    credit: Math.max(0, admitting ? credit - admitted : 0),
  };
  return { after, paced: wanted > admitted };
}

/** Of the orders in sight; what is known from before counts when there are none. */
function meanUnits(before: number, claims: readonly { readonly units: number }[]): number {
  if (claims.length === 0) return before;
  return Math.max(1, claims.reduce((sum, { units }) => sum + units, 0) / claims.length);
}

/** Admissions a second of late, for estimates of the time to wait; undefined when it has not moved. */
export function recentPace({
  history,
  served,
  at,
}: Pick<Serving, 'history' | 'served' | 'at'>): number | undefined {
  const since = Math.floor(at / cellMs) - 6;
  const earlier = history.findLast(([cell]) => cell <= since) ?? history[0];
  if (!earlier || earlier[1] >= served) return undefined;
  return (served - earlier[1]) / Math.max(1, (at - earlier[0] * cellMs) / 1_000);
}
