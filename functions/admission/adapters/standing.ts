import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { batchGet } from '../../kernel/batch.ts';
import type { Standing } from '../domain/standing.ts';
import { dropKey, queueKey, servingKey } from '../keys.ts';

/** Milliseconds for which an environment asks nobody again. */
const trustedFor = 1_000;
const most = 50;
type Known = Map<string, { readonly at: number; readonly standing: Promise<Standing | undefined> }>;
/** An environment has one client, and so one memory. */
const memories = new WeakMap<DynamoDBDocumentClient, Known>();

/**
 * How a drop stands, at most a second old: however many wait, an environment reads it once a second (eventually
 * consistent; needs `dynamodb:BatchGetItem`). Undefined when there is no such drop.
 */
export async function readStanding(
  documents: DynamoDBDocumentClient,
  table: string,
  dropId: string,
  now: number,
): Promise<Standing | undefined> {
  const known: Known = memories.get(documents) ?? new Map();
  memories.set(documents, known);
  const found = known.get(dropId);
  if (found && now >= found.at && now - found.at < trustedFor) return found.standing;
  const standing = loadStanding(documents, table, dropId);
  if (known.size >= most) known.clear();
  known.set(dropId, { at: now, standing });
  standing.catch(() => known.delete(dropId));
  return standing;
}

/** @param options.consistent for whoever writes next */
export async function loadStanding(
  documents: DynamoDBDocumentClient,
  table: string,
  dropId: string,
  options: { readonly consistent?: boolean } = {},
): Promise<Standing | undefined> {
  const items = await batchGet(
    documents,
    table,
    [dropKey(dropId), servingKey(dropId), queueKey(dropId)],
    options,
  );
  const of = (kind: string) => {
    const item = items.find(({ sk }) => sk === kind);
    if (!item) return undefined;
    const { pk, sk, expiresAt, ...content } = item;
    return content;
  };
  const [drop, serving, queue] = ['DROP', 'SERVING', 'QUEUE'].map(of);
  if (!drop || !serving || !queue) return undefined;
  return { drop, serving, queue } as unknown as Standing;
}
