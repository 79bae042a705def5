import { describe, expect, it, vi } from 'vitest';
import { measurePressure } from '../../../functions/limits/app/measure-pressure.ts';
import type { Readings } from '../../../functions/limits/domain/level.ts';

vi.mock('../../../functions/kernel/log.ts', () => ({ log: { info: vi.fn() }, measure: vi.fn() }));

const quiet: Readings = {
  paymentAge: 0,
  eventAge: 0,
  tableThrottles: 0,
  functionThrottles: 0,
  pipeFailures: 0,
};

/** A world in which payments are as old as `ages` says, look after look. */
function world(ages: readonly number[], stored?: { level: number; at: number }) {
  let now = 0;
  let looks = 0;
  let level = stored;
  const levels: number[] = [];
  const run = measurePressure({
    now: () => now,
    sleep: async (milliseconds) => {
      now += milliseconds;
    },
    readings: async () => ({ ...quiet, paymentAge: ages[looks++] ?? 0 }),
    level: async () => level,
    setLevel: async (measured) => {
      level = measured;
      levels.push(measured.level);
    },
  });
  return { run, levels, looks: () => looks };
}

describe('measuring pressure', () => {
  it('looks once and writes nothing while nothing presses', async () => {
    const { run, levels, looks } = world([0]);
    expect(await run()).toEqual({ level: 0 });
    expect({ levels, looks: looks() }).toEqual({ levels: [], looks: 1 });
  });

  it('looks every ten seconds while something presses, and ends before the next run', async () => {
    const { run, levels, looks } = world([300, 300, 300, 300, 300, 300, 300]);
    expect(await run()).toEqual({ level: 3 });
    expect(looks()).toBe(6);
    expect(levels).toEqual([3, 3, 3, 3, 3, 3]);
  });

  it('goes back step by step, and stores the end', async () => {
    const { run, levels } = world([180, 0, 0, 0]);
    expect(await run()).toEqual({ level: 0 });
    expect(levels).toEqual([1.5, 1, 0.5, 0]);
  });
});
