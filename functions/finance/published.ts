import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { batchGet } from '../kernel/batch.ts';
import { dateIn } from '../kernel/clock.ts';
import { paymentVoided } from '../order/contract.ts';
import { postedEvents } from './domain/posted-events.ts';
import { entryKey } from './keys.ts';

/**
 * Which of the events move the books and stand in no journal entry, in their order. Reads consistently.
 * @param timeZone whose midnight ends a business date (IANA)
 */
export async function missingEntries<E extends { id: string; type: string; at: string; body: string }>(
  documents: DynamoDBDocumentClient,
  table: string,
  timeZone: string,
  events: readonly E[],
): Promise<E[]> {
  const types = new Set<string>(postedEvents.map(({ type }) => type));
  const posted = events.filter((event) => types.has(event.type) && isPosted(event));
  const keyed = new Map(posted.map((event) => [entryKey(dateIn(timeZone, event.at), event.id).sk, event]));
  const keys = posted.map(({ id, at }) => entryKey(dateIn(timeZone, at), id));
  const found = await batchGet(documents, table, keys, { consistent: true });
  for (const { sk } of found) keyed.delete(sk);
  return [...keyed.values()];
}

/** Voids from before memos were kept name no amount, and have no entry. */
function isPosted({ type, body }: { type: string; body: string }): boolean {
  return type !== paymentVoided.type || /"amount"/.test(body);
}
