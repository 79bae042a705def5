import { describe, expect, it } from 'vitest';
import { advisoriesIn, complaintsAbout } from '../../../scripts/security/advisories.ts';

const url = 'https://github.com/advisories/GHSA-1';
const report = (severity: string) => ({
  vulnerabilities: {
    bulb: { name: 'bulb', via: [{ source: 1, name: 'bulb', url, severity, range: '<2' }] },
    lamp: { name: 'lamp', via: ['bulb'] },
  },
});

describe('advisories', () => {
  it('are each named once, however many packages need the weak one', () => {
    expect(advisoriesIn(report('high'))).toEqual([{ url, package: 'bulb', severity: 'high' }]);
  });

  it.each([
    [{}, 'empty'],
    [{ message: 'audit endpoint returned an error' }, 'endpoint'],
    [{ error: { summary: 'no lockfile' } }, 'lockfile'],
  ])('are not none when there is no report: %j', (answer, why) => {
    expect(() => advisoriesIn(answer)).toThrow(why);
  });

  it('fail the check until somebody has written down when they became known', () => {
    expect(complaintsAbout(advisoriesIn(report('low')), {}, () => false, '2026-11-26')).toEqual([
      `not known yet: bulb, low, ${url}`,
    ]);
  });

  it.each([
    ['critical', true, 7],
    ['high', true, 7],
    ['moderate', true, 30],
    ['high', false, 30],
    ['low', false, 90],
  ])('of severity %s, in production: %s, are mended in %d days', (severity, production, days) => {
    const told = (age: number) =>
      complaintsAbout(
        advisoriesIn(report(severity)),
        { [url]: '2026-01-01' },
        () => production,
        new Date(Date.UTC(2026, 0, 1 + age)).toISOString().slice(0, 10),
      );
    expect(told(days)).toEqual([]);
    expect(told(days + 1)).toEqual([`not mended in ${days} days: bulb, ${severity}, ${url}`]);
  });
});
