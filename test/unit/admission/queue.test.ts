import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bucketOfTicket,
  count,
  countAfterSeconds,
  countableSeconds,
  drawnInTime,
  positionOf,
} from '../../../functions/admission/domain/queue.ts';

const orderKey = Buffer.alloc(32, 1).toString('base64');
const arrivals = fc.array(fc.array(fc.nat({ max: 5 }), { minLength: 3, maxLength: 3 }), { maxLength: 12 });

describe('the queue', () => {
  it('gives every place a position of its own, without a gap, earlier seconds first', () => {
    fc.assert(
      fc.property(arrivals, (seconds) => {
        const counted = seconds.map((counts, index) => ({ second: 100 + index, counts }));
        const { after, closed } = count({ closedTo: 99, known: 0 }, counted);
        const positions = closed.flatMap((second) =>
          second.counts.flatMap((n, bucket) =>
            Array.from({ length: n }, (_, index) =>
              positionOf({ second: second.second, bucket, ordinal: index + 1 }, second),
            ),
          ),
        );
        expect(positions).toEqual(Array.from({ length: after.known }, (_, index) => index + 1));
        expect(after.closedTo).toBe(99 + seconds.length);
      }),
    );
  });

  it('is the same however many seconds are counted at once', () => {
    fc.assert(
      fc.property(arrivals, fc.nat({ max: 12 }), (seconds, at) => {
        const counted = seconds.map((counts, index) => ({ second: 100 + index, counts }));
        const start = { closedTo: 99, known: 0 };
        const whole = count(start, counted);
        const first = count(start, counted.slice(0, at));
        const rest = count(first.after, counted.slice(at));
        expect([...first.closed, ...rest.closed]).toEqual(whole.closed);
        expect(rest.after).toEqual(whole.after);
      }),
    );
  });

  it('has no position for a number beyond what was counted', () => {
    expect(positionOf({ second: 1, bucket: 0, ordinal: 3 }, { base: 10, counts: [2, 5] })).toBeUndefined();
    expect(positionOf({ second: 1, bucket: 7, ordinal: 1 }, { base: 10, counts: [2, 5] })).toBeUndefined();
  });

  it('does not count a second twice, or leave one out', () => {
    expect(() => count({ closedTo: 99, known: 0 }, [{ second: 101, counts: [1] }])).toThrow();
    expect(() => count({ closedTo: 99, known: 0 }, [{ second: 99, counts: [1] }])).toThrow();
  });

  it('counts a second only when no number of it is accepted any more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000_000 }), (now) => {
        for (const second of countableSeconds({ closedTo: -1 }, now, 50)) {
          // A second of the slowest clock stands between the two.
          expect(drawnInTime(second, now - 1_000)).toBe(false);
        }
      }),
    );
    expect(countableSeconds({ closedTo: 9 }, (10 + 1 + countAfterSeconds) * 1_000, 5)).toEqual([10]);
    expect(countableSeconds({ closedTo: 9 }, (10 + 1 + countAfterSeconds) * 1_000 - 1, 5)).toEqual([]);
  });

  it('puts a ticket always into the same bucket, and spreads tickets evenly', () => {
    const buckets = Array.from({ length: 4_000 }, (_, n) => bucketOfTicket(orderKey, `tkt_${n}`, 8));
    expect(bucketOfTicket(orderKey, 'tkt_1', 8)).toBe(buckets[1]);
    const sizes = [...Map.groupBy(buckets, (bucket) => bucket).values()].map(({ length }) => length);
    expect(sizes).toHaveLength(8);
    expect(Math.min(...sizes)).toBeGreaterThan(400);
    // Another drop orders the same shoppers otherwise.
    const other = Buffer.alloc(32, 2).toString('base64');
    expect(buckets.map((_, n) => bucketOfTicket(other, `tkt_${n}`, 8))).not.toEqual(buckets);
  });
});
