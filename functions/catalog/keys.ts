import { bucketOf } from '../kernel/ids.ts';

/*
 * Access patterns of the catalogue's table
 *
 * | what                               | by                                                       |
 * |------------------------------------|----------------------------------------------------------|
 * | a product                          | pk = PRODUCT#<prd>, sk = PRODUCT                         |
 * | the price of a SKU                 | pk = SKU#<sku>, sk = SKU                                 |
 * | every product, and what is newer   | index by-update: feed = FEED#<0..3>, feedAt >= <instant> |
 *
 * A product holds its variants; each variant has a SKU item beside it, so that pricing a cart is one BatchGetItem
 * whatever products its lines belong to.
 */

const feeds = 4;

/** Every partition of the index by-update. */
export const feedPartitions: readonly string[] = Array.from({ length: feeds }, (_, n) => `FEED#${n}`);

export const updateIndex = 'by-update';

export function productKey(productId: string) {
  return { pk: `PRODUCT#${productId}`, sk: 'PRODUCT' };
}

export function skuKey(sku: string) {
  return { pk: `SKU#${sku}`, sk: 'SKU' };
}

/** Where a product stands in the index by-update. `updatedAt` is an RFC 3339 instant. */
export function feedKey(productId: string, updatedAt: string) {
  return { feed: `FEED#${bucketOf(productId, feeds)}`, feedAt: `${updatedAt}#${productId}` };
}
