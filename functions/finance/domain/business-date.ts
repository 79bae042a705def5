import { dateIn } from '../../kernel/clock.ts';

const hour = 3_600_000;

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
