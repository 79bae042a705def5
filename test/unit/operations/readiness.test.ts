import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Event, ordersPerShard, raisedBy, readinessOf, tightness } from '../../../bench/readiness.ts';
import { bestRate, designAt } from '../../../bench/scale/capacity.ts';
import { raise, stageQuotas } from '../../../bench/scale/quotas.ts';
import { configOf } from '../../../lib/config.ts';

const prod = configOf('prod');
const event: Event = {
  shoppers: 100_000,
  within: 60,
  signingIn: 0.05,
  ordersPerSecond: 200,
  stock: [{ sku: 'sku_1', units: 10_000, shards: 1 }],
  arrivalShards: 64,
  pollSeconds: 10,
};
const events = fc.record({
  shoppers: fc.integer({ min: 1, max: 1_000_000 }),
  within: fc.integer({ min: 1, max: 600 }),
  signingIn: fc.double({ min: 0, max: 1, noNaN: true }),
  ordersPerSecond: fc.option(fc.integer({ min: 1, max: 10_000 }), { nil: undefined }),
  stock: fc.array(
    fc.record({
      sku: fc.constantFrom('sku_1', 'sku_2'),
      units: fc.integer({ min: 1, max: 10_000 }),
      shards: fc.integer({ min: 1, max: 90 }),
    }),
    { minLength: 1, maxLength: 2 },
  ),
  arrivalShards: fc.integer({ min: 1, max: 256 }),
  pollSeconds: fc.integer({ min: 1, max: 60 }),
});

const found = (what: string, of: Event = event, raised = {}) =>
  readinessOf(of, prod, raised).checks.find((check) => check.what === what)!;

describe('readiness', () => {
  it('names what is tightest first', () => {
    fc.assert(
      fc.property(events, (planned) => {
        const { checks } = readinessOf(planned, prod);
        expect(tightness(checks[0]!)).toBe(Math.max(...checks.map(tightness)));
      }),
    );
  });

  it('says e-mail breaks first in a drop that everything else carries', () => {
    const calm = { ...event, shoppers: 600, ordersPerSecond: 20 };
    const [first] = readinessOf(calm, prod).checks;
    expect(first).toMatchObject({ what: 'e-mail', needs: 40, has: 14 });
  });

  it('says sign-ins break first when everybody signs in at the start', () => {
    const [first] = readinessOf({ ...event, signingIn: 1 }, prod).checks;
    expect(first).toMatchObject({ what: 'e-mail' });
    const raised = { 'ses.sendRate': 10_000, 'provider.rate': 10_000 };
    expect(readinessOf({ ...event, signingIn: 1 }, prod, raised).checks[0]).toMatchObject({
      what: 'sign-ins',
    });
  });

  it('counts shards by what the model of scale says that one carries', () => {
    const quotas = raise(stageQuotas);
    const { sold } = bestRate((offered) => designAt(offered, quotas, { shards: 4 }));
    expect(ordersPerShard * 4).toBeGreaterThan(0.9 * sold);
    expect(ordersPerShard * 4).toBeLessThanOrEqual(sold);

    const of = (shards: number) => {
      const stock = [{ sku: 'sku_1', units: 10_000, shards }];
      return tightness(found('shards of sku_1', { ...event, ordersPerSecond: 501, stock }));
    };
    expect(of(3)).toBeGreaterThan(1);
    expect(of(4)).toBeLessThan(1);
  });

  it('takes quotas by their names, and no others', () => {
    expect(raisedBy(['ses.sendRate=100', 'order.warmWriteUnits=40000'])).toEqual({
      'ses.sendRate': 100,
      'order.warmWriteUnits': 40_000,
    });
    expect(() => raisedBy(['ses.sendrate=100'])).toThrow('ses.sendrate is no limit');
    expect(() => raisedBy(['ses.sendRate=many'])).toThrow('must be a number');
  });

  it('never gets worse when a quota is raised', () => {
    fc.assert(
      fc.property(events, (planned) => {
        const worst = (raised: Record<string, number>) =>
          Math.max(...readinessOf(planned, prod, raised).checks.map(tightness));
        expect(worst({ 'ses.sendRate': 1_000, 'lambda.concurrency': 10_000 })).toBeLessThanOrEqual(worst({}));
      }),
    );
  });

  it('lets orders through at the provider’s pace where the drop says no rate', () => {
    const { ordersPerSecond } = readinessOf({ ...event, ordersPerSecond: undefined }, prod);
    expect(ordersPerSecond).toBe(50);
    expect(tightness(found('payments (the provider’s pace)', { ...event, ordersPerSecond: undefined }))).toBe(
      1,
    );
  });

  it('names the functions that begin cold, with what the crowd needs of each', () => {
    const cold = (ready: Record<string, number>) =>
      readinessOf(event, prod, {}, ready).cold.map(({ what, needs, has }) => [what, needs, has]);
    // 1,667 arrivals a second at 15 ms, 10,000 polls but 40 environments reserved, 200 orders at 40 ms.
    expect(Object.fromEntries(cold({}).map(([what, needs]) => [what, needs]))).toEqual({
      'admission-show-drop': 1,
      'admission-take-ticket': 25,
      'admission-get-ticket': 40,
      'cart-create-cart': 3,
      'cart-get-cart': 3,
      'cart-put-cart-line': 3,
      'order-place-order': 8,
    });
    const enough = {
      'admission-show-drop': 1,
      'admission-take-ticket': 25,
      'admission-get-ticket': 40,
      'cart-create-cart': 20,
      'cart-get-cart': 20,
      'cart-put-cart-line': 30,
      'order-place-order': 8,
    };
    expect(cold(enough)).toEqual([]);
    expect(cold({ ...enough, 'order-place-order': 7 })).toEqual([['order-place-order', 8, 7]]);
  });

  it('says what it comes to', () => {
    const { usd } = readinessOf(event, prod);
    expect(usd.orders).toBeCloseTo(0.4);
    expect(usd.queue).toBeGreaterThan(0);
  });
});
