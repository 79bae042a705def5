import { randomUUID } from 'node:crypto';
import { PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { isoInstant } from '../../functions/kernel/clock.ts';
import { leverKey, leverPartition } from '../../functions/operations/keys.ts';
import type { Deployment } from './deployment.ts';

/** `begun` is stored before anything is changed: a run that was killed shows by its missing end. */
type Phase = 'looked' | 'begun' | 'done' | 'failed';

/** One line of the log of levers. */
export interface LeverRecord {
  /** RFC 3339. */
  readonly at: string;
  readonly run: string;
  readonly phase: Phase;
  readonly lever: string;
  readonly args: readonly string[];
  readonly who: string;
  readonly reason?: string;
  readonly says: readonly string[];
}

/** Adds to the log of levers; nothing in it is ever overwritten. */
export function leverLog(
  { documents, table, who, now }: Deployment,
  asked: Pick<LeverRecord, 'lever' | 'args' | 'reason'>,
): (phase: Phase, says: readonly string[]) => Promise<void> {
  const run = randomUUID();
  return async (phase, says) => {
    const at = isoInstant(await now());
    const record: LeverRecord = { at, run, phase, who, ...asked, says };
    await documents.send(
      new PutCommand({
        TableName: table('operations'),
        Item: { ...leverKey(at, run, phase), ...record },
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    );
  };
}

/** The newest records, newest first, of this month and the ones before it. */
export async function readLeverLog(
  { documents, table, now }: Deployment,
  { limit, months = 12 }: { readonly limit: number; readonly months?: number },
): Promise<readonly LeverRecord[]> {
  const records: LeverRecord[] = [];
  const month = new Date(await now());
  for (let back = 0; back < months && records.length < limit; back++) {
    const { Items = [] } = await documents.send(
      new QueryCommand({
        TableName: table('operations'),
        KeyConditionExpression: 'pk = :month',
        ExpressionAttributeValues: { ':month': leverPartition(month.toISOString().slice(0, 7)) },
        ScanIndexForward: false,
        Limit: limit - records.length,
        ConsistentRead: true,
      }),
    );
    records.push(...(Items as LeverRecord[]));
    month.setUTCDate(1);
    month.setUTCMonth(month.getUTCMonth() - 1);
  }
  return records;
}
