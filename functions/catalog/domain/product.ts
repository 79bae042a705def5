import { canonicalJson, digest } from '../../kernel/ids.ts';
import type { Product } from '../contract.ts';

export type Availability = Product['variants'][number]['availability'];
export type Variant = Omit<Product['variants'][number], 'availability'>;

/** A product as it is stored, apart from what only the table needs. */
export interface CatalogProduct extends Omit<Product, 'variants'> {
  readonly variants: readonly Variant[];
}

/** A product with its place in its own history. */
export interface VersionedProduct extends CatalogProduct {
  /** 1 for a new product; every change adds 1. */
  readonly version: number;
}

/** What decides whether two states of a product are the same to everybody who reads it. */
export function contentHash(product: Omit<CatalogProduct, 'createdAt' | 'updatedAt'>): string {
  const { id, name, description, category, style, image, genderAffinity } = product;
  const { featured, promoted, channels, status, variants } = product;
  return digest(
    canonicalJson({
      ...{ id, name, description, category, style, image, genderAffinity },
      ...{ featured, promoted, channels, status, variants },
    }),
  );
}

type Sold = Pick<CatalogProduct, 'id' | 'name' | 'status' | 'variants'>;

/** What an order must know of a variant. */
export function termsOf({ id, name, status }: Sold, { sku, price }: Variant) {
  return { sku, productId: id, name, price, purchasable: status === 'active' };
}

/** SKUs on sale in `before` that are sold on other terms after it, or not at all. */
export function changedTerms(before: Sold, after: Sold): string[] {
  if (before.status !== 'active') return [];
  const terms = new Set(after.variants.map((variant) => canonicalJson(termsOf(after, variant))));
  return before.variants
    .filter((variant) => !terms.has(canonicalJson(termsOf(before, variant))))
    .map(({ sku }) => sku);
}

/**
 * The time of a change to `before`: now, but always later than the change before it, whatever clocks say. Readers of
 * the feed keep the later of two states.
 * @param now milliseconds since the epoch
 */
export function changeTime(before: Pick<Product, 'updatedAt'>, now: number): number {
  return Math.max(now, Date.parse(before.updatedAt) + 1);
}

/** A product as a shopper sees it; a SKU that `availability` does not name is sold out. */
export function shown(product: CatalogProduct, availability: ReadonlyMap<string, Availability>): Product {
  const { id, name, description, category, style, image, genderAffinity } = product;
  const { featured, promoted, channels, status, variants, createdAt, updatedAt } = product;
  return {
    ...{ id, name, description, category, style },
    ...(image !== undefined && { image }),
    ...(genderAffinity !== undefined && { genderAffinity }),
    ...{ featured, promoted, channels, status },
    variants: variants.map(({ sku, attributes, price }) => ({
      ...{ sku, attributes, price },
      availability: availability.get(sku) ?? 'sold_out',
    })),
    ...{ createdAt, updatedAt },
  };
}

/**
 * The strong validator of a product as it is shown: its version, and what is left of it. `If-Match` looks at the
 * version only, since a sale must not stand in the way of an edit.
 */
export function etagOf(version: number, { variants }: Product): string {
  const stock = digest(variants.map(({ availability }) => availability).join()).slice(0, 8);
  return `"${version}-${stock}"`;
}

/** Whether an `If-Match` header names this version (RFC 9110 §13.1.1; weak tags never match). */
export function namesVersion(ifMatch: string, version: number): boolean {
  return ifMatch.split(',').some((tag) => {
    const named = /^"(\d+)-[0-9a-f]{8}"$/.exec(tag.trim())?.[1];
    return tag.trim() === '*' || named === String(version);
  });
}
