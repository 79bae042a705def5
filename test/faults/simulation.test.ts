import { describe, expect, it } from 'vitest';
import { type Judged, judgeSeeds } from '../../bench/simulation/many-seeds.ts';
import { planOf } from '../../bench/simulation/plan.ts';
import { printable, shrink } from '../../bench/simulation/shrink.ts';
import { run } from '../../bench/simulation/simulation.ts';
import { simulatedBugs } from './simulated-bugs.ts';

const bugOf = (name: string) => simulatedBugs.find((bug) => bug.name === name)!;

describe('whole days from a seed', () => {
  // Some ten seconds by themselves, more beside other work.
  it('end well 300 times', { timeout: 240_000 }, async () => {
    const all: Judged[] = [];
    await judgeSeeds({ from: 1, to: 301 }, (judged) => all.push(judged));
    expect(all.flatMap(({ reproduction }) => reproduction ?? [])).toEqual([]);
    expect(all).toHaveLength(300);
    // They were days on which much was bought and much went wrong.
    const sum = (of: (judged: Judged) => number) => all.reduce((total, judged) => total + of(judged), 0);
    expect(sum(({ orders }) => orders)).toBeGreaterThan(600);
    expect(sum(({ mishaps }) => mishaps)).toBeGreaterThan(1_500);
    expect(new Set(all.map(({ hash }) => hash)).size).toBe(300);
  });

  it('take the same course for the same seed, in whichever process', async () => {
    const told: Judged[] = [];
    await judgeSeeds({ from: 11, to: 14 }, (judged) => told.push(judged));
    for (const { seed, hash, steps } of told) {
      const course = await run(planOf(seed));
      expect([course.hash, course.trace.length]).toEqual([hash, steps]);
    }
    expect(told).toHaveLength(3);
  });

  it('leave the process its own clock and chance', async () => {
    const before = [Math.random, Date.now, globalThis.setTimeout, crypto.randomUUID];
    await run(planOf(11));
    expect([Math.random, Date.now, globalThis.setTimeout, crypto.randomUUID]).toEqual(before);
  });
});

describe('a mistake built in', () => {
  it.each(simulatedBugs)('$name: is caught by its seed', async ({ seed, bug, notices }) => {
    const { wrong } = await run(planOf(seed), bug());
    expect(wrong.join('; ')).toMatch(notices);
  });

  it('is shown by the least that still shows it', async () => {
    const { bug, seed, notices } = bugOf('a void is answered and not sent');
    const plan = planOf(seed);
    const found = await shrink(plan, await run(plan, bug()), bug);
    expect(found.course.wrong.join('; ')).toMatch(notices);
    expect(found.plan.shoppers).toHaveLength(1);
    expect(found.plan.deeds).toEqual([]);
    expect(found.course.mishaps.length).toBeLessThanOrEqual(1);
    expect(printable(found)).toMatch(new RegExp(`seed ${seed}, made smaller`));
  });
});
