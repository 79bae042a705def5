import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type { DueOrders, Waiting } from '../app/sweep-due.ts';
import { sweepMarksKey, waitingKey } from '../keys.ts';
import { duePages } from './due-pages.ts';

export function dynamoDueOrders(documents: DynamoDBDocumentClient, table: string): DueOrders {
  return {
    sweptTo: async () => {
      const { Item = {} } = await documents.send(
        new GetCommand({ TableName: table, Key: sweepMarksKey, ConsistentRead: true }),
      );
      const { pk: _, sk: __, ...marks } = Item;
      return new Map(Object.entries(marks).map(([bucket, sweptTo]) => [Number(bucket), sweptTo]));
    },
    dueBetween: async (bucket, from, to) => {
      const ids: string[] = [];
      for await (const page of duePages(documents, table, { bucket, from, to }))
        ids.push(...page.map(({ orderId }) => orderId));
      return ids;
    },
    moveTo: async (buckets, sweptTo) => {
      await documents.send(
        new UpdateCommand({
          TableName: table,
          Key: sweepMarksKey,
          UpdateExpression: `SET ${buckets.map((bucket) => `#b${bucket} = :to`).join(', ')}`,
          ExpressionAttributeNames: Object.fromEntries(
            buckets.map((bucket) => [`#b${bucket}`, String(bucket)]),
          ),
          ExpressionAttributeValues: { ':to': sweptTo },
        }),
      );
    },
    waiting: async (bucket) => {
      const found: Waiting[] = [];
      const { pk } = waitingKey(bucket, '');
      const pages = paginateQuery(
        { client: documents },
        {
          TableName: table,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': pk },
          ConsistentRead: true,
        },
      );
      for await (const page of pages) {
        found.push(...(page.Items ?? []).map(({ sk, since, lookAt }) => ({ orderId: sk, since, lookAt })));
      }
      return found;
    },
    keep: async (bucket, { orderId, since, lookAt }) => {
      const Item = { ...waitingKey(bucket, orderId), since, lookAt };
      await documents.send(new PutCommand({ TableName: table, Item }));
    },
    forget: async (bucket, orderId) => {
      await documents.send(new DeleteCommand({ TableName: table, Key: waitingKey(bucket, orderId) }));
    },
  };
}
