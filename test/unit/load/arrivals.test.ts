import { describe, expect, it, vi } from 'vitest';
import { openLoop, poisson, within } from '../../../bench/load/arrivals.ts';
import { LoadClock } from '../../../bench/load/clock.ts';
import { ranks, weighted } from '../../../bench/load/random.ts';
import { randomOf } from '../../../local/random.ts';

describe('arrivals', () => {
  it('come as often as was asked for, in each phase, and the same for the same seed', () => {
    const phases = [
      { seconds: 100, rate: 50 },
      { seconds: 50, rate: 0 },
      { seconds: 50, rate: 200 },
    ];
    const arrivals = poisson(phases, randomOf(7));
    const counted = (from: number, to: number) =>
      arrivals.filter((at) => at >= from * 1_000 && at < to * 1_000).length;
    // Three standard deviations of a Poisson process.
    expect(Math.abs(counted(0, 100) - 5_000)).toBeLessThan(3 * Math.sqrt(5_000));
    expect(counted(100, 150)).toBe(0);
    expect(Math.abs(counted(150, 200) - 10_000)).toBeLessThan(300);
    expect(arrivals).toEqual([...arrivals].sort((a, b) => a - b));
    expect(poisson(phases, randomOf(7))).toEqual(arrivals);
    expect(poisson(phases, randomOf(8))).not.toEqual(arrivals);
  });

  it('come at gaps that vary as those of a Poisson process do', () => {
    const arrivals = poisson([{ seconds: 1_000, rate: 20 }], randomOf(3));
    const gaps = arrivals.slice(1).map((at, index) => at - arrivals[index]!);
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
    // An exponential distribution's deviation is its mean; that of even gaps would be 0.
    expect(Math.sqrt(variance) / mean).toBeCloseTo(1, 1);
  });

  it('are exactly as many as were asked for within a time', () => {
    const arrivals = within(500, 10, randomOf(1));
    expect(arrivals).toHaveLength(500);
    expect(Math.min(...arrivals)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...arrivals)).toBeLessThan(10_000);
  });

  it('do not wait for those before', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
    try {
      const due: number[] = [];
      const begin = performance.now();
      let release = () => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      const done = openLoop(new LoadClock(), [0, 10, 20, 30], async (_, intended) => {
        due.push(intended - begin);
        await held;
      });
      await vi.advanceTimersByTimeAsync(40);
      expect(due).toEqual([0, 10, 20, 30]);
      release();
      await done;
    } finally {
      vi.useRealTimers();
    }
  });

  it('come as much later as the clock is slower', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
    try {
      const clock = new LoadClock(0.2);
      const begin = clock.now();
      const due: number[] = [];
      const done = openLoop(clock, [0, 10, 20], async (_, intended) => {
        due.push(intended - begin);
        await clock.until(intended + 10);
        expect(clock.now() - begin).toBeGreaterThanOrEqual(intended - begin + 10);
      });
      await vi.advanceTimersByTimeAsync(60);
      expect(due).toEqual([0, 10]);
      await vi.advanceTimersByTimeAsync(100);
      expect(due).toEqual([0, 10, 20]);
      await done;
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('choices', () => {
  it('follow Zipf’s law, or none', () => {
    const count = (distribution: 'zipf' | 'uniform') => {
      const next = ranks(randomOf(5), 10, distribution, 1);
      const counts = Array.from({ length: 10 }, () => 0);
      for (let draw = 0; draw < 100_000; draw++) counts[next()]!++;
      return counts;
    };
    const zipf = count('zipf');
    expect(zipf[0]! / zipf[1]!).toBeCloseTo(2, 0);
    expect(zipf[0]! / zipf[9]!).toBeCloseTo(10, -1);
    for (const times of count('uniform')) expect(Math.abs(times - 10_000)).toBeLessThan(400);
  });

  it('are made by weight', () => {
    const random = randomOf(2);
    const drawn = Array.from({ length: 10_000 }, () =>
      weighted(random, [['a', 3] as const, ['b', 1] as const]),
    );
    expect(Math.abs(drawn.filter((one) => one === 'a').length - 7_500)).toBeLessThan(200);
    expect(weighted(random, [['a', 0] as const, ['b', 1] as const])).toBe('b');
  });
});
