/*
 * When schedules are due: `rate(…)`, `at(…)` and the six-field `cron(…)` of EventBridge Scheduler, in a time zone.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 * Instants are milliseconds since the epoch.
 */

export interface Timetable {
  /** The first due time after `instant`. */
  next(instant: number): number | undefined;
  /** The last due time at or before `instant`. */
  latest(instant: number): number | undefined;
}

const day = 86_400_000;
const units: Record<string, number> = { minute: 60_000, hour: 3_600_000, day };
const monthNames = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const weekdayNames = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
/** Days searched for a date that a cron expression names: 29 February can be eight years away. */
const searchedDays = 8 * 366;

/**
 * Reads a schedule expression. `base` is the instant from which a rate counts; its first due time is one interval
 * later (AWS also runs once at the start).
 * @throws Error naming what is not part of the expression language.
 */
export function readSchedule(expression: string, timezone: string, base: number): Timetable {
  const [, kind, body = ''] = /^(rate|at|cron)\((.*)\)$/.exec(expression.trim()) ?? [];
  if (kind === 'rate') return rate(body, base, expression);
  const zone = timeZone(timezone);
  if (kind === 'at') return once(body, zone, expression);
  if (kind === 'cron') return cron(body.trim().split(/\s+/), zone, expression);
  throw new Error(`Schedule expression ${expression} is neither rate(), at() nor cron()`);
}

function rate(body: string, base: number, expression: string): Timetable {
  const [, count, unit = ''] = /^(\d+) (minute|hour|day)s?$/.exec(body.trim()) ?? [];
  const interval = Number(count) * (units[unit] ?? Number.NaN);
  if (!(interval > 0)) throw new Error(`Schedule expression ${expression} is not a rate`);
  return {
    next: (instant) => base + (Math.max(0, Math.floor((instant - base) / interval)) + 1) * interval,
    latest(instant) {
      const intervals = Math.floor((instant - base) / interval);
      return intervals >= 1 ? base + intervals * interval : undefined;
    },
  };
}

function once(body: string, zone: Zone, expression: string): Timetable {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(body) ? Date.parse(`${body}Z`) : Number.NaN;
  if (Number.isNaN(time)) throw new Error(`Schedule expression ${expression} is not a time`);
  const at = zone.instant(time) ?? time - zone.offset(time);
  return {
    next: (instant) => (at > instant ? at : undefined),
    latest: (instant) => (at <= instant ? at : undefined),
  };
}

function cron(fields: string[], zone: Zone, expression: string): Timetable {
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = '', year = ''] = fields;
  if (fields.length !== 6) throw new Error(`Schedule expression ${expression} must have six fields`);
  if ((dayOfMonth === '?') === (dayOfWeek === '?'))
    throw new Error(`Schedule expression ${expression}: one of day-of-month and day-of-week must be ?`);
  const minutes = values(minute, 0, 59, [], expression);
  const hours = values(hour, 0, 23, [], expression);
  const months = new Set(values(month, 1, 12, monthNames, expression));
  const years = new Set(values(year, 1970, 2199, [], expression));
  const onDay = dayOfMonth === '?' ? weekdays(dayOfWeek, expression) : monthDays(dayOfMonth, expression);
  const times = hours.flatMap((h) => minutes.map((m) => h * 3_600_000 + m * 60_000));

  /** Local midnights, as if they were UTC, from that of `instant` on, that the expression names. */
  function* dates(instant: number, step: 1 | -1): Generator<number> {
    let date = Math.floor((instant + zone.offset(instant)) / day) * day;
    for (let searched = 0; searched < searchedDays; searched += 1, date += step * day) {
      const at = new Date(date);
      if (years.has(at.getUTCFullYear()) && months.has(at.getUTCMonth() + 1) && onDay(at)) yield date;
    }
  }

  return {
    next(instant) {
      // A zone's offset changes by hours at most, so what is earlier by more than that needs no conversion.
      const clearlyPast = instant + zone.offset(instant) - 3 * 3_600_000;
      for (const date of dates(instant, 1))
        for (const time of times) {
          if (date + time < clearlyPast) continue;
          const due = zone.instant(date + time);
          if (due !== undefined && due > instant) return due;
        }
      return undefined;
    },
    latest(instant) {
      const clearlyLater = instant + zone.offset(instant) + 3 * 3_600_000;
      for (const date of dates(instant, -1))
        for (const time of times.toReversed()) {
          if (date + time > clearlyLater) continue;
          const due = zone.instant(date + time);
          if (due !== undefined && due <= instant) return due;
        }
      return undefined;
    },
  };
}

