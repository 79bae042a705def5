import { type DynamoDBDocumentClient, paginateScan, type ScanCommandInput } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import { type StoredEvent, storedEvent } from '../../functions/kernel/events.ts';
import { inParallel } from '../../functions/kernel/parallel.ts';
import { loadEvents } from '../../functions/order/adapters/event-store.ts';
import { eventPrefix } from '../../functions/order/keys.ts';
import type { Item } from './projections.ts';

/** Events of one order; at least one. */
export type OrderEvents = readonly [StoredEvent, ...StoredEvent[]];

/** What leaves the order table: not the shopper's address, nor the payment token. */
const flat = Object.keys(storedEvent.shape);

/**
 * Reads a table page by page in parallel segments; a segment reads on when its page has been taken in, so that never
 * more than a page (1 MB) of each is in memory.
 */
export async function scanned(
  documents: DynamoDBDocumentClient,
  input: Omit<ScanCommandInput, 'Segment' | 'TotalSegments' | 'ConsistentRead'>,
  segments: number,
  take: (items: readonly Item[]) => Promise<void>,
): Promise<void> {
  const numbers = Array.from({ length: segments }, (_, number) => number);
  await inParallel(numbers, segments, async (Segment) => {
    const segment = { ...input, Segment, TotalSegments: segments, ConsistentRead: true };
    for await (const { Items = [] } of paginateScan({ client: documents }, segment)) await take(Items);
  });
}

/** All events of all orders. An order may come in several parts, where a page ends. */
export async function everyOrder(
  documents: DynamoDBDocumentClient,
  table: string,
  segments: number,
  take: (orders: readonly OrderEvents[]) => Promise<void>,
): Promise<void> {
  const names = Object.fromEntries([...flat, 'sk'].map((name) => [`#${name}`, name]));
  const input = {
    TableName: table,
    ProjectionExpression: Object.keys(names).join(', '),
    ExpressionAttributeNames: names,
  };
  await scanned(documents, input, segments, async (items) => {
    const events = items
      .filter(({ sk }) => String(sk).startsWith(eventPrefix))
      .map((item) => z.parse(storedEvent, item));
    await take([...Map.groupBy(events, ({ orderId }) => orderId).values()] as unknown as OrderEvents[]);
  });
}

/** The events of one order, as they are now. */
export async function orderEvents(
  documents: DynamoDBDocumentClient,
  table: string,
  orderId: string,
): Promise<OrderEvents | undefined> {
  const [first, ...rest] = await loadEvents(documents, table, orderId);
  return first && [first, ...rest];
}
