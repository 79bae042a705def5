import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { OldOrders } from '../app/forget-addresses.ts';
import { eventKey, forgottenKey } from '../keys.ts';
import { duePages } from './due-pages.ts';

/** What stands where somebody’s name, street or city stood: the contract asks for some text. */
const forgotten = '—';

export function dynamoOldOrders(documents: DynamoDBDocumentClient, table: string): OldOrders {
  return {
    forgottenTo: async (bucket) => {
      const { Item } = await documents.send(
        new GetCommand({ TableName: table, Key: forgottenKey(bucket), ConsistentRead: true }),
      );
      return Item?.forgottenTo;
    },
    // Event 1 stands in this index under the end of its reservation, soon after it was placed.
    placedBetween: async (bucket, from, to) => {
      const ids = new Set<string>();
      for await (const page of duePages(documents, table, { bucket, from, to }))
        for (const { orderId } of page) ids.add(orderId);
      return ids;
    },
    forget: async (orderId) => {
      const at = 'confidential.shippingAddress';
      await documents.send(
        new UpdateCommand({
          TableName: table,
          Key: eventKey(orderId, 1),
          ConditionExpression: `attribute_exists(${at})`,
          UpdateExpression: `SET ${at}.#name = :forgotten, ${at}.line1 = :forgotten, ${at}.city = :forgotten,
            ${at}.postalCode = :forgotten REMOVE ${at}.line2, ${at}.#region, ${at}.phone`,
          ExpressionAttributeNames: { '#name': 'name', '#region': 'region' },
          ExpressionAttributeValues: { ':forgotten': forgotten },
        }),
      );
    },
    moveTo: async (bucket, to) => {
      const Item = { ...forgottenKey(bucket), forgottenTo: to };
      await documents.send(new PutCommand({ TableName: table, Item }));
    },
  };
}
