import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readPrices } from '../../catalog/published.ts';
import { availabilityOf, readShards, unitsIn } from '../../inventory/published.ts';
import type { Market } from '../domain/priced-cart.ts';

/** Prices of the catalogue and stock of the inventory, read at the same time. */
export function market(
  documents: DynamoDBDocumentClient,
  tables: { readonly CATALOG_TABLE: string; readonly INVENTORY_TABLE: string },
): (skus: readonly string[]) => Promise<Market> {
  return async (skus) => {
    const [prices, stock] = await Promise.all([
      readPrices(documents, tables.CATALOG_TABLE, skus),
      readShards(documents, tables.INVENTORY_TABLE, skus, { trustLatch: true }),
    ]);
    return {
      prices,
      stock: new Map(
        [...stock].map(([sku, { shards, lowAt }]) => [
          sku,
          { availability: availabilityOf(shards, lowAt), available: unitsIn(shards) },
        ]),
      ),
    };
  };
}
