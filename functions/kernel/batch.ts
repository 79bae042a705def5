import { BatchGetCommand, BatchWriteCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { systemSleep } from './clock.ts';
import { DomainError } from './errors.ts';
import { chunksOf } from './parallel.ts';

type Key = { readonly pk: string; readonly sk: string };
type Item = Record<string, any>;

/** DynamoDB's limit on the keys of a BatchGetItem. */
const keysPerRead = 100;
const attempts = 8;

/**
 * The items of `keys` that exist, in no order; any number of keys, each once.
 * Keys that DynamoDB leaves unprocessed are asked for again.
 * @throws DomainError `temporary-reduced-capacity` when it keeps leaving some
 */
export async function batchGet(
  documents: DynamoDBDocumentClient,
  table: string,
  keys: readonly Key[],
  { consistent = false } = {},
): Promise<Item[]> {
  const read = async (chunk: readonly Key[]): Promise<Item[]> => {
    const items: Item[] = [];
    let left: Item[] = chunk.map(({ pk, sk }) => ({ pk, sk }));
    await untilProcessed(async () => {
      const answer = await documents.send(
        new BatchGetCommand({ RequestItems: { [table]: { Keys: left, ConsistentRead: consistent } } }),
      );
      items.push(...(answer.Responses?.[table] ?? []));
      left = answer.UnprocessedKeys?.[table]?.Keys ?? [];
      return left.length === 0;
    });
    return items;
  };
  return (await Promise.all(chunksOf(keys, keysPerRead).map(read))).flat();
}

/**
 * Puts at most 25 items, unconditionally; those that DynamoDB leaves unprocessed are sent again.
 * @throws DomainError `temporary-reduced-capacity` when it keeps leaving some
 */
export async function batchPut(
  documents: DynamoDBDocumentClient,
  table: string,
  items: readonly Item[],
): Promise<void> {
  let left = items.map((Item) => ({ PutRequest: { Item } }));
  if (left.length === 0) return;
  await untilProcessed(async () => {
    const answer = await documents.send(new BatchWriteCommand({ RequestItems: { [table]: left } }));
    left = (answer.UnprocessedItems?.[table] ?? []) as typeof left;
    return left.length === 0;
  });
}

/** Exponential backoff with full jitter, 3 s in all at most: an HTTP request waits for it. */
async function untilProcessed(attempt: () => Promise<boolean>): Promise<void> {
  for (let tried = 0; tried < attempts; tried++) {
    if (await attempt()) return;
    await systemSleep(Math.random() * Math.min(1_000, 25 * 2 ** tried));
  }
  throw new DomainError('temporary-reduced-capacity', 'The database leaves work undone. Please try again.');
}
