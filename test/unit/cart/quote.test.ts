import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PricedLine, quote } from '../../../functions/cart/domain/quote.ts';
import { shippingFee, taxRateOf } from '../../../functions/cart/domain/rates.ts';
import type { Currency } from '../../../functions/kernel/contract.ts';

const line = (amount: number, quantity: number, currency: Currency, sku = 'sku_a'): PricedLine => ({
  sku,
  productId: 'prd_a',
  name: 'Lamp',
  quantity,
  price: { amount, currency },
});

describe('a quote', () => {
  it('of dollars to the US has no tax', () => {
    const { lines, ...sums } = quote([line(12_99, 2, 'USD')], { country: 'US', shippingMethod: 'standard' });
    expect(lines).toEqual([
      {
        sku: 'sku_a',
        productId: 'prd_a',
        name: 'Lamp',
        quantity: 2,
        unitPrice: { amount: 12_99, currency: 'USD' },
        discount: { amount: 0, currency: 'USD' },
        tax: { amount: 0, currency: 'USD' },
        total: { amount: 25_98, currency: 'USD' },
      },
    ]);
    expect(sums).toEqual({
      currency: 'USD',
      subtotal: { amount: 25_98, currency: 'USD' },
      discount: { amount: 0, currency: 'USD' },
      shipping: { amount: 5_99, currency: 'USD' },
      tax: { amount: 0, currency: 'USD' },
      total: { amount: 31_97, currency: 'USD' },
      taxIncluded: false,
    });
  });

  it.each([
    // [country, currency, price, quantity, tax within, shipping, total]
    ['KR', 'KRW', 11_000, 1, 1_000, 3_000, 14_000],
    ['KR', 'KRW', 13_000, 1, 1_182, 3_000, 16_000],
    ['KR', 'KRW', 50_000, 1, 4_545, 0, 50_000],
    ['JP', 'JPY', 1_980, 1, 180, 600, 2_580],
    ['GB', 'GBP', 10_00, 3, 5_00, 3_99, 33_99],
    ['DE', 'EUR', 11_90, 1, 1_90, 4_99, 16_89],
    ['DE', 'EUR', 1, 1, 0, 4_99, 5_00],
    ['DE', 'USD', 1_00, 1, 16, 5_99, 6_99],
  ] as const)('to %s in %s includes its tax', (country, currency, price, quantity, tax, shipping, total) => {
    const quoted = quote([line(price, quantity, currency)], { country, shippingMethod: 'standard' });
    expect(quoted).toMatchObject({
      taxIncluded: true,
      tax: { amount: tax, currency },
      shipping: { amount: shipping, currency },
      total: { amount: total, currency },
    });
  });

  it('to Kuwait is exact in thousandths', () => {
    const quoted = quote([line(1_333, 3, 'KWD')], { country: 'KW', shippingMethod: 'express' });
    expect(quoted).toMatchObject({
      subtotal: { amount: 3_999 },
      shipping: { amount: 3_500 },
      tax: { amount: 0 },
      total: { amount: 7_499, currency: 'KWD' },
    });
  });

  it('adds a tax that is not included, half a unit rounded up on each line', () => {
    const lines = [line(5, 1, 'USD', 'sku_a'), line(15, 1, 'USD', 'sku_b'), line(14, 1, 'USD', 'sku_c')];
    const quoted = quote(
      lines,
      { country: 'US', shippingMethod: 'standard' },
      { millionths: 100_000, included: false },
    );
    expect(quoted.lines.map(({ tax }) => tax.amount)).toEqual([1, 2, 1]);
    expect(quoted.tax.amount).toBe(4);
    expect(quoted.total.amount).toBe(34 + 5_99 + 4);
  });

  it('is in one currency', () => {
    const lines = [line(1, 1, 'USD', 'sku_a'), line(1, 1, 'EUR', 'sku_b')];
    expect(() => quote(lines, { country: 'US', shippingMethod: 'standard' })).toThrow(
      expect.objectContaining({ code: 'currency-mismatch', members: { currency: 'USD', skus: ['sku_b'] } }),
    );
  });

  it('needs lines', () => {
    expect(() => quote([], { country: 'US', shippingMethod: 'standard' })).toThrow(
      expect.objectContaining({ code: 'cart-empty' }),
    );
  });

  it('refuses sums that an amount cannot hold', () => {
    const lines = [line(Number.MAX_SAFE_INTEGER, 2, 'KRW')];
    expect(() => quote(lines, { country: 'KR', shippingMethod: 'standard' })).toThrow(
      expect.objectContaining({ code: 'validation-failed' }),
    );
  });
});

