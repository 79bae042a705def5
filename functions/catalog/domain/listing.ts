import type { Currency } from '../../kernel/contract.ts';
import type { Channel, Sort } from '../contract.ts';
import type { CatalogProduct } from './product.ts';
import { prefixesOf, score, type Words } from './search.ts';

/** A product in memory, ready to be searched. */
export interface Card extends CatalogProduct {
  readonly words: Words;
}

export interface Filter {
  readonly q?: string | undefined;
  readonly category?: string | undefined;
  readonly style?: string | undefined;
  /** Minor units of `currency`, both inclusive. */
  readonly minPrice?: number | undefined;
  readonly maxPrice?: number | undefined;
  readonly currency: Currency;
  readonly channel: Channel;
}

/** A place in a sorted list: the sort key of a product and its id. It stays valid when that product goes. */
export type Position = readonly (string | number)[];

export interface Hit {
  readonly card: Card;
  readonly position: Position;
}

/** What matches, before the filters that a facet leaves out: each facet counts what choosing it would show. */
export interface Match {
  readonly card: Card;
  readonly score: number;
  readonly inCategory: boolean;
  readonly inStyle: boolean;
  readonly inPrice: boolean;
}

/** Products on sale in the channel that answer the query, with the verdict of each other filter. */
export function matches(cards: Iterable<Card>, filter: Filter): Match[] {
  const prefixes = prefixesOf(filter.q ?? '');
  const found: Match[] = [];
  for (const card of cards) {
    if (card.status !== 'active' || !card.channels.includes(filter.channel)) continue;
    const points = score(card.words, prefixes);
    if (points === undefined) continue;
    found.push({
      card,
      score: points,
      inCategory: filter.category === undefined || card.category === filter.category,
      inStyle: filter.style === undefined || card.style === filter.style,
      inPrice: pricedBetween(card, filter),
    });
  }
  return found;
}

function pricedBetween(card: Card, { minPrice, maxPrice, currency }: Filter): boolean {
  if (minPrice === undefined && maxPrice === undefined) return true;
  return card.variants.some(
    ({ price }) =>
      price.currency === currency &&
      price.amount >= (minPrice ?? 0) &&
      price.amount <= (maxPrice ?? Infinity),
  );
}

/** The lowest price in the currency, in minor units; undefined when it is not sold in it. */
export function lowestPrice({ variants }: CatalogProduct, currency: Currency): number | undefined {
  const amounts = variants
    .filter(({ price }) => price.currency === currency)
    .map(({ price }) => price.amount);
  return amounts.length > 0 ? Math.min(...amounts) : undefined;
}

/**
 * The matches that pass every filter, in order, from the one after `after`. The order is total (the id decides last)
 * and a product's place depends on itself alone: whatever is added or repriced between two pages, an unchanged
 * product is neither repeated nor skipped.
 */
export function sorted(
  found: readonly Match[],
  order: { readonly sort: Sort; readonly currency: Currency; readonly after?: Position | undefined },
): Hit[] {
  const hits = found
    .filter(({ inCategory, inStyle, inPrice }) => inCategory && inStyle && inPrice)
    .map((match) => ({
      card: match.card,
      position: [...sortKey(match, order.sort, order.currency), match.card.id],
    }));
  const { after } = order;
  const rest = after ? hits.filter(({ position }) => compare(position, after) > 0) : hits;
  return rest.sort((a, b) => compare(a.position, b.position));
}

/** Products without a price in the currency come last, both ways. */
function sortKey({ card, score }: Match, sort: Sort, currency: Currency): (string | number)[] {
  const last = Number.MAX_SAFE_INTEGER;
  switch (sort) {
    case 'relevance':
      return [-score, card.featured ? 0 : 1, card.promoted ? 0 : 1, card.name];
    case 'newest':
      return [-Date.parse(card.createdAt)];
    case 'price':
      return [lowestPrice(card, currency) ?? last];
    case '-price':
      return [-(lowestPrice(card, currency) ?? -last)];
    case 'name':
      return [card.name];
  }
}

function compare(a: Position, b: Position): number {
  for (let index = 0; index < a.length; index++) {
    const [left, right] = [a[index]!, b[index]!];
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}
