import table from '../bench/prices.json' with { type: 'json' };
import type { MeterLine } from './types.ts';

const prices: Readonly<Record<string, { readonly usd: number; readonly per: number }>> = table.prices;

/** List price in US dollars of a count, by its name in bench/prices.json; 0 for what has no price. */
export function priceOf(name: string, count: number): number {
  const price = prices[name];
  return price ? (count * price.usd) / price.per : 0;
}

/** List price in US dollars of everything in a line. */
export function costOf({ service, counts }: Pick<MeterLine, 'service' | 'counts'>): number {
  return Object.entries(counts).reduce((sum, [name, count]) => sum + priceOf(`${service}.${name}`, count), 0);
}
