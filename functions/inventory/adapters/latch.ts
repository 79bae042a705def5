import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { batchGet } from '../../kernel/batch.ts';
import type { Draw } from '../domain/allocation.ts';
import type { Stock } from '../domain/shards.ts';
import { headerKey } from '../keys.ts';
import { returnItem, type TransactItem } from './shard-items.ts';

/**
 * Opens a SKU's latch, and keeps whoever is about to close it from doing so: everything that adds units to a shard has
 * it in its transaction. `hold` keeps the latch open until as much is taken off again.
 */
export function openLatchItem(table: string, sku: string, hold = 0) {
  return {
    Update: {
      TableName: table,
      Key: headerKey(sku),
      UpdateExpression:
        'SET opened = if_not_exists(opened, :zero) + :one, holds = if_not_exists(holds, :zero) + :hold, sku = :sku REMOVE soldOut',
      ExpressionAttributeValues: { ':zero': 0, ':one': 1, ':hold': hold, ':sku': sku },
    },
  };
}

/**
 * Gives the units of draws back, each to the shard it was taken from: `write` puts the items, at most `room`, into the
 * transaction that says why. A shard that is missing comes to be. The latch of every SKU opens in the same transaction.
 *
 * Where both do not fit one transaction (orders of more than 40 SKUs), the latches are held open around it instead. If
 * its outcome stays unknown they are held for good: nothing is said to be sold out without being counted.
 */
export async function release<T>(
  documents: DynamoDBDocumentClient,
  table: string,
  draws: readonly Draw[],
  room: number,
  write: (items: readonly TransactItem[]) => Promise<T>,
): Promise<T> {
  const skus = [...new Set(draws.map(({ sku }) => sku))];
  const items = draws.map((draw) => returnItem(table, draw));
  if (items.length + skus.length <= room) {
    return write([...items, ...skus.map((sku) => openLatchItem(table, sku))]);
  }
  const hold = (by: number) =>
    Promise.all(skus.map((sku) => documents.send(new UpdateCommand(openLatchItem(table, sku, by).Update))));
  await hold(1);
  try {
    const written = await write(items);
    await hold(-1);
    return written;
  } catch (error) {
    // Cancelled is done with: nothing was given back, and whoever tries again holds them anew.
    if (error instanceof TransactionCanceledException) await hold(-1);
    throw error;
  }
}

/** What becomes of an attempt to close a latch that somebody else was quicker to write. */
const notClosed = [
  'ConditionalCheckFailedException',
  'TransactionConflictException',
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
];

/**
 * Closes the latch of a SKU that was counted and had no unit left; nothing when units may have come since: `opened` must
 * be what a consistent read said **before** the count. Needs `dynamodb:UpdateItem`.
 *
 * So a consistent read of a closed latch is true of its moment. Units are added only by transactions that raise
 * `opened`. Between the read of `opened` and the closing there was none; at the count, between the two, there was no
 * unit; so there is none when it closes, and whatever adds one opens it with the same stroke.
 */
export async function closeLatch(
  documents: DynamoDBDocumentClient,
  table: string,
  { sku, opened }: Pick<Stock, 'sku' | 'opened'>,
): Promise<void> {
  try {
    await documents.send(
      new UpdateCommand({
        TableName: table,
        Key: headerKey(sku),
        UpdateExpression: 'SET soldOut = :true',
        ConditionExpression:
          'attribute_exists(pk) AND attribute_not_exists(soldOut) AND (opened = :opened OR (attribute_not_exists(opened) AND :opened = :zero)) AND (attribute_not_exists(holds) OR holds = :zero)',
        ExpressionAttributeValues: { ':true': true, ':opened': opened, ':zero': 0 },
      }),
    );
  } catch (error) {
    if (!notClosed.includes((error as Error).name)) throw error;
  }
}

/** Those of `skus` whose latch is closed, read consistently: they had no unit left at that moment. */
export async function soldOutAmong(
  documents: DynamoDBDocumentClient,
  table: string,
  skus: readonly string[],
): Promise<Set<string>> {
  const headers = await batchGet(documents, table, skus.map(headerKey), { consistent: true });
  return new Set(headers.filter(({ soldOut }) => soldOut).map(({ sku }) => sku));
}
