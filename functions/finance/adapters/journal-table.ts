import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb';
import type { JournalEntry } from '../domain/journal.ts';
import { entryKey, entryPrefix, journalPartitions, reversalKey } from '../keys.ts';

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

/** The entry that was made from an event (or other id); undefined when the date has none. */
export function entryAt(documents: DynamoDBDocumentClient, table: string) {
  return async (businessDate: string, eventId: string): Promise<JournalEntry | undefined> => {
    const Key = entryKey(businessDate, eventId);
    const { Item } = await documents.send(new GetCommand({ TableName: table, Key, ConsistentRead: true }));
    return Item && entryIn(Item);
  };
}

/**
 * Adds a reversal together with a mark beside the entry that it takes back, so that there is one at most, on
 * whatever date. @returns the reversal that stands in the journal
 */
export function addReversal(documents: DynamoDBDocumentClient, table: string) {
  return async (entry: JournalEntry, reversal: JournalEntry): Promise<JournalEntry> => {
    const mark = reversalKey(entry.businessDate, entry.eventId);
    const put = (Item: Record<string, unknown>) => ({
      Put: { TableName: table, Item, ConditionExpression: 'attribute_not_exists(pk)' },
    });
    try {
      await documents.send(
        new TransactWriteCommand({
          TransactItems: [
            put({ ...mark, reversedOn: reversal.businessDate, reversalId: reversal.eventId }),
            put({ ...entryKey(reversal.businessDate, reversal.eventId), ...reversal }),
          ],
        }),
      );
      return reversal;
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error;
      const { Item } = await documents.send(
        new GetCommand({ TableName: table, Key: mark, ConsistentRead: true }),
      );
      const there = Item && (await entryAt(documents, table)(Item.reversedOn, Item.reversalId));
      if (!there) throw error;
      return there;
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

/** How many entries a business date has, counted consistently. */
export function countOf(documents: DynamoDBDocumentClient, table: string) {
  return async (businessDate: string): Promise<number> => {
    const counts = await Promise.all(
      journalPartitions(businessDate).map((pk) => countPartition(documents, table, pk)),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  };
}

async function countPartition(documents: DynamoDBDocumentClient, table: string, pk: string): Promise<number> {
  let count = 0;
  const pages = paginateQuery(
    { client: documents },
    {
      TableName: table,
      ConsistentRead: true,
      Select: 'COUNT',
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :entry)',
      ExpressionAttributeValues: { ':pk': pk, ':entry': entryPrefix },
    },
  );
  for await (const { Count = 0 } of pages) count += Count;
  return count;
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
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :entry)',
      ExpressionAttributeValues: { ':pk': pk, ':entry': entryPrefix },
    },
  );
  for await (const { Items = [] } of pages) {
    entries.push(...Items.map(entryIn));
  }
  return entries;
}

function entryIn({ pk: _, sk: __, ...entry }: Record<string, unknown>): JournalEntry {
  return entry as unknown as JournalEntry;
}
