import {
  ConditionalCheckFailedException,
  TransactionCanceledException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  QueryCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb';
import { returnItem } from '../../admission/published.ts';
import { release, type TransactItem } from '../../inventory/published.ts';
import type { EventStore } from '../app/change-order.ts';
import type { OrderEvent } from '../domain/order.ts';
import { byCustomer, customerPartition, eventKey, eventPrefix, orderIdOf, orderPartition } from '../keys.ts';
import { appendItem, eventOf, lookLater } from './event-items.ts';

/** DynamoDB's limit on the actions of a transaction. */
const mostActions = 100;

/** The order's events in DynamoDB. `inventory` and `admission` are needed by those who release. */
export function dynamoEventStore(
  documents: DynamoDBDocumentClient,
  tables: { readonly order: string; readonly inventory?: string; readonly admission?: string },
): EventStore {
  return {
    load: (orderId) => loadEvents(documents, tables.order, orderId),
    append: async (events, draws, returned) => {
      const write = async (giveBack: readonly TransactItem[]) => {
        const appends = events.map((event) => appendItem(tables.order, event, lookLater(event)));
        if (appends.length === 1 && giveBack.length === 0) {
          await documents.send(new PutCommand(appends[0]!.Put));
        } else {
          await documents.send(new TransactWriteCommand({ TransactItems: [...appends, ...giveBack] }));
        }
      };
      try {
        const { inventory, admission } = tables;
        if ((draws.length > 0 && !inventory) || (returned.length > 0 && !admission))
          throw new Error('this function may not release stock');
        const entries = returned.map((units) => returnItem(admission!, units));
        const room = mostActions - events.length - entries.length;
        if (draws.length === 0) await write(entries);
        else {
          await release(documents, inventory!, draws, room, (giveBack) => write([...giveBack, ...entries]));
        }
        return 'appended';
      } catch (error) {
        if (isConflict(error)) return 'conflict';
        throw error;
      }
    },
  };
}

function isConflict(error: unknown): boolean {
  if (error instanceof ConditionalCheckFailedException || error instanceof TransactionConflictException)
    return true;
  return (
    error instanceof TransactionCanceledException &&
    (error.CancellationReasons ?? []).every(({ Code }) =>
      ['None', 'ConditionalCheckFailed', 'TransactionConflict'].includes(Code ?? 'None'),
    )
  );
}

/** All events of an order, read consistently. */
export async function loadEvents(
  documents: DynamoDBDocumentClient,
  table: string,
  orderId: string,
): Promise<readonly OrderEvent[]> {
  const events: OrderEvent[] = [];
  const pages = paginateQuery(
    { client: documents },
    {
      TableName: table,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :event)',
      ExpressionAttributeValues: { ':pk': orderPartition(orderId), ':event': eventPrefix },
      ConsistentRead: true,
    },
  );
  for await (const page of pages) events.push(...(page.Items ?? []).map(eventOf));
  return events;
}

/** Event 1 of an order, read consistently. */
export async function loadPlaced(
  documents: DynamoDBDocumentClient,
  table: string,
  orderId: string,
): Promise<OrderEvent | undefined> {
  const { Item } = await documents.send(
    new GetCommand({ TableName: table, Key: eventKey(orderId, 1), ConsistentRead: true }),
  );
  return Item && eventOf(Item);
}

/** Where a page of a customer's orders ended. */
type Position = readonly [placedKey: string, orderId: string];

/** One page of a customer's order ids, newest first; `after` is what the page before gave as `next`. */
export async function listOrderIds(
  documents: DynamoDBDocumentClient,
  table: string,
  customerId: string,
  limit: number,
  after: Position | undefined,
): Promise<{ ids: readonly string[]; next: Position | undefined }> {
  const customerKey = customerPartition(customerId);
  const { Items = [] } = await documents.send(
    new QueryCommand({
      TableName: table,
      IndexName: byCustomer,
      KeyConditionExpression: 'customerKey = :customer',
      ExpressionAttributeValues: { ':customer': customerKey },
      ScanIndexForward: false,
      // One more than asked for tells whether there is a next page.
      Limit: limit + 1,
      ...(after && { ExclusiveStartKey: { ...eventKey(after[1], 1), customerKey, placedKey: after[0] } }),
    }),
  );
  const page = Items.slice(0, limit);
  const last = Items.length > limit ? page.at(-1) : undefined;
  return {
    ids: page.map(({ pk }) => orderIdOf(pk)),
    next: last && [last.placedKey, orderIdOf(last.pk)],
  };
}
