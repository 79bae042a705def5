import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { listProducts } from '../../../functions/catalog/app/list-products.ts';
import { listProducts as route, sort } from '../../../functions/catalog/contract.ts';
import type { Card } from '../../../functions/catalog/domain/listing.ts';
import type { Availability } from '../../../functions/catalog/domain/product.ts';
import { card } from './given.ts';

/** The list over `cards`, in which every SKU is in stock unless named. */
function store(cards: Card[], stock: Record<string, Availability> = {}) {
  const looked: string[] = [];
  const list = listProducts({
    products: async () => cards,
    availability: async (skus) => {
      looked.push(...skus);
      return new Map(skus.map((sku) => [sku, stock[sku] ?? 'in_stock']));
    },
  });
  const answer = (query: Record<string, string> = {}) => list({ query: z.parse(route.query, query) });
  const names = async (query: Record<string, string> = {}) =>
    (await answer(query)).body.items.map(({ name }) => name);
  return { answer, names, looked };
}

describe('the list of products', () => {
  it('matches its contract', async () => {
    const { answer } = store([card('a'), card('b')]);
    const { body } = await answer({ limit: '1' });
    expect(z.safeParse(route.responses[200], body).error).toBeUndefined();
  });

  it('leaves out what is removed, and what is for another channel', async () => {
    const { names } = store([
      card('a'),
      card('gone', { status: 'removed' }),
      card('spoken', { channels: ['voice'] }),
      card('both', { channels: ['web', 'voice'] }),
    ]);
    expect(await names({ sort: 'name' })).toEqual(['a', 'both']);
    expect(await names({ sort: 'name', channel: 'voice' })).toEqual(['both', 'spoken']);
  });

  it('finds products that have the beginning of every word, names first', async () => {
    const { names } = store([
      card('steel', { name: 'Steel Box', description: 'Holds a HAMMER.' }),
      card('claw', { name: 'Claw Hammer' }),
      card('café', { name: 'Café Crème', style: 'cup' }),
      card('saw', { name: 'Saw', style: 'saw' }),
      card('korean', { name: '가죽 가방', style: 'bag' }),
    ]);
    expect(await names({ q: 'hamm' })).toEqual(['Claw Hammer', 'Steel Box']);
    expect(await names({ q: 'hammer steel' })).toEqual(['Steel Box']);
    expect(await names({ q: 'cafe CREME' })).toEqual(['Café Crème']);
    expect(await names({ q: '가방' })).toEqual(['가죽 가방']);
    expect(await names({ q: 'ammer' })).toEqual([]);
    expect(await names({ q: '!?' })).toHaveLength(5);
  });

  it('filters by the price of a currency', async () => {
    const price = (amount: number, currency: 'USD' | 'KRW') => ({
      variants: [{ sku: `sku_${amount}`, attributes: {}, price: { amount, currency } }],
    });
    const { names } = store([
      card('a', price(999, 'USD')),
      card('b', price(1_000, 'USD')),
      card('won', price(1_000, 'KRW')),
    ]);
    expect(await names({ minPrice: '1000' })).toEqual(['b']);
    expect(await names({ maxPrice: '999' })).toEqual(['a']);
    expect(await names({ minPrice: '0', currency: 'KRW' })).toEqual(['won']);
    expect(await names({ sort: '-price' })).toEqual(['b', 'a', 'won']);
    expect(await names({ sort: 'price' })).toEqual(['a', 'b', 'won']);
  });

  it('refuses a category, a style and a cursor that it does not know', async () => {
    const { answer } = store([card('a'), card('b')]);
    const refusal = (code: string) => expect.objectContaining({ code });
    await expect(answer({ category: 'x' })).rejects.toEqual(refusal('validation-failed'));
    await expect(answer({ style: 'x' })).rejects.toEqual(refusal('validation-failed'));
    await expect(answer({ cursor: 'x' })).rejects.toEqual(refusal('invalid-cursor'));
    const { body } = await answer({ limit: '1' });
    await expect(answer({ cursor: body.next!, sort: 'price' })).rejects.toEqual(refusal('invalid-cursor'));
    for (const position of [null, {}, 'x', [{}]]) {
      const [mark] = JSON.parse(Buffer.from(body.next!, 'base64url').toString());
      const cursor = Buffer.from(JSON.stringify([mark, position])).toString('base64url');
      await expect(answer({ cursor })).rejects.toEqual(refusal('invalid-cursor'));
    }
  });

  it('refuses values that no filter has', () => {
    const query = (value: Record<string, string>) => z.safeParse(route.query, value).success;
    expect(query({ sort: 'cheap' })).toBe(false);
    expect(query({ inStock: 'yes' })).toBe(false);
    expect(query({ minPrice: '-1' })).toBe(false);
    expect(query({ maxPrice: '1.5' })).toBe(false);
    expect(query({ currency: 'XXX' })).toBe(false);
    expect(query({ limit: '101' })).toBe(false);
  });

  it('links to the next page, and has the same ETag for the same answer only', async () => {
    const { answer } = store([card('a'), card('b')], { sku_b: 'low' });
    const first = await answer({ limit: '1', q: 'a b'.slice(0, 0) });
    const link = /^<(.*)>; rel="next"$/.exec(first.headers?.link ?? '')?.[1] ?? '';
    const url = new URL(link, 'https://shop.example');
    expect(link).toMatch(/^\/v1\/products\?/);
    const second = await answer(Object.fromEntries(url.searchParams));
    expect(second.body.items).toMatchObject([{ name: 'b', variants: [{ availability: 'low' }] }]);
    expect(second.body.next).toBeUndefined();
    expect(second.headers?.etag).not.toBe(first.headers?.etag);
    expect((await answer({ limit: '1', q: '' })).headers?.etag).toBe(first.headers?.etag);
  });

  it('passes over what is sold out, page by page', async () => {
    const cards = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => card(id));
    const { answer } = store(cards, { sku_a: 'sold_out', sku_c: 'sold_out', sku_f: 'sold_out' });
    const first = (await answer({ inStock: 'true', limit: '2' })).body;
    expect(first.items.map(({ name }) => name)).toEqual(['b', 'd']);
    const second = (await answer({ inStock: 'true', limit: '2', cursor: first.next! })).body;
    expect(second.items.map(({ name }) => name)).toEqual(['e']);
    expect(second.next).toBeUndefined();
  });

  it('looks at the stock of a bounded number of products for a page', async () => {
    const cards = Array.from({ length: 1_500 }, (_, n) => card(String(n).padStart(4, '0')));
    const soldOut = Object.fromEntries(
      cards.slice(0, 1_499).map(({ id }) => [`sku_${id.slice(4)}`, 'sold_out']),
    );
    const { answer, looked } = store(cards, soldOut as Record<string, Availability>);
    const first = (await answer({ inStock: 'true', limit: '100' })).body;
    expect(first.items).toEqual([]);
    expect(looked).toHaveLength(1_000);
    const second = (await answer({ inStock: 'true', limit: '100', cursor: first.next! })).body;
    expect(second.items.map(({ name }) => name)).toEqual(['1499']);
  });

  it('counts for each facet what choosing it would show', async () => {
    const priced = (sku: string, amount: number) => ({
      variants: [{ sku: `sku_${sku}`, attributes: {}, price: { amount, currency: 'USD' as const } }],
    });
    const { answer } = store([
      card('a', priced('a', 2_499)),
      card('b', { ...priced('b', 2_500), style: 'saw' }),
      card('c', { ...priced('c', 200_000), category: 'books', style: 'novel' }),
    ]);
    const { facets } = (await answer({ category: 'tools' })).body;
    expect(facets).toEqual({
      category: [
        { value: 'tools', count: 2 },
        { value: 'books', count: 1 },
      ],
      style: [
        { value: 'hammer', count: 1 },
        { value: 'saw', count: 1 },
      ],
      price: [
        { min: 0, max: 2_500, currency: 'USD', count: 1 },
        { min: 2_500, max: 5_000, currency: 'USD', count: 1 },
      ],
    });
    const all = (await answer()).body.facets.price;
    expect(all.at(-1)).toEqual({ min: 100_000, currency: 'USD', count: 1 });
  });

  it('repeats and skips no unchanged product, whatever happens between two pages', async () => {
    const products = fc.uniqueArray(
      fc.record({
        id: fc.stringMatching(/^[a-z]{1,4}$/),
        amount: fc.nat({ max: 5 }),
        featured: fc.boolean(),
      }),
      { selector: ({ id }) => id, minLength: 1, maxLength: 30 },
    );
    const toCard = ({ id, amount, featured }: { id: string; amount: number; featured: boolean }) =>
      card(id, {
        featured,
        name: `n${amount}`,
        createdAt: `2026-01-0${1 + amount}T00:00:00.000Z`,
        variants: [{ sku: `sku_${id}`, attributes: {}, price: { amount, currency: 'USD' } }],
      });
    await fc.assert(
      fc.asyncProperty(
        products,
        products,
        fc.constantFrom(...sort.options),
        fc.integer({ min: 1, max: 7 }),
        async (before, changes, order, limit) => {
          const cards = before.map(toCard);
          const { answer } = store(cards);
          const seen: string[] = [];
          let cursor: string | undefined;
          let rest = [...changes];
          for (let pages = 0; pages < 100; pages++) {
            const query = { sort: order, limit: String(limit), ...(cursor && { cursor }) };
            const { body } = await answer(query);
            seen.push(...body.items.map(({ id }) => id));
            cursor = body.next;
            if (!cursor) break;
            // New products come and old ones are repriced while the shopper reads.
            for (const change of rest.splice(0, 2)) {
              const index = cards.findIndex(({ id }) => id === `prd_${change.id}`);
              cards.splice(index === -1 ? 0 : index, index === -1 ? 0 : 1, toCard(change));
            }
            rest = [...rest];
          }
          const changed = new Set(changes.map(({ id }) => `prd_${id}`));
          const unchanged = before.map(({ id }) => `prd_${id}`).filter((id) => !changed.has(id));
          for (const id of unchanged) expect(seen.filter((each) => each === id)).toEqual([id]);
        },
      ),
    );
  });
});
