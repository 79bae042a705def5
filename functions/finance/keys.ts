/**
 * The finance table: the journal. Entries are added, never changed.
 *
 * | access pattern | key |
 * |---|---|
 * | the entry of an event (added once) | pk = JOURNAL#<businessDate>#<bucket of the event id>, sk = ENTRY#<eventId> |
 * | whether an entry has been taken back, and when | pk as of the entry, sk = REVERSAL#<eventId> |
 * | all entries of a business date | the 16 partitions JOURNAL#<businessDate>#<0..15> |
 *
 * A date is spread over 16 partitions, so that a busy day can add 16 times what one partition takes.
 */
import { bucketOf } from '../kernel/ids.ts';

const buckets = 16;

export const entryPrefix = 'ENTRY#';

export function entryKey(businessDate: string, eventId: string): { pk: string; sk: string } {
  return { pk: partition(businessDate, bucketOf(eventId, buckets)), sk: `${entryPrefix}${eventId}` };
}

export function reversalKey(businessDate: string, eventId: string): { pk: string; sk: string } {
  return { pk: partition(businessDate, bucketOf(eventId, buckets)), sk: `REVERSAL#${eventId}` };
}

/** Every partition of a business date (`YYYY-MM-DD`). */
export function journalPartitions(businessDate: string): string[] {
  return Array.from({ length: buckets }, (_, bucket) => partition(businessDate, bucket));
}

function partition(businessDate: string, bucket: number): string {
  return `JOURNAL#${businessDate}#${bucket}`;
}
