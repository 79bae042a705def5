import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { batchGet } from '../../kernel/batch.ts';
import type { Now } from '../../kernel/clock.ts';
import type { Ports as CountPorts } from '../app/count-arrivals.ts';
import type { Ports, Ticket } from '../app/tickets.ts';
import { expiryOf } from '../domain/drop.ts';
import type { CountedSecond } from '../domain/serving.ts';
import { signingKey } from '../domain/token.ts';
import { arrivalsKey, claimKey, customerKey, queueKey, secondKey, ticketKey } from '../keys.ts';
import { unwrapKey } from './drop-keys.ts';
import { readStanding } from './standing.ts';

/** Seconds that are counted stay as they are: an environment remembers the newest of those it was asked for. */
const rememberedSeconds = 2_000;

/** The waiting room in its table. */
export function waitingRoom(
  documents: DynamoDBDocumentClient,
  table: string,
  now: Now,
): Omit<Ports, 'random'> {
  const seconds = new Map<string, CountedSecond>();
  const keys = new Map<string, ReturnType<Ports['key']>>();
  const get = async (Key: { pk: string; sk: string }, ConsistentRead: boolean) =>
    (await documents.send(new GetCommand({ TableName: table, Key, ConsistentRead }))).Item;

  return {
    now,
    ...arrivalCounters(documents, table),
    standing: (dropId) => readStanding(documents, table, dropId, now()),
    ticket: async (dropId, customerId) => ticketOf(await get(ticketKey(dropId, customerId), true)),
    draw: async (drop, second, bucket) => {
      const { Attributes } = await documents.send(
        new UpdateCommand({
          TableName: table,
          Key: arrivalsKey(drop.id, second, bucket),
          UpdateExpression: 'SET expiresAt = :expires ADD arrivals :one',
          ExpressionAttributeValues: { ':one': 1, ':expires': expiryOf(drop) },
          ReturnValues: 'ALL_NEW',
        }),
      );
      return Attributes?.arrivals as number;
    },
    keep: async (drop, customerId, ticket) => {
      const key = ticketKey(drop.id, customerId);
      try {
        await documents.send(
          new PutCommand({
            TableName: table,
            Item: { ...key, ...ticket, expiresAt: expiryOf(drop) },
            ConditionExpression: 'attribute_not_exists(pk) OR generation < :generation',
            ExpressionAttributeValues: { ':generation': ticket.generation },
          }),
        );
        return ticket;
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        return ticketOf(await get(key, true)) ?? ticket;
      }
    },
    second: async (dropId, second, counted) => {
      const key = secondKey(dropId, second);
      const remembered = seconds.get(key.pk);
      if (remembered || !counted) return remembered;
      const item = await get(key, true);
      if (!item) return undefined;
      const { base, counts, line } = item;
      const found = { base, counts, ...(line && { line }) };
      if (seconds.size >= rememberedSeconds) seconds.delete(seconds.keys().next().value!);
      seconds.set(key.pk, found);
      return found;
    },
    isUsed: async (dropId, position) => (await get(claimKey(dropId, position), false)) !== undefined,
    bought: async (dropId, customerId) => (await get(customerKey(dropId, customerId), true))?.units ?? 0,
    key: (drop) => {
      const known = keys.get(drop.id);
      if (known) return known;
      const key = unwrapKey(drop.id, drop.wrappedKey).then(signingKey);
      keys.set(drop.id, key);
      key.catch(() => keys.delete(drop.id));
      return key;
    },
  };
}

function ticketOf(item: Record<string, any> | undefined): Ticket | undefined {
  if (!item) return undefined;
  const { ticketId, generation, arrivedAt, second, bucket, ordinal } = item;
  return { ticketId, generation, arrivedAt, second, bucket, ordinal };
}

/** The counters of arrivals, and what has been counted. */
export function arrivalCounters(
  documents: DynamoDBDocumentClient,
  table: string,
): Pick<CountPorts, 'arrivals' | 'saveCounted'> {
  return {
    arrivals: async (dropId, second, buckets) => {
      const keys = Array.from({ length: buckets }, (_, bucket) => arrivalsKey(dropId, second, bucket));
      const items = await batchGet(documents, table, keys, { consistent: true });
      const byKey = new Map(items.map(({ pk, arrivals }) => [pk as string, arrivals as number]));
      return keys.map(({ pk }) => byKey.get(pk) ?? 0);
    },
    saveCounted: async (drop, before, after, seconds) => {
      const expiresAt = expiryOf(drop);
      try {
        await documents.send(
          new TransactWriteCommand({
            TransactItems: [
              {
                Put: {
                  TableName: table,
                  Item: { ...queueKey(drop.id), ...after, expiresAt },
                  ConditionExpression: 'closedTo = :before',
                  ExpressionAttributeValues: { ':before': before.closedTo },
                },
              },
              ...seconds.map(({ second, ...counted }) => ({
                Put: {
                  TableName: table,
                  Item: { ...secondKey(drop.id, second), ...counted, expiresAt },
                  ConditionExpression: 'attribute_not_exists(pk)',
                },
              })),
            ],
          }),
        );
        return true;
      } catch (error) {
        if (error instanceof TransactionCanceledException) return false;
        throw error;
      }
    },
  };
}
