import { dateIn } from '../../kernel/clock.ts';

const hour = 3_600_000;
const day = 24 * hour;

/**
 * The business date (`YYYY-MM-DD`) before the one that `time` falls on in `timeZone`: the last that is over.
 * Found by going back hour by hour, since days have 23 to 25 hours and a zone that crosses the date line skips or
 * repeats one.
 */
export function dateBefore(time: string, timeZone: string): string {
  const moment = Date.parse(time);
  const today = dateIn(timeZone, moment);
  let earlier = moment;
  while (dateIn(timeZone, earlier) >= today) earlier -= hour;
  return dateIn(timeZone, earlier);
}

/** The moment (milliseconds since the epoch) at which a business date is over in `timeZone`. */
export function endOf(date: string, timeZone: string): number {
  const midnight = Date.parse(`${date}T00:00:00Z`);
  // Zones lie within 14 hours of UTC, and days have up to 25: halve until the two sides meet.
  let [within, over] = [midnight, midnight + 3 * day];
  while (over - within > 1) {
    const middle = Math.floor((within + over) / 2);
    if (dateIn(timeZone, middle) > date) over = middle;
    else within = middle;
  }
  return over;
}

/** The calendar date so many days after another. */
export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * day).toISOString().slice(0, 10);
}
