import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { levelAt, OwnPressure, quotaFactorAt, shareRefused } from '../../../functions/kernel/pressure.ts';
import { askedLevel, nextLevel, type Readings } from '../../../functions/limits/domain/level.ts';

const level = fc.double({ min: 0, max: 3, noNaN: true });

describe('the share of a class that a level refuses', () => {
  it('never refuses a class before everything that matters less is refused altogether', () => {
    fc.assert(
      fc.property(level, (at) => {
        if (shareRefused('cart', at) > 0) expect(shareRefused('browse', at)).toBe(1);
        if (shareRefused('order', at) > 0) expect(shareRefused('cart', at)).toBe(1);
        expect(shareRefused('pay', at)).toBe(0);
        expect(shareRefused('operate', at)).toBe(0);
      }),
    );
  });

  it('is all at the class’s own level, and grows up to it', () => {
    expect([0, 0.25, 1, 3].map((at) => shareRefused('browse', at))).toEqual([0, 0.25, 1, 1]);
    expect([1, 1.5, 2].map((at) => shareRefused('cart', at))).toEqual([0, 0.5, 1]);
    expect([2, 2.5, 3].map((at) => shareRefused('order', at))).toEqual([0, 0.5, 1]);
  });
});

describe('the level that counts', () => {
  const at = 1_000_000;

  it('is the ordered one until it ends, also where it is lower than what is measured', () => {
    const pressure = { measured: { level: 2, at }, ordered: { level: 0, until: at + 60_000 } };
    expect(levelAt(pressure, at)).toBe(0);
    expect(levelAt(pressure, at + 60_000)).toBe(2);
  });

  it('forgets a measurement that nobody has renewed', () => {
    expect(levelAt({ measured: { level: 3, at } }, at + 179_999)).toBe(3);
    expect(levelAt({ measured: { level: 3, at } }, at + 180_000)).toBe(0);
    expect(levelAt({}, at)).toBe(0);
  });

  it('has quotas as they are once an order has ended', () => {
    const pressure = { quotas: { factor: 0.5, until: at } };
    expect([quotaFactorAt(pressure, at - 1), quotaFactorAt(pressure, at)]).toEqual([0.5, 1]);
  });
});

describe('what an environment sees by itself', () => {
  const history = fc.array(fc.constantFrom('served', 'lacking', 'shed' as const), { maxLength: 200 });

  it('refuses nobody while AWS serves, and less of what matters more', () => {
    fc.assert(
      fc.property(history, (outcomes) => {
        const own = new OwnPressure();
        for (const one of outcomes) own.record(one, 1_000);
        const shares = (['browse', 'cart', 'order', 'pay', 'operate'] as const).map((priority) =>
          own.shareRefused(priority, 1_000),
        );
        expect(shares).toEqual(shares.toSorted((a, b) => b - a));
        expect(shares.slice(3)).toEqual([0, 0]);
        expect(Math.max(...shares)).toBeLessThan(1);
        if (outcomes.every((one) => one === 'served')) expect(shares[0]).toBe(0);
      }),
    );
  });

  it('holds back when most requests meet a throttle, and forgets it within a minute', () => {
    const own = new OwnPressure();
    for (let sent = 0; sent < 20; sent++) own.record('lacking', 1_000);
    expect(own.shareRefused('browse', 1_000)).toBeGreaterThan(0.9);
    expect(own.shareRefused('order', 1_000)).toBeGreaterThan(0.9);
    expect(own.shareRefused('browse', 61_000)).toBe(0);
  });
});

describe('the level that readings ask for', () => {
  const quiet: Readings = {
    paymentAge: 0,
    eventAge: 0,
    tableThrottles: 0,
    functionThrottles: 0,
    pipeFailures: 0,
  };
  const reading = fc.integer({ min: 0, max: 100_000 });
  const readings = fc.record({
    paymentAge: reading,
    eventAge: reading,
    tableThrottles: reading,
    functionThrottles: reading,
    pipeFailures: reading,
  });

  it('is nothing when nothing presses', () => {
    expect(askedLevel(quiet)).toBe(0);
    expect(askedLevel({ ...quiet, paymentAge: 60, tableThrottles: 20, functionThrottles: 10 })).toBe(0);
  });

  it('grows with the age of payments, and with none of them beyond 3', () => {
    expect(askedLevel({ ...quiet, paymentAge: 180 })).toBe(1.5);
    expect(askedLevel({ ...quiet, paymentAge: 10_000 })).toBe(3);
    fc.assert(fc.property(readings, (all) => askedLevel(all) <= 3));
  });

  it('sheds browsing at most when functions are throttled, as their caps do no harm to others', () => {
    expect(askedLevel({ ...quiet, functionThrottles: 1_000_000 })).toBe(1);
  });

  it('never falls when a reading grows', () => {
    fc.assert(
      fc.property(readings, fc.constantFrom(...(Object.keys(quiet) as (keyof Readings)[])), (all, name) => {
        expect(askedLevel({ ...all, [name]: all[name] + 50 })).toBeGreaterThanOrEqual(askedLevel(all));
      }),
    );
  });

  it('is followed up at once, and down within a minute', () => {
    expect(nextLevel(0, 2.5, 10)).toBe(2.5);
    expect(nextLevel(3, 0, 10)).toBe(2.5);
    expect(nextLevel(3, 2.8, 10)).toBe(2.8);
    expect(nextLevel(3, 0, 60)).toBe(0);
  });
});
