import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
} from '@aws-sdk/lib-dynamodb';
import type { Listed, Ports, Progress } from '../app/audit-events.ts';
import { auditedOrderKey, auditedOrderPrefix, auditWatermarkKey } from '../keys.ts';
import { duePages } from './due-pages.ts';

/** Length of an instant in an index key; `#` and the order's id follow. */
const instantLength = '2026-01-01T00:00:00.000Z'.length;

/** The audit's marks and list in the order table. */
export function dynamoAuditList(
  documents: DynamoDBDocumentClient,
  table: string,
): Pick<Ports, 'progress' | 'saveProgress' | 'listed' | 'list' | 'unlist' | 'duePages'> {
  return {
    progress: async (bucket) => {
      const Key = auditWatermarkKey(bucket);
      const { Item } = await documents.send(new GetCommand({ TableName: table, Key, ConsistentRead: true }));
      return Item && (Item as unknown as Progress);
    },
    saveProgress: async (bucket, { auditedTo, journalledTo }) => {
      try {
        await documents.send(
          new PutCommand({
            TableName: table,
            Item: { ...auditWatermarkKey(bucket), auditedTo, journalledTo },
            ConditionExpression: 'attribute_not_exists(pk) OR auditedTo <= :auditedTo',
            ExpressionAttributeValues: { ':auditedTo': auditedTo },
          }),
        );
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
    },
    listed: async (bucket) => {
      const found: Listed[] = [];
      const pages = paginateQuery(
        { client: documents },
        {
          TableName: table,
          ConsistentRead: true,
          KeyConditionExpression: 'pk = :pk AND begins_with(sk, :order)',
          ExpressionAttributeValues: {
            ':pk': auditWatermarkKey(bucket).pk,
            ':order': auditedOrderPrefix,
          },
        },
      );
      for await (const { Items = [] } of pages) {
        found.push(
          ...Items.map(({ orderId, since, missingFrom, unjournalledFrom, resent }) => ({
            orderId,
            since,
            missingFrom,
            unjournalledFrom,
            resent,
          })),
        );
      }
      return found;
    },
    list: async (bucket, order) => {
      const Item = { ...auditedOrderKey(bucket, order.orderId), ...order };
      await documents.send(new PutCommand({ TableName: table, Item }));
    },
    unlist: async (bucket, orderId) => {
      const Key = auditedOrderKey(bucket, orderId);
      await documents.send(new DeleteCommand({ TableName: table, Key }));
    },
    async *duePages(bucket, from, to) {
      for await (const page of duePages(documents, table, { bucket, from, to })) {
        yield {
          orderIds: page.map(({ orderId }) => orderId),
          upTo: page.at(-1)?.dueAt.slice(0, instantLength) ?? from,
        };
      }
    },
  };
}
