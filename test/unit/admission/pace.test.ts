import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstPace, nextPace, type Pace } from '../../../functions/admission/domain/pace.ts';

/** A provider that takes `capacity` payments a second from a queue that fills as fast as people are admitted. */
function run(capacity: (second: number) => number, seconds: number, safe = 5, delay = 2) {
  let pace: Pace = firstPace(safe, 0);
  let waiting = 0;
  const admitted: number[] = [];
  const paces: number[] = [];
  const depths: number[] = [];
  for (let second = 1; second <= seconds; second++) {
    admitted.push(pace.perSecond);
    const orders = admitted[second - 1 - delay] ?? 0;
    waiting = Math.max(0, waiting + orders - capacity(second));
    pace = nextPace(pace, { waiting, inFlight: 0, orders, paced: true }, safe, second * 1_000);
    paces.push(pace.perSecond);
    depths.push(waiting);
  }
  return { paces, depths };
}

describe('as fast as payment allows', () => {
  it('finds the provider’s pace and keeps its queue short', () => {
    for (const capacity of [2, 20, 200]) {
      const { paces, depths } = run(() => capacity, 600);
      const late = paces.slice(300);
      const mean = late.reduce((sum, pace) => sum + pace, 0) / late.length;
      expect(mean).toBeGreaterThan(capacity * 0.7);
      expect(mean).toBeLessThan(capacity * 1.3 + 1);
      expect(Math.max(...depths.slice(300))).toBeLessThan(capacity * 30);
    }
  });

  it('slows down when the provider does, and recovers with it', () => {
    const { paces } = run((second) => (second > 200 && second < 400 ? 1 : 50), 900);
    expect(Math.min(...paces.slice(300, 400))).toBeLessThan(3);
    expect(Math.max(...paces.slice(700))).toBeGreaterThan(30);
  });

  it('does not grow on what it was never tried by', () => {
    const before = { ...firstPace(5, 0), starting: false };
    expect(nextPace(before, { waiting: 0, inFlight: 0, orders: 0, paced: false }, 5, 1_000).perSecond).toBe(
      5,
    );
  });

  it('stays within its bounds whatever is measured', () => {
    const measured = fc.record({
      waiting: fc.nat({ max: 100_000 }),
      inFlight: fc.nat({ max: 1_000 }),
      orders: fc.nat({ max: 10_000 }),
      paced: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(measured, { maxLength: 60 }), (measurements) => {
        let pace = firstPace(5, 0);
        for (const [index, one] of measurements.entries()) {
          const next = nextPace(pace, one, 5, (index + 1) * 1_000);
          expect(next.perSecond).toBeGreaterThanOrEqual(0.2);
          expect(next.perSecond).toBeLessThanOrEqual(10_000);
          expect(next.perSecond).toBeGreaterThanOrEqual(pace.perSecond / 2);
          pace = next;
        }
      }),
    );
  });
});
