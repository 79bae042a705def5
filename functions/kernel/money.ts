import type { Currency, Money } from './contract.ts';
import { remember } from './remember.ts';

/** Minor-unit digits by currency (ISO 4217, list one). */
const digits: Readonly<Record<Currency, number>> = { KRW: 0, JPY: 0, USD: 2, EUR: 2, GBP: 2, KWD: 3 };

/** @throws RangeError when `amount` is not a safe integer. */
export function moneyOf(amount: number, currency: Currency): Money {
  if (!Number.isSafeInteger(amount)) throw new RangeError(`${amount} is not a whole number of minor units`);
  return { amount, currency };
}

/** @throws RangeError when the currencies differ. */
export function add(...terms: readonly [Money, ...Money[]]): Money {
  const { currency } = terms[0];
  for (const term of terms) {
    if (term.currency !== currency) throw new RangeError(`cannot add ${term.currency} to ${currency}`);
  }
  return moneyOf(
    terms.reduce((sum, term) => sum + term.amount, 0),
    currency,
  );
}

/**
 * `amount × numerator / denominator` in whole minor units, half away from zero; the denominator is a million unless
 * told. Exact for any safe integers: the product is taken in BigInt.
 * @throws RangeError when the denominator is not above 0
 */
export function share(amount: number, numerator: number, denominator = 1_000_000): number {
  if (denominator <= 0) throw new RangeError('a share needs a denominator above 0');
  const product = BigInt(amount) * BigInt(numerator) * 2n;
  const whole = BigInt(denominator);
  return Number((product + (product < 0n ? -whole : whole)) / (whole * 2n));
}

/**
 * Splits `total` minor units in proportion to `weights` (integers ≥ 0) so that the parts sum to it exactly:
 * largest remainder, the earlier part winning a tie. All weights 0: the whole goes to the first part.
 */
export function allocate(total: number, weights: readonly number[]): number[] {
  if (weights.length === 0) {
    if (total === 0) return [];
    throw new RangeError('nothing to allocate to');
  }
  // In BigInt: a sum of safe integers need not be one.
  const sum = weights.reduce((a, weight) => a + BigInt(weight), 0n);
  if (sum === 0n) return weights.map((_, index) => (index === 0 ? total : 0));
  const sign = total < 0 ? -1n : 1n;
  const whole = BigInt(total) * sign;
  const shares = weights.map((weight) => {
    const product = whole * BigInt(weight);
    return { part: product / sum, remainder: product % sum };
  });
  let left = whole - shares.reduce((a, s) => a + s.part, 0n);
  const byRemainder = shares
    .map((s, index) => ({ index, remainder: s.remainder }))
    .sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1));
  for (const { index } of byRemainder) {
    if (left === 0n) break;
    shares[index]!.part += 1n;
    left -= 1n;
  }
  return shares.map((s) => Number(s.part * sign));
}

/**
 * A decimal such as `129.99` as minor units.
 * @throws RangeError when it is not a decimal, negative, or has more digits than the currency.
 */
export function parseDecimal(text: string, currency: Currency): Money {
  const match = /^(\d{1,13})(?:\.(\d+))?$/.exec(text.trim());
  if (!match) throw new RangeError(`"${text}" is not a decimal amount`);
  const scale = digits[currency];
  const fraction = (match[2] ?? '').replace(/0+$/, '');
  if (fraction.length > scale) {
    throw new RangeError(`"${text}" has more than ${scale} decimal places, which ${currency} does not have`);
  }
  return moneyOf(Number(match[1]! + fraction.padEnd(scale, '0')), currency);
}

/** A plain decimal of the major unit, for exports: `12.99`, `-0.500`, `13000`. */
export function toDecimal({ amount, currency }: Money): string {
  const scale = digits[currency];
  const sign = amount < 0 ? '-' : '';
  const padded = String(Math.abs(amount)).padStart(scale + 1, '0');
  return scale === 0 ? sign + padded : `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

const moneyFormat = remember(
  (locale, currency) => new Intl.NumberFormat(locale, { style: 'currency', currency }),
);

/** As a shopper reads it in `locale` (BCP 47): `₩13,000`, `US$12.99`. Exact: formatted from the decimal string. */
export function display(value: Money, locale: string): string {
  return moneyFormat(locale, value.currency).format(toDecimal(value) as Intl.StringNumericLiteral);
}
