import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Drop } from '../../../functions/admission/domain/drop.ts';
import {
  advance,
  type FallbackLine,
  heldUntil,
  isStale,
  lapsedOf,
  lineUp,
  outstandingOf,
  type Queue,
  resume,
  type Serving,
  servedAt,
  staleAfterMs,
  unserved,
} from '../../../functions/admission/domain/serving.ts';
import { opening, someDrop } from './given.ts';

/** A drop that is conducted each second over shoppers who buy, or do not come, as `buys` says. */
function conduct(
  drop: Drop,
  world: { stock: number; known: (second: number) => number; buys: (position: number) => boolean },
  seconds: number,
) {
  let serving: Serving = unserved(drop.createdAt);
  let left = world.stock;
  const claims = new Map<number, number>();
  const trace: { serving: Serving; left: number; mostOutstanding: number }[] = [];
  let bought = 0;
  for (let second = 0; second < seconds; second++) {
    const now = opening + second * 1_000;
    const seen = [...claims]
      .filter(([position]) => position > serving.lapsedTo)
      .map(([position, units]) => ({ position, units }));
    const findings = { known: world.known(second), remaining: left, claims: seen, pace: 10 };
    serving = advance(drop, serving, findings, now).after;
    trace.push({ serving, left, mostOutstanding: outstandingOf(serving) });
    // Whoever buys does so at once.
    for (; bought < serving.served; bought++) {
      if (!world.buys(bought + 1) || left === 0) continue;
      claims.set(bought + 1, 1);
      left--;
    }
  }
  return { serving, left, claims, trace };
}

