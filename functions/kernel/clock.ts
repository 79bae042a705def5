import { remember } from './remember.ts';

/** The current time in milliseconds since the epoch. A port: tests and simulations pass their own. */
export type Now = () => number;

export const systemNow: Now = () => Date.now();

/** RFC 3339 in UTC with milliseconds. */
export function isoInstant(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

// The Swedish locale writes dates in the ISO order.
const dateFormat = remember((timeZone) => new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' }));

/** The calendar date (`YYYY-MM-DD`) of an instant in an IANA time zone. */
export function dateIn(timeZone: string, instant: string | number): string {
  return dateFormat(timeZone).format(new Date(instant));
}

/** Waits in real time. A port of what retries. */
export type Sleep = (milliseconds: number) => Promise<void>;

export const systemSleep: Sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
