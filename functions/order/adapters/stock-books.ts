import { type DynamoDBDocumentClient, GetCommand, PutCommand, paginateScan } from '@aws-sdk/lib-dynamodb';
import type { StoredEvent } from '../../kernel/events.ts';
import { eventPrefix, stockDriftKey } from '../keys.ts';

/** Every event of every order, page by page (needs `dynamodb:Scan`), read consistently. */
export async function* everyEvent(
  documents: DynamoDBDocumentClient,
  table: string,
): AsyncIterable<readonly Pick<StoredEvent, 'type' | 'body'>[]> {
  const pages = paginateScan(
    { client: documents },
    {
      TableName: table,
      ConsistentRead: true,
      FilterExpression: 'begins_with(sk, :event)',
      ProjectionExpression: '#type, #body',
      ExpressionAttributeNames: { '#type': 'type', '#body': 'body' },
      ExpressionAttributeValues: { ':event': eventPrefix },
    },
  );
  for await (const { Items = [] } of pages) yield Items as Pick<StoredEvent, 'type' | 'body'>[];
}

/** What the last comparison of stock and orders found. */
export function driftMark(documents: DynamoDBDocumentClient, table: string) {
  return {
    keep: async (drifting: number): Promise<void> => {
      await documents.send(new PutCommand({ TableName: table, Item: { ...stockDriftKey, drifting } }));
    },
    drifting: async (): Promise<number> => {
      const { Item } = await documents.send(new GetCommand({ TableName: table, Key: stockDriftKey }));
      return Item?.drifting ?? 0;
    },
  };
}
