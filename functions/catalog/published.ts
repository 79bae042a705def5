import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { batchGet } from '../kernel/batch.ts';
import type { Money } from '../kernel/contract.ts';
import { skuKey } from './keys.ts';

/** A SKU as it is sold now. */
export interface SkuPrice {
  readonly sku: string;
  readonly productId: string;
  readonly name: string;
  readonly price: Money;
  /** False once the product, or this variant of it, has been taken off sale. */
  readonly purchasable: boolean;
}

/**
 * The prices of `skus` now (consistent reads; needs `dynamodb:BatchGetItem` on the catalogue's table).
 * A SKU that the catalogue does not know is absent.
 * @throws DomainError `temporary-reduced-capacity`
 */
export async function readPrices(
  documents: DynamoDBDocumentClient,
  table: string,
  skus: readonly string[],
): Promise<Map<string, SkuPrice>> {
  const items = await batchGet(documents, table, [...new Set(skus)].map(skuKey), { consistent: true });
  return new Map(
    items.map(({ sku, productId, name, price, purchasable }) => [
      sku,
      { sku, productId, name, price, purchasable },
    ]),
  );
}
