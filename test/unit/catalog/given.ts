import type { Card } from '../../../functions/catalog/domain/listing.ts';
import type { VersionedProduct } from '../../../functions/catalog/domain/product.ts';
import { searchable } from '../../../functions/catalog/domain/search.ts';

/** A product on sale on the web for 10 USD, but for what is said otherwise. */
function given(id: string, differing: Partial<VersionedProduct> = {}): VersionedProduct {
  return {
    id: `prd_${id}`,
    name: id,
    description: '',
    category: 'tools',
    style: 'hammer',
    featured: false,
    promoted: false,
    channels: ['web'],
    status: 'active',
    variants: [{ sku: `sku_${id}`, attributes: {}, price: { amount: 1_000, currency: 'USD' } }],
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    version: 1,
    ...differing,
  };
}

/** The same in the memory of the list. */
export function card(id: string, differing: Partial<VersionedProduct> = {}): Card {
  const product = given(id, differing);
  return { ...product, words: searchable(product) };
}
