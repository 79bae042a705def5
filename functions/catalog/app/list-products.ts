import * as z from 'zod/mini';
import { decodeCursor, encodeCursor, nextLink } from '../../kernel/cursor.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { HttpRequest, HttpResponse } from '../../kernel/http.ts';
import { canonicalJson, digest } from '../../kernel/ids.ts';
import { listProducts as route } from '../contract.ts';
import { facetsOf } from '../domain/facets.ts';
import { type Card, type Filter, type Hit, matches, type Position, sorted } from '../domain/listing.ts';
import { type Availability, shown } from '../domain/product.ts';

type Request = HttpRequest<typeof route>;
type Query = Request['query'];

interface Ports {
  /** Every product, removed ones included, at most 2 s old. */
  readonly products: () => Promise<readonly Card[]>;
  readonly availability: (skus: readonly string[]) => Promise<ReadonlyMap<string, Availability>>;
}

/** Products whose stock is looked at for one page of `inStock=true`: a list of sold-out products must end too. */
const mostLookedAt = 1_000;

/**
 * Lists products.
 *
 * 1. Take the products in memory and find those that match.
 * 2. Count the facets.
 * 3. Sort, and go on after the cursor.
 * 4. Look up the stock of the page; with `inStock`, pass over what is sold out until the page is full.
 */
export const listProducts =
  (ports: Ports) =>
  async ({ query }: Pick<Request, 'query'>): Promise<HttpResponse<typeof route>> => {
    const { limit, cursor, ...selection } = query;
    const cards = await ports.products();
    refuseUnknown('category', query.category, cards);
    refuseUnknown('style', query.style, cards);

    const binding = [route.id, selection];
    const after = cursor === undefined ? undefined : positionOf(decodeCursor(cursor, binding));
    const found = matches(cards, query satisfies Filter);
    const hits = sorted(found, { sort: query.sort, currency: query.currency, after });
    const page = await pageOf(ports, hits, query);

    const next = page.last && encodeCursor(page.last.position, binding);
    const body = {
      items: page.hits.map(({ card }) => shown(card, page.availability)),
      facets: facetsOf(found, query.currency),
      ...(next && { next }),
    };
    const etag = `"${digest(canonicalJson(body)).slice(0, 32)}"`;
    return { status: 200, body, headers: { etag, ...nextLink(route.path, query, next) } };
  };

/** Whoever can make a cursor can make a bad one: it is checked like any other input. */
function positionOf(value: unknown): Position {
  const position = z.safeParse(z.array(z.union([z.string(), z.number()])), value);
  if (position.success) return position.data;
  throw new DomainError('invalid-cursor', 'Use the `next` of the page before.');
}

interface Page {
  readonly hits: readonly Hit[];
  readonly availability: ReadonlyMap<string, Availability>;
  /** Where the next page goes on; undefined on the last page. */
  readonly last?: Hit | undefined;
}

async function pageOf(ports: Ports, hits: readonly Hit[], { limit, inStock }: Query): Promise<Page> {
  if (inStock === 'false') {
    const page = hits.slice(0, limit);
    const availability = await ports.availability(skusOf(page));
    return { hits: page, availability, last: hits.length > limit ? page.at(-1) : undefined };
  }
  const known = new Map<string, Availability>();
  const page: Hit[] = [];
  const end = Math.min(hits.length, mostLookedAt);
  for (let start = 0; start < end; start += limit) {
    const batch = hits.slice(start, Math.min(start + limit, end));
    for (const [sku, availability] of await ports.availability(skusOf(batch))) known.set(sku, availability);
    for (const [index, hit] of batch.entries()) {
      if (hit.card.variants.every(({ sku }) => (known.get(sku) ?? 'sold_out') === 'sold_out')) continue;
      page.push(hit);
      const more = start + index + 1 < hits.length;
      if (page.length === limit) return { hits: page, availability: known, last: more ? hit : undefined };
    }
  }
  return { hits: page, availability: known, last: end < hits.length ? hits[end - 1] : undefined };
}

function skusOf(hits: readonly Hit[]): string[] {
  return hits.flatMap(({ card }) => card.variants.map(({ sku }) => sku));
}

/** A filter that names nothing is a mistake of the caller's, better told than answered with an empty list. */
function refuseUnknown(name: 'category' | 'style', value: string | undefined, cards: readonly Card[]): void {
  if (value === undefined || cards.some((card) => card[name] === value)) return;
  throw new DomainError('validation-failed', `There is no ${name} "${value}".`, {
    errors: [{ pointer: `#/query/${name}`, message: 'is not known' }],
  });
}
