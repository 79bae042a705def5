import { describe, expect, it } from 'vitest';
import { behindOf, overdueOf } from '../../../scripts/security/updates.ts';

const now = Date.parse('2026-11-27T00:00:00Z');
const time = {
  created: '2020-01-01T00:00:00Z',
  '0.38.0': '2026-01-01T00:00:00Z',
  '0.40.0': '2026-02-01T00:00:00Z',
  '1.9.0': '2026-11-20T00:00:00Z',
  '2.9.0': '2026-06-01T00:00:00Z',
  '2.9.1': '2026-06-02T00:00:00Z',
  '2.9.2': '2026-06-03T00:00:00Z',
  '2.10.0': '2026-11-07T00:00:00Z',
  '2.10.1-rc.1': '2026-11-08T00:00:00Z',
  '2.11.0': '2026-11-17T00:00:00Z',
  '3.0.0': '2026-07-01T00:00:00Z',
};
/** One was withdrawn, and one should not be used. */
const { created: _, '2.9.1': __, ...there } = time;
const published = {
  time,
  versions: Object.fromEntries(
    Object.keys(there).map((version) => [version, version === '2.9.2' ? { deprecated: 'broken' } : {}]),
  ),
};

describe('a package', () => {
  it('is behind since the first version after its own, of the same major version', () => {
    expect(behindOf('lamp', '2.9.0', published, now)).toEqual({
      name: 'lamp',
      installed: '2.9.0',
      newest: '2.11.0',
      days: 20,
    });
  });

  it('is not behind a trial, an older or a next major version', () => {
    expect(behindOf('lamp', '2.11.0', published, now)).toBeUndefined();
    expect(behindOf('lamp', '1.9.0', published, now)).toBeUndefined();
    expect(behindOf('lamp', '0.38.0', published, now)).toBeUndefined();
  });

  it('is renewed within a quarter', () => {
    const of = (days: number) => ({ name: 'lamp', installed: '1.0.0', newest: '1.1.0', days });
    expect(overdueOf([of(92), of(93)])).toEqual([of(93)]);
  });
});
