import { type DynamoDBDocumentClient, GetCommand, PutCommand, paginateQuery } from '@aws-sdk/lib-dynamodb';
import type { DueOrders } from '../app/sweep-due.ts';
import { byDue, duePartition, orderIdOf, watermarkKey } from '../keys.ts';

export function dynamoDueOrders(documents: DynamoDBDocumentClient, table: string): DueOrders {
  return {
    sweptTo: async (bucket) => {
      const { Item } = await documents.send(
        new GetCommand({ TableName: table, Key: watermarkKey(bucket), ConsistentRead: true }),
      );
      return Item?.sweptTo;
    },
    dueBetween: async (bucket, from, to) => {
      const ids: string[] = [];
      const pages = paginateQuery(
        { client: documents },
        {
          TableName: table,
          IndexName: byDue,
          KeyConditionExpression: 'dueKey = :bucket AND dueAt BETWEEN :from AND :to',
          // `~` sorts after every id that follows the instant.
          ExpressionAttributeValues: { ':bucket': duePartition(bucket), ':from': from, ':to': `${to}~` },
        },
      );
      for await (const page of pages) ids.push(...(page.Items ?? []).map(({ pk }) => orderIdOf(pk)));
      return ids;
    },
    moveTo: async (bucket, sweptTo) => {
      await documents.send(new PutCommand({ TableName: table, Item: { ...watermarkKey(bucket), sweptTo } }));
    },
  };
}
