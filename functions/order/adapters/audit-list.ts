import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type { Listed, Ports, Progress } from '../app/audit-events.ts';
import { auditedOrderKey, auditedOrderPrefix, auditMarksKey, auditPartition } from '../keys.ts';
import { duePages } from './due-pages.ts';

/** Length of an instant in an index key; `#` and the order's id follow. */
const instantLength = '2026-01-01T00:00:00.000Z'.length;

/** How far the audit of each bucket has come, read consistently; none of a bucket that was not audited yet. */
export async function auditProgress(
  documents: DynamoDBDocumentClient,
  table: string,
): Promise<ReadonlyMap<number, Progress>> {
  const { Item = {} } = await documents.send(
    new GetCommand({ TableName: table, Key: auditMarksKey, ConsistentRead: true }),
  );
  const { pk: _, sk: __, ...marks } = Item;
  return new Map(Object.entries(marks).map(([bucket, progress]) => [Number(bucket), progress as Progress]));
}

/** The audit's marks and list in the order table. */
export function dynamoAuditList(
  documents: DynamoDBDocumentClient,
  table: string,
): Pick<Ports, 'progress' | 'saveProgress' | 'listed' | 'list' | 'unlist' | 'duePages'> {
  return {
    progress: () => auditProgress(documents, table),
    saveProgress: async (progress) => {
      const names: Record<string, string> = {};
      const values: Record<string, Progress> = {};
      for (const [bucket, reached] of progress) {
        names[`#b${bucket}`] = String(bucket);
        values[`:b${bucket}`] = reached;
      }
      const moves = [...progress.keys()].map((bucket) => `#b${bucket} = :b${bucket}`);
      await documents.send(
        new UpdateCommand({
          TableName: table,
          Key: auditMarksKey,
          UpdateExpression: `SET ${moves.join(', ')}`,
          ExpressionAttributeNames: names,
          ExpressionAttributeValues: values,
        }),
      );
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
            ':pk': auditPartition(bucket),
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
