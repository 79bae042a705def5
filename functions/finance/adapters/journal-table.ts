import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, PutCommand, paginateQuery } from '@aws-sdk/lib-dynamodb';
import type { JournalEntry } from '../domain/journal.ts';
import { entryKey, journalPartitions } from '../keys.ts';

/** Adds an entry unless the journal has it already. */
export function addEntry(documents: DynamoDBDocumentClient, table: string) {
  return async (entry: JournalEntry): Promise<void> => {
    try {
      await documents.send(
        new PutCommand({
          TableName: table,
          Item: { ...entryKey(entry.businessDate, entry.eventId), ...entry },
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      );
    } catch (error) {
      // The event came again: what it did stands there.
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  };
}

/** All entries of a business date (`YYYY-MM-DD`), read consistently, in no order that means anything. */
export function entriesOf(documents: DynamoDBDocumentClient, table: string) {
  return async (businessDate: string): Promise<JournalEntry[]> => {
    const partitions = await Promise.all(
      journalPartitions(businessDate).map((pk) => readPartition(documents, table, pk)),
    );
    return partitions.flat();
  };
}

async function readPartition(
  documents: DynamoDBDocumentClient,
  table: string,
  pk: string,
): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = [];
  const pages = paginateQuery(
    { client: documents },
    {
      TableName: table,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': pk },
    },
  );
  for await (const { Items = [] } of pages) {
    for (const { pk: _, sk: __, ...entry } of Items) entries.push(entry as unknown as JournalEntry);
  }
  return entries;
}
