import { describe, expect, it } from 'vitest';
import { naiveCounts } from '../../../bench/naive/model.ts';
import { bestRate, designAt, naiveAt, type Point } from '../../../bench/scale/capacity.ts';
import { svgOf } from '../../../bench/scale/charts.ts';
import { simulateClosed } from '../../../bench/scale/closed.ts';
import { simulateDesign } from '../../../bench/scale/design.ts';
import { create, simulateNaive, steps } from '../../../bench/scale/naive.ts';
import { defaultQuotas, raise, stageQuotas } from '../../../bench/scale/quotas.ts';
import { usdPerMillionOrders } from '../../../bench/scale/study.ts';
import { Histogram, type Tally } from '../../../bench/scale/tally.ts';

const crowd = { shoppers: 20_000, units: 300, arrivalSeconds: 20, seed: 5, endsAt: 1_200 };
const design = { shards: 16, pace: 100 };

/** All that a run is told by. */
function toldBy(tally: Tally): string {
  const { counts, limits, refusals, soldIn, answeredIn, sold, gaveUp, conflicts } = tally;
  return JSON.stringify([
    [...counts],
    [...limits],
    [...refusals],
    soldIn,
    answeredIn,
    sold,
    gaveUp,
    conflicts,
  ]);
}

describe('a drop of this design', () => {
  const tally = simulateDesign(crowd, stageQuotas, design);

  it('sells every unit and answers every shopper', () => {
    expect(tally.sold).toBe(300);
    const noShows = tally.refusals.get('did not order') ?? 0;
    expect(tally.finalAnswers.count + noShows + tally.gaveUp).toBe(crowd.shoppers);
    expect(tally.gaveUp).toBe(0);
    expect(tally.firstAnswers.count).toBe(crowd.shoppers);
  });

  it('is the same for the same seed and another for another', () => {
    expect(toldBy(simulateDesign(crowd, stageQuotas, design))).toBe(toldBy(tally));
    expect(toldBy(simulateDesign({ ...crowd, seed: 6 }, stageQuotas, design))).not.toBe(toldBy(tally));
  });

  it('admits no faster than its pace', () => {
    expect(tally.peak).toBeLessThanOrEqual(1.5 * design.pace);
  });
});

describe('a drop of the naive design', () => {
  const tally = simulateNaive(crowd, defaultQuotas);

  it('sells no more than there is', () => {
    expect(tally.sold).toBe(300);
  });

  it('is the same for the same seed', () => {
    expect(toldBy(simulateNaive(crowd, defaultQuotas))).toBe(toldBy(tally));
  });

  it('writes what the naive bill says', () => {
    const written = [create, ...steps].reduce(
      (sum, { writes: { order, index, stock } }) => sum + order + 2 * index + stock,
      0,
    );
    expect(written).toBe(naiveCounts.find(({ price }) => price === 'dynamodb.writeUnits')?.count);
  });
});

describe('on one SKU', () => {
  const raised = raise(stageQuotas);
  const carried = ({ sold, came }: Point) => sold >= 0.97 * came;

  it('this design sells 10,000 a second in a drop with the quotas raised', () => {
    expect(carried(designAt(10_400, raised, { shards: 90 }))).toBe(true);
  });

  it('without a drop every order reads the price, and stops at the partition of one item', () => {
    const point = designAt(4_000, raised, { shards: 90, withoutDrop: true });
    expect(carried(point)).toBe(false);
    expect(point.tally.mainLimit).toMatch(/one item that every order reads/);
  });

  it.each([defaultQuotas, raise(defaultQuotas)])('the naive design sells 300 a second at most', (quotas) => {
    for (const offered of [200, 400]) expect(naiveAt(offered, quotas).sold).toBeLessThan(300);
  });

  it('an order costs at most 15% of the naive one', () => {
    const naive = usdPerMillionOrders(naiveAt(140, defaultQuotas));
    const atDefault = designAt(600, stageQuotas, { shards: 90 });
    expect(usdPerMillionOrders(atDefault)).toBeLessThan(0.15 * naive);
    const fast = designAt(10_400, raised, { shards: 90 });
    expect(usdPerMillionOrders(fast)).toBeLessThan(0.15 * naive);
  });

  it('more shards sell more, in proportion', () => {
    const best = (shards: number) => bestRate((offered) => designAt(offered, raised, { shards })).sold;
    expect(best(8) / best(1)).toBeGreaterThan(6);
  });
});

it('without conflicts clients are as fast as their own time allows', () => {
  const one = { clients: 4, shards: 64, heldMs: 1, outsideMs: 99, conflictMs: 1 };
  expect(simulateClosed(one, 500).perSecond).toBeCloseTo(40, 0);
});

it('one shard sells no faster than one transaction after another', () => {
  const one = { clients: 16, shards: 1, heldMs: 100, outsideMs: 10, conflictMs: 5 };
  const { perSecond, tries } = simulateClosed(one, 500);
  expect(perSecond).toBeLessThan(10);
  expect(perSecond).toBeGreaterThan(7);
  expect(tries).toBeGreaterThan(3);
});

it('a histogram knows its quantiles to about a percent', () => {
  const histogram = new Histogram();
  for (let ms = 1; ms <= 1_000; ms++) histogram.add(ms / 1_000);
  expect(histogram.quantile(0.5)).toBeCloseTo(0.5, 1);
  expect(histogram.quantile(0.99) / 0.99).toBeCloseTo(1, 1);
});

it('draws the same picture of the same figures', () => {
  const chart = {
    title: 'a < b',
    x: 'x',
    y: 'y',
    lines: [
      {
        name: 'l',
        points: [
          [0, 0],
          [3, 7],
        ] as const,
      },
    ],
  };
  expect(svgOf(chart)).toBe(svgOf(chart));
  expect(svgOf(chart)).toContain('a &lt; b');
});
