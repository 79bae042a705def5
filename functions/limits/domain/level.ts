import { highestLevel } from '../../kernel/pressure.ts';

/** What presses. Ages are in seconds, the others counted in the last whole minute or the present one. */
export interface Readings {
  /** Of the oldest payment that waits for the provider. */
  readonly paymentAge: number;
  /** From the append of an event to its first receipt by a consumer, on average: the age of what the stream hands out. */
  readonly eventAge: number;
  /** Requests that the tables of orders, stock and carts refused. */
  readonly tableThrottles: number;
  /** Invocations that Lambda refused, of all functions of the account and region. */
  readonly functionThrottles: number;
  /** Runs of the orders' pipe that were throttled or failed. */
  readonly pipeFailures: number;
}

/**
 * Up to `fine` a reading presses nobody; at `critical` it asks for its highest level, in between for a part of it.
 * - Payments: reservations hold for 15 minutes at least, so a payment that waits for 5 has a third of that behind it.
 * - Events: the objective is 60 s; at 5 minutes the outbox is behind for good.
 * - Tables: the SDK's retries hide a few; hundreds a minute are a table or partition at its limit.
 * - Functions: most are a class at its own cap, which costs others nothing: that alone sheds browsing only.
 * - The pipe: it retries for hours and loses nothing, but every order that comes makes it longer.
 */
const scales: Readonly<
  Record<keyof Readings, { readonly fine: number; readonly critical: number; readonly highest: number }>
> = {
  paymentAge: { fine: 60, critical: 300, highest: 3 },
  eventAge: { fine: 60, critical: 300, highest: 3 },
  tableThrottles: { fine: 20, critical: 600, highest: 3 },
  functionThrottles: { fine: 10, critical: 300, highest: 1 },
  pipeFailures: { fine: 5, critical: 60, highest: 2 },
};

/** The level, from 0 to 3, that the readings ask for: that of whatever presses hardest. */
export function askedLevel(readings: Readings): number {
  const asked = Object.entries(scales).map(([name, { fine, critical, highest }]) => {
    const part = (readings[name as keyof Readings] - fine) / (critical - fine);
    return highest * Math.min(1, Math.max(0, part));
  });
  return Math.min(highestLevel, Math.max(...asked));
}

/** Seconds in which the level falls from the highest to nothing once nothing presses. */
const recovery = 60;

/** The next level: up at once, down step by step, so that those who were refused do not all come back together. */
export function nextLevel(before: number, asked: number, secondsSince: number): number {
  const fallen = before - (highestLevel * Math.max(0, secondsSince)) / recovery;
  const next = Math.max(asked, fallen, 0);
  return Math.round(Math.min(highestLevel, next) * 100) / 100;
}
