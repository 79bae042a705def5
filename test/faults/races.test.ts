import { describe, expect, it } from 'vitest';
import { allOrders, races, runRace } from '../../bench/proofs/races.ts';
import { seededBugs } from './seeded-bugs.ts';

const raceOf = (name: string) => races.find((race) => race.name === name)!;

describe.each(races)('$name', (race) => {
  it('ends well in every order of its steps', async () => {
    const figures = await runRace(race, allOrders);
    expect(figures.failure).toBeUndefined();
    expect(figures.complete).toBe(true);
    expect(figures.interleavings).toBeGreaterThan(1);
    // Thousands of orders, in some.
  }, 300_000);
});

describe('the scheduler', () => {
  it.each([
    ['two tabs ordering one cart', 0],
    ['two orders for the last unit', 0],
    ['an order while the last unit comes back', 1],
    ['a cart changed while it is ordered', 1],
    ['refund during capture', 0],
    ['two cards at once', 0],
  ])('overlooks no end of "%s" by leaving out orders that commute', async (name, conflicts) => {
    const bounds = { runs: 20_000, samples: 0, conflicts };
    const every = await runRace(raceOf(name), { ...bounds, everyOrder: true, everyTry: true });
    const reduced = await runRace(raceOf(name), bounds);
    expect([every.complete, reduced.complete]).toEqual([true, true]);
    expect(reduced.endStates).toBe(every.endStates);
    expect(reduced.interleavings).toBeLessThanOrEqual(every.interleavings);
  });

  it.each([
    'reconciler during a run',
    'two runs of the saga for one attempt',
    'cancel during authorise',
    'cancel while a capture fails',
    'expiry and cancel during confirm',
    'payment against expiry',
    'two refunds and a cancel after capture',
    'an order ended by three at once',
  ])('overlooks no end of "%s" by leaving those who begin anew', async (name) => {
    const bounds = { runs: 1_000, samples: 0, conflicts: 0 };
    const every = await runRace(raceOf(name), { ...bounds, everyTry: true });
    const reduced = await runRace(raceOf(name), bounds);
    expect([every.complete, reduced.complete]).toEqual([true, true]);
    expect(reduced.endStates).toBe(every.endStates);
    expect(reduced.interleavings).toBeLessThan(every.interleavings);
  });

  it('takes the same steps every time', async () => {
    const race = raceOf('cancel during authorise');
    const [first, again] = [await runRace(race, allOrders), await runRace(race, allOrders)];
    expect(again).toEqual(first);
  });
});

describe('a mistake in the ports', () => {
  it.each(seededBugs)('$name: is noticed', async ({ race, defect, faults, notices }) => {
    const { failure } = await runRace(
      raceOf(race),
      { runs: 3_000, samples: 300, conflicts: 0 },
      defect,
      faults,
    );
    expect(failure?.wrong.join('; ')).toMatch(notices);
    expect(failure?.schedule.length).toBeGreaterThan(0);
  });
});
