import type { Currency } from '../../kernel/contract.ts';
import { lowestPrice, type Match } from './listing.ts';

interface Counted {
  value: string;
  count: number;
}

export interface Facets {
  category: Counted[];
  style: Counted[];
  price: { min: number; max?: number; currency: Currency; count: number }[];
}

/** Where the price ranges begin, in minor units: about the same worth in every currency. */
const rangeStarts: Readonly<Record<Currency, readonly number[]>> = {
  USD: [0, 2_500, 5_000, 10_000, 25_000, 100_000],
  EUR: [0, 2_500, 5_000, 10_000, 25_000, 100_000],
  GBP: [0, 2_500, 5_000, 10_000, 25_000, 100_000],
  KWD: [0, 10_000, 20_000, 30_000, 75_000, 300_000],
  KRW: [0, 30_000, 70_000, 150_000, 350_000, 1_500_000],
  JPY: [0, 3_000, 7_500, 15_000, 40_000, 150_000],
};

/** How many products each choice would show, with the other filters as they are. Stock is not looked at. */
export function facetsOf(found: readonly Match[], currency: Currency): Facets {
  const starts = rangeStarts[currency];
  const prices = found
    .filter(({ inCategory, inStyle }) => inCategory && inStyle)
    .map(({ card }) => lowestPrice(card, currency))
    .filter((price) => price !== undefined);
  return {
    category: counts(found.filter((m) => m.inStyle && m.inPrice).map(({ card }) => card.category)),
    style: counts(found.filter((m) => m.inCategory && m.inPrice).map(({ card }) => card.style)),
    price: starts
      .map((min, index) => {
        const max = starts[index + 1];
        const count = prices.filter((price) => price >= min && (max === undefined || price < max)).length;
        return { min, ...(max !== undefined && { max }), currency, count };
      })
      .filter(({ count }) => count > 0),
  };
}

/** The most frequent first. */
function counts(values: readonly string[]): Counted[] {
  const byValue = new Map<string, number>();
  for (const value of values) byValue.set(value, (byValue.get(value) ?? 0) + 1);
  return [...byValue]
    .map(([value, count]) => ({ value, count }))
    .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
}