describe('the rates', () => {
  it('are none where none is known, whatever the country is called', () => {
    for (const country of ['US', 'KW', 'ZZ', 'constructor', '__proto__']) {
      expect(taxRateOf(country)).toEqual({ millionths: 0, included: false });
    }
  });

  it('ship free from the threshold on, by standard only', () => {
    expect(shippingFee('USD', 'standard', 49_99)).toBe(5_99);
    expect(shippingFee('USD', 'standard', 50_00)).toBe(0);
    expect(shippingFee('USD', 'express', 50_00)).toBe(14_99);
  });
});

describe('whatever is quoted', () => {
  const cases = fc
    .record({
      currency: fc.constantFrom<Currency>('KRW', 'USD', 'KWD', 'JPY', 'EUR', 'GBP'),
      country: fc.constantFrom('KR', 'JP', 'GB', 'DE', 'US', 'KW', 'FR'),
      shippingMethod: fc.constantFrom('standard' as const, 'express' as const),
      added: fc.option(fc.nat(500_000), { nil: undefined }),
      goods: fc.array(
        fc.record({ amount: fc.nat(3_000_000_000), quantity: fc.integer({ min: 1, max: 999 }) }),
        { minLength: 1, maxLength: 50 },
      ),
    })
    .map(({ goods, currency, added, ...to }) => ({
      to,
      rate: added === undefined ? taxRateOf(to.country) : { millionths: added, included: false },
      lines: goods.map(({ amount, quantity }, index) => line(amount, quantity, currency, `sku_${index}`)),
    }));

  it('has parts that sum exactly and are never negative, in the currency of its lines', () => {
    fc.assert(
      fc.property(cases, ({ lines, to, rate }) => {
        const quoted = quote(lines, to, rate);
        const sum = (of: 'total' | 'tax' | 'discount') =>
          quoted.lines.reduce((a, each) => a + each[of].amount, 0);
        expect(quoted.subtotal.amount).toBe(lines.reduce((a, l) => a + l.price.amount * l.quantity, 0));
        expect(quoted.tax.amount).toBe(sum('tax'));
        expect(quoted.discount.amount).toBe(sum('discount'));
        expect(quoted.total.amount).toBe(
          sum('total') + quoted.shipping.amount + (quoted.taxIncluded ? 0 : quoted.tax.amount),
        );
        expect(quoted.total.amount).toBe(
          quoted.subtotal.amount -
            quoted.discount.amount +
            quoted.shipping.amount +
            (quoted.taxIncluded ? 0 : quoted.tax.amount),
        );
        const amounts = [quoted.subtotal, quoted.discount, quoted.shipping, quoted.tax, quoted.total].concat(
          quoted.lines.flatMap((each) => [each.unitPrice, each.tax, each.total, each.discount]),
        );
        for (const { amount, currency } of amounts) {
          expect(Number.isSafeInteger(amount) && amount >= 0).toBe(true);
          expect(currency).toBe(lines[0]!.price.currency);
        }
      }),
    );
  });

  it('has an included tax that is a part of its line, exact to half a unit', () => {
    fc.assert(
      fc.property(cases, ({ lines, to, rate }) => {
        fc.pre(rate.included);
        for (const { tax, total } of quote(lines, to, rate).lines) {
          expect(tax.amount).toBeLessThanOrEqual(total.amount);
          const off =
            BigInt(tax.amount) * BigInt(1_000_000 + rate.millionths) -
            BigInt(total.amount) * BigInt(rate.millionths);
          expect(2n * (off < 0n ? -off : off) <= BigInt(1_000_000 + rate.millionths)).toBe(true);
        }
      }),
    );
  });

  it('comes to the same in any order of its lines', () => {
    fc.assert(
      fc.property(cases, fc.nat(), ({ lines, to, rate }, seed) => {
        const turn = seed % lines.length;
        const turned = [...lines.slice(turn), ...lines.slice(0, turn)].reverse();
        const { lines: _, ...sums } = quote(lines, to, rate);
        const { lines: others, ...turnedSums } = quote(turned, to, rate);
        expect(turnedSums).toEqual(sums);
        expect(others.map(({ sku }) => sku)).toEqual(turned.map(({ sku }) => sku));
      }),
    );
  });
});
