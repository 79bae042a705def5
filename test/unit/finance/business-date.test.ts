import { describe, expect, test } from 'vitest';
import { dateBefore, endOf } from '../../../functions/finance/domain/business-date.ts';
import { dateIn } from '../../../functions/kernel/clock.ts';
import { exportWorld } from './export-world.ts';

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

describe('the end of a business date', () => {
  test.each([
    ['2026-11-22', 'Asia/Seoul', '2026-11-22T15:00:00.000Z'],
    ['2026-11-22', 'Pacific/Kiritimati', '2026-11-22T10:00:00.000Z'],
    ['2026-11-22', 'Pacific/Pago_Pago', '2026-11-23T11:00:00.000Z'],
    ['2026-03-08', 'America/New_York', '2026-03-09T04:00:00.000Z'],
    ['2026-11-01', 'America/New_York', '2026-11-02T05:00:00.000Z'],
    ['2011-12-29', 'Pacific/Apia', '2011-12-30T10:00:00.000Z'],
  ])('of %s in %s is %s', (date, timeZone, end) => {
    expect(new Date(endOf(date, timeZone)).toISOString()).toBe(end);
  });
});

describe('the plan of an export', () => {
  const { plan } = exportWorld([]);

  test('is of the day before the scheduled time, or of the date that is asked for', async () => {
    const yesterday = { date: '2026-11-22', timeZone: 'Asia/Seoul', state: 'ready' };
    expect(await plan({ time: '2026-11-22T17:00:00Z' })).toMatchObject(yesterday);
    expect(await plan({ date: '2026-11-22' })).toMatchObject(yesterday);
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