/** The numbers that a field names: `*`, `5`, `1-5`, `1,3`, `0/15`, `10-40/10`, names where there are any. */
function values(field: string, least: number, most: number, names: string[], expression: string): number[] {
  const number = (text: string) => {
    const named = names.indexOf(text.toUpperCase());
    const value = named >= 0 ? named + 1 : /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most))
      throw new Error(`Schedule expression ${expression}: ${field} is no field`);
    return value;
  };
  const found = new Set<number>();
  for (const part of field.split(',')) {
    const [range = '', step] = part.split('/');
    const [first = '', last] = range.split('-');
    const from = first === '*' ? least : number(first);
    const to = last !== undefined ? number(last) : first === '*' || step !== undefined ? most : from;
    const by = step === undefined ? 1 : Number(step);
    if (!(Number.isInteger(by) && by > 0))
      throw new Error(`Schedule expression ${expression}: ${field} is no field`);
    for (let value = from; value <= to; value += by) found.add(value);
    // Weekday ranges may pass Saturday: FRI-MON.
    if (to < from && names === weekdayNames)
      for (let value = from; value <= to + most; value += by) found.add(((value - 1) % most) + 1);
  }
  return [...found].sort((a, b) => a - b);
}

/** `L` is the last day of the month, `15W` the weekday nearest to the 15th within the month. */
function monthDays(field: string, expression: string): (date: Date) => boolean {
  if (field === 'L') return (date) => date.getUTCDate() === lastDay(date);
  if (field === 'LW') return (date) => date.getUTCDate() === nearestWeekday(date, lastDay(date));
  const [, weekday] = /^(\d{1,2})W$/.exec(field) ?? [];
  if (weekday !== undefined)
    return (date) =>
      Number(weekday) <= lastDay(date) && date.getUTCDate() === nearestWeekday(date, Number(weekday));
  const days = new Set(values(field, 1, 31, [], expression));
  return (date) => days.has(date.getUTCDate());
}

/** 1 is Sunday. `L` is Saturday, `6L` the month's last Friday, `2#1` its first Monday. */
function weekdays(field: string, expression: string): (date: Date) => boolean {
  if (field === 'L') return (date) => date.getUTCDay() === 6;
  const [, name = '', mark, nth] = /^(\w+?)(?:(L)|#([1-5]))$/.exec(field) ?? [];
  if (mark ?? nth) {
    const [weekday] = values(name, 1, 7, weekdayNames, expression);
    return (date) => {
      if (date.getUTCDay() + 1 !== weekday) return false;
      if (mark) return date.getUTCDate() + 7 > lastDay(date);
      return Math.ceil(date.getUTCDate() / 7) === Number(nth);
    };
  }
  const days = new Set(values(field, 1, 7, weekdayNames, expression));
  return (date) => days.has(date.getUTCDay() + 1);
}

function lastDay(date: Date): number {
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
}

function nearestWeekday(date: Date, wanted: number): number {
  const weekday = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), wanted)).getUTCDay();
  if (weekday === 6) return wanted > 1 ? wanted - 1 : wanted + 2;
  if (weekday === 0) return wanted < lastDay(date) ? wanted + 1 : wanted - 2;
  return wanted;
}

interface Zone {
  /** Milliseconds that local time is ahead of UTC. */
  offset(instant: number): number;
  /**
   * The instant of a local time written as if it were UTC. Of two (clocks set back) the first; none for a time that
   * a clock set forward skips: AWS then leaves that run out.
   */
  instant(local: number): number | undefined;
}

function timeZone(name: string): Zone {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const offset = (instant: number) => {
    const parts = Object.fromEntries(
      format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]),
    );
    const { year = 0, month = 1, day: date = 1, hour, minute, second } = parts;
    return Date.UTC(year, month - 1, date, hour, minute, second) - Math.floor(instant / 1000) * 1000;
  };
  return {
    offset,
    instant(local) {
      const candidates = [local - offset(local - day), local - offset(local + day)];
      return candidates.sort((a, b) => a - b).find((instant) => instant + offset(instant) === local);
    },
  };
}
