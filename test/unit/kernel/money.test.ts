import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Currency } from '../../../functions/kernel/contract.ts';
import {
  add,
  allocate,
  display,
  moneyOf,
  parseDecimal,
  share,
  toDecimal,
} from '../../../functions/kernel/money.ts';

const safe = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const currencies: Currency[] = ['KRW', 'JPY', 'USD', 'EUR', 'GBP', 'KWD'];

describe('amounts', () => {
  it('are whole minor units', () => {
    expect(moneyOf(1299, 'USD')).toEqual({ amount: 1299, currency: 'USD' });
    expect(() => moneyOf(12.99, 'USD')).toThrow(RangeError);
    expect(() => moneyOf(2 ** 53, 'USD')).toThrow(RangeError);
  });

  it('add up in one currency only', () => {
    expect(add(moneyOf(1, 'KWD'), moneyOf(2, 'KWD'), moneyOf(-5, 'KWD'))).toEqual(moneyOf(-2, 'KWD'));
    expect(() => add(moneyOf(1, 'USD'), moneyOf(1, 'EUR'))).toThrow('cannot add EUR to USD');
    expect(() => add(moneyOf(Number.MAX_SAFE_INTEGER, 'USD'), moneyOf(1, 'USD'))).toThrow(RangeError);
  });
});

describe('share', () => {
  it.each([
    [100, 190_000, undefined, 19],
    [5, 100_000, undefined, 1],
    [-5, 100_000, undefined, -1],
    [4, 100_000, undefined, 0],
    [-4, 100_000, undefined, 0],
    [1100, 100_000, 1_100_000, 100],
    [1, 1, 2, 1],
    [-1, 1, 2, -1],
    [1, 1, 3, 0],
    [2, 1, 3, 1],
    [0, 190_000, 1_190_000, 0],
    [Number.MAX_SAFE_INTEGER, 1_000_000, undefined, Number.MAX_SAFE_INTEGER],
  ])('of %d at %d over %s is %d', (amount, numerator, denominator, expected) => {
    expect(share(amount, numerator, denominator)).toBe(expected);
  });

  it('is within half a unit of the exact share, and the same for both signs', () => {
    fc.assert(
      fc.property(safe, fc.nat(1_000_000), fc.integer({ min: 1, max: 3_000_000 }), (amount, up, down) => {
        fc.pre(up <= down);
        const result = share(amount, up, down);
        const error = 2n * (BigInt(result) * BigInt(down) - BigInt(amount) * BigInt(up));
        expect(error <= BigInt(down) && error > -BigInt(down)).toBe(true);
        expect(share(-amount, up, down) + result).toBe(0);
      }),
    );
  });

  it('has a denominator above 0', () => {
    expect(() => share(1, 1, 0)).toThrow(RangeError);
  });
});

describe('allocate', () => {
  it('gives the odd units to the largest remainders, the earlier first', () => {
    expect(allocate(100, [1, 1, 1])).toEqual([34, 33, 33]);
    expect(allocate(10, [1, 2, 1])).toEqual([3, 5, 2]);
    expect(allocate(-100, [1, 1, 1])).toEqual([-34, -33, -33]);
    expect(allocate(5, [0, 3, 0])).toEqual([0, 5, 0]);
  });

  it('knows what to do without weights', () => {
    expect(allocate(7, [0, 0])).toEqual([7, 0]);
    expect(allocate(0, [])).toEqual([]);
    expect(() => allocate(1, [])).toThrow(RangeError);
  });

  it('sums to the whole, each part within a unit of its proportion, whatever the size', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }),
        fc.array(fc.oneof(fc.nat(10), safe), { minLength: 1, maxLength: 20 }),
        (total, weights) => {
          const parts = allocate(total, weights).map(BigInt);
          expect(parts.reduce((a, b) => a + b, 0n)).toBe(BigInt(total));
          const sum = weights.reduce((a, b) => a + BigInt(b), 0n);
          if (sum === 0n) return;
          for (const [index, part] of parts.entries()) {
            const off = part * sum - BigInt(total) * BigInt(weights[index]!);
            expect(off < sum && off > -sum).toBe(true);
          }
        },
      ),
    );
  });
});

describe('decimals', () => {
  it.each([
    ['129.99', 'USD', 12_999],
    ['0.500', 'KWD', 500],
    ['13000', 'KRW', 13_000],
    ['13000.00', 'KRW', 13_000],
    [' 1.5 ', 'EUR', 150],
    ['1', 'KWD', 1_000],
  ] as const)('%s %s is %d', (text, currency, amount) => {
    expect(parseDecimal(text, currency)).toEqual({ amount, currency });
  });

  it.each([
    ['1.234', 'USD'],
    ['0.5', 'JPY'],
    ['-1', 'USD'],
    ['1e3', 'USD'],
    ['1,000', 'USD'],
    ['.5', 'USD'],
    ['5.', 'USD'],
    ['', 'USD'],
    ['9999999999999.999', 'KWD'],
  ] as const)('%s %s is refused', (text, currency) => {
    expect(() => parseDecimal(text, currency)).toThrow(RangeError);
  });

  it.each([
    [1299, 'USD', '12.99'],
    [-500, 'KWD', '-0.500'],
    [5, 'EUR', '0.05'],
    [13_000, 'KRW', '13000'],
    [0, 'USD', '0.00'],
    [-7, 'JPY', '-7'],
  ] as const)('%d of %s is written %s', (amount, currency, text) => {
    expect(toDecimal({ amount, currency })).toBe(text);
  });

  it('go there and back without loss', () => {
    fc.assert(
      fc.property(fc.nat(1e15), fc.constantFrom(...currencies), (amount, currency) => {
        fc.pre(toDecimal({ amount, currency }).split('.')[0]!.length <= 13);
        expect(parseDecimal(toDecimal({ amount, currency }), currency)).toEqual({ amount, currency });
      }),
    );
  });
});

describe('display', () => {
  it.each([
    [13_000, 'KRW', 'ko-KR', '₩13,000'],
    [1299, 'USD', 'en-US', '$12.99'],
    [1299, 'USD', 'ko-KR', 'US$12.99'],
    [1500, 'KWD', 'en-US', 'KWD 1.500'],
    [-1299, 'USD', 'en-US', '-$12.99'],
    [Number.MAX_SAFE_INTEGER, 'KWD', 'en-US', 'KWD 9,007,199,254,740.991'],
  ] as const)('%d of %s in %s reads %s', (amount, currency, locale, text) => {
    expect(display({ amount, currency }, locale).replace(/\u00a0/g, ' ')).toBe(text);
  });
});
