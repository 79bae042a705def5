import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { availabilityOf, readShards } from '../../inventory/published.ts';
import type { Availability } from '../domain/product.ts';

/** What is left of SKUs, as of a moment ago; those without stock are absent. */
export function readAvailability(documents: DynamoDBDocumentClient, inventoryTable: string) {
  return async (skus: readonly string[]): Promise<Map<string, Availability>> => {
    const stocks = await readShards(documents, inventoryTable, skus, { trustLatch: true });
    return new Map([...stocks].map(([sku, { shards, lowAt }]) => [sku, availabilityOf(shards, lowAt)]));
  };
}
