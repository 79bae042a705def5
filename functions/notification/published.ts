import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { batchGet } from '../kernel/batch.ts';
import { mailedEvents } from './domain/mailed-events.ts';
import { mailKey } from './keys.ts';

/**
 * Which of the events the shopper is written to about, and of which no e-mail is sent or found to have no
 * recipient, in their order. Reads consistently. An e-mail under way counts as missing: its lease, or its mark,
 * keeps a second copy from being sent.
 */
export async function missingMails<E extends { id: string; type: string }>(
  documents: DynamoDBDocumentClient,
  table: string,
  events: readonly E[],
): Promise<E[]> {
  const types = new Set<string>(mailedEvents.map(({ type }) => type));
  const mailed = new Map(
    events.filter(({ type }) => types.has(type)).map((event) => [mailKey(event.id).pk, event]),
  );
  const keys = [...mailed.values()].map(({ id }) => mailKey(id));
  const found = await batchGet(documents, table, keys, { consistent: true });
  for (const { pk, state } of found) if (state !== 'sending') mailed.delete(pk);
  return [...mailed.values()];
}
