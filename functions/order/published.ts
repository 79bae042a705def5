/** What other contexts may read of an order. */
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { auditProgress } from './adapters/audit-list.ts';
import { loadEvents } from './adapters/event-store.ts';
import { historyOf } from './app/read-orders.ts';
import { fold } from './domain/order.ts';
import { viewOf } from './domain/view.ts';
import { dueBuckets } from './keys.ts';

/** An order as its events tell it now, read consistently (dynamodb:Query); undefined when there is none. */
export async function readOrder(documents: DynamoDBDocumentClient, table: string, orderId: string) {
  const events = await loadEvents(documents, table, orderId);
  if (events.length === 0) return undefined;
  const order = fold(events);
  return { order: viewOf(order), customerId: order.placed.customerId, events: historyOf(events).items };
}

/**
 * The moment (RFC 3339) before which every event of every order that moves the books is in the journal, as the last
 * audit found; undefined before the first audit. Needs dynamodb:GetItem.
 */
export async function journalledUpTo(
  documents: DynamoDBDocumentClient,
  table: string,
): Promise<string | undefined> {
  const marks = await auditProgress(documents, table);
  const journalled = [...marks.values()].map(({ journalledTo }) => journalledTo);
  return journalled.length < dueBuckets ? undefined : journalled.sort()[0];
}
