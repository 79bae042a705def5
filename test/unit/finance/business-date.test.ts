import { describe, expect, test } from 'vitest';
import { planExport } from '../../../functions/finance/app/plan-export.ts';
import { dateBefore } from '../../../functions/finance/domain/business-date.ts';
import { dateIn } from '../../../functions/kernel/clock.ts';

describe('the business date of an event', () => {
  test.each([
    ['2026-11-22T14:59:59.999Z', 'Asia/Seoul', '2026-11-22'],
    ['2026-11-22T15:00:00.000Z', 'Asia/Seoul', '2026-11-23'],
    // Either side of the date line, at the same moment.
    ['2026-11-22T10:30:00.000Z', 'Pacific/Kiritimati', '2026-11-23'],
    ['2026-11-22T10:30:00.000Z', 'Pacific/Pago_Pago', '2026-11-21'],
    // The night in which New York puts its clocks forward, and the one in which it puts them back.
    ['2026-03-08T04:59:59.999Z', 'America/New_York', '2026-03-07'],
    ['2026-03-09T03:59:59.999Z', 'America/New_York', '2026-03-08'],
    ['2026-11-01T04:00:00.000Z', 'America/New_York', '2026-11-01'],
    ['2026-11-02T04:59:59.999Z', 'America/New_York', '2026-11-01'],
  ])('%s in %s is %s', (instant, timeZone, date) => {
    expect(dateIn(timeZone, instant)).toBe(date);
  });
});

describe('the business date that is over', () => {
  test.each([
    ['2026-11-22T17:00:00Z', 'Asia/Seoul', '2026-11-22'],
    ['2026-11-22T14:59:59Z', 'Asia/Seoul', '2026-11-21'],
    ['2026-11-22T15:00:00Z', 'Asia/Seoul', '2026-11-22'],
    ['2027-01-01T02:00:00+09:00', 'Asia/Seoul', '2026-12-31'],
    ['2028-03-01T02:00:00+09:00', 'Asia/Seoul', '2028-02-29'],
    // A day of 23 hours and one of 25: neither is skipped or exported twice.
    ['2026-03-09T04:30:00Z', 'America/New_York', '2026-03-08'],
    ['2026-11-02T05:30:00Z', 'America/New_York', '2026-11-01'],
    ['2026-11-02T04:30:00Z', 'America/New_York', '2026-10-31'],
    // Samoa left out 30 December 2011 when it crossed the date line.
    ['2011-12-30T12:00:00Z', 'Pacific/Apia', '2011-12-29'],
  ])('at %s in %s is %s', (time, timeZone, date) => {
    expect(dateBefore(time, timeZone)).toBe(date);
  });
});

describe('the plan of an export', () => {
  const plan = planExport({ timeZone: 'Asia/Seoul' });

  test('is of the day before the scheduled time, or of the date that is asked for', async () => {
    const yesterday = { date: '2026-11-22', timeZone: 'Asia/Seoul' };
    expect(await plan({ time: '2026-11-22T17:00:00Z' })).toEqual(yesterday);
    expect(await plan({ date: '2026-11-22' })).toEqual(yesterday);
  });

  test.each([
    {},
    { date: '2026-02-30' },
    { time: 'now' },
    { date: '2026-11-22', time: '2026-11-22T17:00:00Z' },
  ])('is refused for %o', async (input) => {
    await expect(plan(input)).rejects.toMatchObject({ name: 'validation-failed' });
  });
});
