/** The current time in milliseconds since the epoch. A port: tests and simulations pass their own. */
export type Now = () => number;

export const systemNow: Now = () => Date.now();

/** RFC 3339 in UTC with milliseconds. */
export function isoInstant(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** By time zone: to make one takes a hundred times as long as to use it. */
const dates = new Map<string, Intl.DateTimeFormat>();

/** The calendar date (`YYYY-MM-DD`) of an instant in an IANA time zone. */
export function dateIn(timeZone: string, instant: string | number): string {
  // The Swedish locale writes dates in the ISO order.
  const format = dates.get(timeZone) ?? new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' });
  dates.set(timeZone, format);
  return format.format(new Date(instant));
}

/** Waits in real time. A port of what retries. */
export type Sleep = (milliseconds: number) => Promise<void>;

export const systemSleep: Sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
