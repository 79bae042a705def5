import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { batchGet } from '../kernel/batch.ts';
import { followedEvents } from './contract.ts';
import { factName, rowKey } from './keys.ts';

/**
 * Which of the events the operators' list follows and has no fact of, in their order. Reads consistently, one row for
 * each order.
 */
export async function missingRows<E extends { orderId: string; seq: number; type: string }>(
  documents: DynamoDBDocumentClient,
  table: string,
  events: readonly E[],
): Promise<E[]> {
  const types = new Set<string>(followedEvents.map(({ type }) => type));
  const followed = events.filter(({ type }) => types.has(type));
  const keys = [...new Set(followed.map(({ orderId }) => orderId))].map(rowKey);
  const found = await batchGet(documents, table, keys, { consistent: true });
  const rows = new Map(found.map((row) => [row.pk, row]));
  return followed.filter(({ orderId, seq }) => rows.get(rowKey(orderId).pk)?.[factName(seq)] === undefined);
}
