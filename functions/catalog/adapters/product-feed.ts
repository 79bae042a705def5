import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { isoInstant, type Now } from '../../kernel/clock.ts';
import type { Card } from '../domain/listing.ts';
import type { CatalogProduct } from '../domain/product.ts';
import { searchable } from '../domain/search.ts';
import { feedPartitions, updateIndex } from '../keys.ts';

/** How long what is in memory counts as the present. */
const freshMs = 2_000;

/** What the index may lag behind the table, clocks may differ by, and a write may take, all together. */
const overlapMs = 20_000;

/**
 * Every product, in the memory of a warm function, at most 2 s old. The first call reads the whole index, later ones
 * what has been updated since the last, and a little before it. Removed products stay, as tombstones.
 *
 * This holds to about 20,000 products: then a cold start reads some 20 MB (about 2,500 read units and 2 s), a list
 * looks at 20,000 cards (about 20 ms), and memory nears 100 MB. Beyond that a search index takes this place (OpenSearch
 * Serverless, fed from the table's stream); the ports of the use cases stay.
 */
export function productFeed(
  documents: DynamoDBDocumentClient,
  table: string,
  now: Now,
): () => Promise<readonly Card[]> {
  const known = new Map<string, Card>();
  let cards: readonly Card[] = [];
  let readAt = 0;
  let refreshing: Promise<void> | undefined;

  async function refresh(): Promise<void> {
    const startedAt = now();
    const since = isoInstant(Math.max(0, readAt - overlapMs));
    const updated = await Promise.all(
      feedPartitions.map((feed) => updatedSince(documents, table, feed, since)),
    );
    let changed = false;
    for (const product of updated.flat()) {
      const before = known.get(product.id);
      if (before && before.updatedAt >= product.updatedAt) continue;
      known.set(product.id, { ...product, words: searchable(product) });
      changed = true;
    }
    if (changed) cards = [...known.values()];
    readAt = startedAt;
  }

  return async () => {
    if (now() - readAt >= freshMs) {
      refreshing ??= refresh().finally(() => {
        refreshing = undefined;
      });
      await refreshing;
    }
    return cards;
  };
}

async function updatedSince(
  documents: DynamoDBDocumentClient,
  table: string,
  feed: string,
  since: string,
): Promise<CatalogProduct[]> {
  const products: CatalogProduct[] = [];
  let from: Record<string, unknown> | undefined;
  do {
    const page = await documents.send(
      new QueryCommand({
        TableName: table,
        IndexName: updateIndex,
        KeyConditionExpression: 'feed = :feed AND feedAt >= :since',
        ExpressionAttributeValues: { ':feed': feed, ':since': since },
        ExclusiveStartKey: from,
      }),
    );
    for (const { pk, sk, feed: _, feedAt, ...product } of page.Items ?? []) {
      products.push(product as CatalogProduct);
    }
    from = page.LastEvaluatedKey;
  } while (from);
  return products;
}