describe('the serving number', () => {
  it('only grows, and never promises more than there is', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 60 }),
        fc.integer({ min: 0, max: 200 }),
        fc.integer({ min: 1, max: 7 }),
        (stock, crowd, every) => {
          const known = (second: number) => Math.min(crowd, second * 20);
          const world = { stock, known, buys: (position: number) => position % every === 0 };
          const { trace } = conduct(someDrop({ holdSeconds: 30 }), world, 150);
          for (const [index, { serving, left, mostOutstanding }] of trace.entries()) {
            const before = trace[index - 1]?.serving.served ?? 0;
            expect(serving.served).toBeGreaterThanOrEqual(before);
            expect(serving.served).toBeLessThanOrEqual(known(index));
            expect(serving.served - before).toBeLessThanOrEqual(10);
            if (serving.served > before) expect(mostOutstanding).toBeLessThanOrEqual(left);
            expect(outstandingOf(serving) + lapsedOf(serving) + serving.used).toBe(serving.served);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('sells everything although most do not come: their places go to the next', () => {
    const world = { stock: 20, known: () => 1_000, buys: (position: number) => position % 5 === 0 };
    const { left, serving } = conduct(someDrop({ holdSeconds: 30 }), world, 1_500);
    expect(left).toBe(0);
    expect(serving).toMatchObject({ soldOut: true, remaining: 0 });
  });

  it('gives nobody’s place to another while an order may be under way with it', () => {
    const drop = someDrop({ holdSeconds: 30 });
    const { trace } = conduct(drop, { stock: 9, known: () => 50, buys: () => false }, 120);
    const second = { base: 0, counts: [50] };
    for (const [index, { serving }] of trace.entries()) {
      const before = trace[index - 1]?.serving;
      if (!before || serving.lapsedTo === before.lapsedTo) continue;
      // An order has eight seconds from the moment at which it was let in.
      const until = heldUntil(drop, before, second, serving.lapsedTo);
      expect(serving.at).toBeGreaterThanOrEqual(until + 8_000);
    }
    expect(trace.at(-1)!.serving.lapsedTo).toBeGreaterThan(9);
  });

  it('goes on in order when units come back', () => {
    const drop = someDrop();
    const findings = { known: 10, claims: [], pace: 10 };
    const first = advance(drop, unserved(opening), { ...findings, remaining: 0 }, opening + 1_000).after;
    expect(first).toMatchObject({ served: 0, soldOut: true });
    const then = advance(drop, first, { ...findings, remaining: 3 }, opening + 2_000).after;
    expect(then).toMatchObject({ served: 3, soldOut: false });
  });

  it('counts an admission for the mean units of an order, and a rest for one', () => {
    const drop = someDrop();
    const before = { ...unserved(opening), served: 2, history: [[opening / 5_000, 2]] as const };
    const claims = [1, 2].map((position) => ({ position, units: 2 }));
    const servedWith = (remaining: number) =>
      advance(drop, before, { known: 100, remaining, claims, pace: 100 }, opening + 1_000).after.served;
    expect(servedWith(10)).toBe(2 + 5);
    expect(servedWith(1)).toBe(2 + 1);
  });

  it('admits nobody before it opens, during a pause, or after its end', () => {
    const findings = { known: 10, remaining: 10, claims: [], pace: 10 };
    const at = (drop: Drop, now: number) => advance(drop, unserved(now - 1_000), findings, now).after.served;
    expect(at(someDrop(), opening - 1)).toBe(0);
    expect(at(someDrop({ pausedAt: opening + 1_000 }), opening + 5_000)).toBe(0);
    expect(at(someDrop(), opening + 3_600_000)).toBe(0);
    expect(at(someDrop(), opening + 5_000)).toBe(10);
  });
});

describe('while nobody conducts', () => {
  const drop = someDrop();
  const from = opening + staleAfterMs;

  /** Shoppers who came one second after another, each given as the seconds of pause before and how many they are. */
  function arrived(
    seconds: readonly (readonly [number, number])[],
    look: (line: FallbackLine) => void = () => {},
  ) {
    const serving = unserved(opening);
    let queue: Queue = { closedTo: 0, known: 0 };
    let now = from;
    const places: { position: number; second: Parameters<typeof heldUntil>[2] }[] = [];
    for (const [pause, arrivals] of seconds) {
      now += pause * 1_000;
      const second = { second: 0, base: queue.known, counts: [arrivals] };
      const { line, startsAt } = lineUp(drop, serving, queue, [second], now);
      look(line);
      const counted = { ...second, line: { from: line.from, startAt: startsAt[0]! } };
      for (let n = 1; n <= arrivals; n++) places.push({ position: queue.known + n, second: counted });
      queue = { closedTo: 0, known: queue.known + arrivals, line };
    }
    return { serving, queue, places, now };
  }

  it('admits at the fallback rate, neither more nor nobody, and no more than there are', () => {
    const serving = { ...unserved(opening), served: 5 };
    const queue: Queue = { closedTo: 0, known: 30 };
    expect(isStale(drop, serving, from - 1)).toBe(false);
    expect(servedAt(drop, serving, queue, from - 1)).toBe(5);
    expect(servedAt(drop, serving, queue, from + 999)).toBe(6);
    expect(servedAt(drop, serving, queue, from + 1_000)).toBe(7);
    expect(servedAt(drop, serving, queue, from + 60_000)).toBe(30);
  });

  it('does not save up what nobody used: a crowd that comes late is admitted at the same rate', () => {
    const serving = unserved(opening);
    const empty: Queue = { closedTo: 0, known: 0 };
    const late = from + 600_000;
    const crowd = { second: Math.floor(late / 1_000) - 6, base: 0, counts: [100] };
    const { line } = lineUp(drop, serving, empty, [crowd], late);
    const queue = { closedTo: crowd.second, known: 100, line };
    expect(servedAt(drop, serving, queue, late)).toBe(0);
    expect(servedAt(drop, serving, queue, late + 10_000)).toBe(20);
  });

  it('comes to the same wherever it is asked: who is served has an admission that starts then', () => {
    const crowds = fc.array(fc.tuple(fc.nat({ max: 30 }), fc.integer({ min: 1, max: 20 })), { maxLength: 8 });
    fc.assert(
      fc.property(crowds, fc.nat({ max: 60_000 }), (seconds, wait) => {
        const { serving, queue, places, now } = arrived(seconds);
        const later = now + wait;
        const served = servedAt(drop, serving, queue, later);
        for (const { position, second } of places) {
          const begun = heldUntil(drop, serving, second, position) - drop.holdSeconds * 1_000 - 5_000;
          // An admission begins with the cell of five seconds in which it is the place's turn.
          if (position <= served) expect(begun).toBeLessThanOrEqual(later);
          else expect(begun + 5_000).toBeGreaterThanOrEqual(later);
        }
      }),
    );
  });

  it('is gone on from by the next conductor, and nobody’s admission is taken back', () => {
    const serving = unserved(opening);
    const queue: Queue = { closedTo: 0, known: 500 };
    const now = from + 100_000;
    const resumed = resume(drop, serving, queue, now);
    expect(resumed).toMatchObject({ served: 200, at: now });
    const second = { base: 0, counts: [500] };
    for (const position of [150, 199, 200]) {
      const before = heldUntil(drop, serving, second, position);
      if (before <= now) continue;
      expect(heldUntil(drop, resumed, second, position)).toBeGreaterThanOrEqual(before);
    }
  });

  it('leaves run out what had run out, whenever those came who stand behind', () => {
    const crowds = fc.array(fc.tuple(fc.nat({ max: 90 }), fc.integer({ min: 1, max: 20 })), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(crowds, fc.nat({ max: 90_000 }), (seconds, wait) => {
        const { serving, queue, places, ...last } = arrived(seconds, ({ history }) =>
          expect(history.length).toBeLessThanOrEqual((drop.holdSeconds + 10) / 5 + 2),
        );
        const now = last.now + wait;
        const resumed = resume(drop, serving, queue, now);
        const findings = { known: queue.known, remaining: 0, claims: [], pace: 1 };
        const next = advance(drop, resumed, findings, now + 1_000).after;
        for (const { position, second } of places.filter((place) => place.position <= resumed.served)) {
          const before = heldUntil(drop, serving, second, position);
          for (const then of [resumed, next]) {
            const after = heldUntil(drop, then, second, position);
            expect(after).toBeLessThanOrEqual(Math.max(before + 5_000, now));
            if (before > now + 1_000) expect(after).toBeGreaterThanOrEqual(before);
          }
        }
      }),
    );
  });

  it('holds still during a pause', () => {
    const paused = someDrop({ pausedAt: from + 2_000 });
    const serving = unserved(opening);
    expect(servedAt(paused, serving, { closedTo: 0, known: 100 }, from + 50_000)).toBe(4);
  });
});
