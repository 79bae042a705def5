import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOurs, readyDuring, type Window, warmthOf, windowsOf } from '../../../scripts/operate/warmth.ts';

const second = 1_000;
const now = Date.UTC(2026, 11, 1);
const windows = fc
  .uniqueArray(
    fc.record({
      drop: fc.integer({ min: 1, max: 9 }).map((number) => `drp_${number}`),
      from: fc.integer({ min: -50, max: 50 }).map((at) => now + at * second),
      seconds: fc.integer({ min: 1, max: 100 }),
      environments: fc.integer({ min: 1, max: 200 }),
    }),
    { selector: ({ drop }) => drop, maxLength: 4 },
  )
  .map((all): Window[] =>
    all
      .map(({ drop, from, seconds, environments }) => ({
        ...{ drop, from, environments },
        to: from + seconds * second,
      }))
      .filter(({ to }) => to > now),
  );
const sorted = (all: readonly Window[]) => [...all].sort((a, b) => a.drop.localeCompare(b.drop));

describe('what is kept ready', () => {
  it('is at any time what the drop that wants most then wants', () => {
    fc.assert(
      fc.property(windows, fc.integer({ min: 0, max: 200 }), (all, later) => {
        const at = now + later * second;
        const wanted = all.filter(({ from, to }) => from <= at && at < to);
        const most = Math.max(0, ...wanted.map(({ environments }) => environments));
        expect(readyDuring(warmthOf(all, now), at, at)).toBe(most);
      }),
    );
  });

  it('tells all its windows by the steps that are still ahead', () => {
    fc.assert(
      fc.property(windows, fc.integer({ min: 0, max: 200 }), (all, later) => {
        const ahead = warmthOf(all, now).steps.filter(({ at }) => at > now + later * second);
        const left = all.filter(({ to }) => to > now + later * second);
        expect(sorted(windowsOf(ahead))).toEqual(sorted(left));
        expect(ahead.every(isOurs)).toBe(true);
      }),
    );
  });

  it('does not end for one drop while another needs it', () => {
    const one = { drop: 'drp_1', from: now + 10 * second, to: now + 30 * second, environments: 40 };
    const other = { drop: 'drp_2', from: now + 20 * second, to: now + 60 * second, environments: 10 };
    const { ready, steps } = warmthOf([one, other], now);
    expect(ready).toBe(0);
    expect(steps.map(({ at, environments }) => [(at - now) / second, environments])).toEqual([
      [10, 40],
      [20, 40],
      [30, 10],
      [60, 0],
    ]);
  });

  it('counts the fewest of a time, and what somebody else has scheduled', () => {
    const steps = [
      { name: 'by hand', at: now + 10 * second, environments: 5 },
      { name: 'by hand too', at: now + 20 * second, environments: 2 },
      { name: 'and again', at: now + 30 * second, environments: 9 },
    ];
    const during = (from: number, to: number) =>
      readyDuring({ ready: 7, steps }, now + from * second, now + to * second);
    expect(during(0, 5)).toBe(7);
    expect(during(0, 15)).toBe(5);
    expect(during(10, 20)).toBe(5);
    expect(during(10, 40)).toBe(2);
    expect(during(30, 40)).toBe(9);
    expect(windowsOf(steps)).toEqual([]);
  });
});
