import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOf, ownAllowance, Quotas, type WindowKey } from '../../../functions/kernel/quota.ts';

/** A counter that all environments share, and how often it was written. */
function counter() {
  const sums = new Map<string, number>();
  let writes = 0;
  return {
    writes: () => writes,
    share: async ({ name, caller, window }: WindowKey, requests: number) => {
      writes++;
      const key = `${name} ${caller} ${window}`;
      const sum = (sums.get(key) ?? 0) + requests;
      sums.set(key, sum);
      return sum;
    },
  };
}

const rule = (limit: number) => ({ name: 'orders', limit, seconds: 60 });

describe('a quota', () => {
  it('lets no more through in a window than its limit and what each environment may let through alone', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.nat({ max: 11 }), { maxLength: 300 }),
        async (limit, count, requests) => {
          const { share, writes } = counter();
          const environments = Array.from({ length: count }, () => new Quotas(share));
          let passed = 0;
          for (const to of requests) {
            const taken = await environments[to % count]!.take(rule(limit), 'somebody', 0);
            if (taken.allowed) passed++;
          }
          expect(passed).toBeLessThanOrEqual(limit + count * ownAllowance(limit));
          expect(passed).toBeGreaterThanOrEqual(Math.min(requests.length, limit));
          expect(writes()).toBeLessThanOrEqual(limit + count);
        },
      ),
    );
  });

  it('holds when requests come at the same time', async () => {
    const { share } = counter();
    const quotas = new Quotas(share);
    const taken = await Promise.all(Array.from({ length: 100 }, () => quotas.take(rule(20), 'somebody', 0)));
    expect(taken.filter(({ allowed }) => allowed).length).toBeLessThanOrEqual(20 + ownAllowance(20));
  });

  it('costs an ordinary shopper no write', async () => {
    const { share, writes } = counter();
    const quotas = new Quotas(share);
    for (let shopper = 0; shopper < 100; shopper++) {
      for (let sent = 0; sent < ownAllowance(20); sent++) {
        expect(await quotas.take(rule(20), `shopper ${shopper}`, 0)).toMatchObject({ allowed: true });
      }
    }
    expect(writes()).toBe(0);
  });

  it('tells how much is left and until when, and begins anew', async () => {
    const quotas = new Quotas(counter().share);
    const first = await quotas.take(rule(3), 'somebody', 0);
    expect(first).toMatchObject({ allowed: true, limit: 3, remaining: 2 });
    expect(first.reset).toBeGreaterThanOrEqual(1);
    expect(first.reset).toBeLessThanOrEqual(60);
    for (let sent = 0; sent < 2; sent++) await quotas.take(rule(3), 'somebody', 0);
    expect(await quotas.take(rule(3), 'somebody', 0)).toMatchObject({ allowed: false, remaining: 0 });
    expect(await quotas.take(rule(3), 'somebody else', 0)).toMatchObject({ allowed: true });
    const later = first.reset * 1_000 + 1_000;
    expect(await quotas.take(rule(3), 'somebody', later)).toMatchObject({ allowed: true, remaining: 2 });
  });

  it('counts by itself while the counter does not answer', async () => {
    const quotas = new Quotas(async () => Promise.reject(new Error('down')));
    const answers = [];
    while (answers.length < 30) answers.push((await quotas.take(rule(20), 'somebody', 0)).allowed);
    expect(answers.filter(Boolean)).toHaveLength(20);
  });
});

describe('the address of a caller', () => {
  it('is the gateway’s own view without an edge, whatever the caller claims', () => {
    expect(addressOf('203.0.113.7', '198.51.100.1, 203.0.113.7', false)).toBe('203.0.113.7');
  });

  it('is what CloudFront has put last behind it, not what the viewer put before', () => {
    expect(addressOf('130.176.0.9', '10.0.0.1, 203.0.113.7, 130.176.0.9', true)).toBe('203.0.113.7');
    expect(addressOf('130.176.0.9', '10.0.0.1, 203.0.113.7', true)).toBe('203.0.113.7');
    expect(addressOf('130.176.0.9', undefined, true)).toBe('130.176.0.9');
  });

  it('is the /64 of IPv6', () => {
    expect(addressOf('2001:db8:1:2:aaaa::1', undefined, false)).toBe('2001:db8:1:2::/64');
    expect(addressOf('2001:0db8::1', undefined, false)).toBe('2001:db8:0:0::/64');
  });
});
