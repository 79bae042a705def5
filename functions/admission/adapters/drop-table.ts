import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  paginateQuery,
  QueryCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb';
import { batchGet } from '../../kernel/batch.ts';
import { isoInstant } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import { type Drop, type DropEntry, expiryOf, settlingMs } from '../domain/drop.ts';
import { firstPace } from '../domain/pace.ts';
import { type Serving, unserved } from '../domain/serving.ts';
import { dropKey, dropsPartition, listedDropKey, queueKey, servingKey, skuKey } from '../keys.ts';

/** What a SKU's entry says of a drop: all that an order must know without reading further. */
function entryOf({ id, opensAt, closesAt, perCustomerLimit, publicKey }: Drop): DropEntry {
  return { dropId: id, opensAt, closesAt, perCustomerLimit, publicKey };
}

/** Drops, as operators make and change them, and the lists by which they are found. */
export function dropTable(documents: DynamoDBDocumentClient, table: string, now: () => number) {
  async function entries(skus: readonly string[]) {
    const items = await batchGet(documents, table, skus.map(skuKey), { consistent: true });
    const bySku = new Map(items.map((item) => [item.sku as string, item]));
    return skus.map((sku) => {
      const { drops = [], rev = 0 } = bySku.get(sku) ?? {};
      return { sku, rev: rev as number, drops: drops as readonly DropEntry[] };
    });
  }

  /** Entries of drops that are over, and hold nothing still any more, are left out on the way. */
  function skuItem(entry: Awaited<ReturnType<typeof entries>>[number], drop: Drop) {
    const others = entry.drops.filter(
      ({ dropId, closesAt }) => dropId !== drop.id && closesAt + settlingMs > now(),
    );
    return {
      Put: {
        TableName: table,
        Item: { ...skuKey(entry.sku), sku: entry.sku, rev: entry.rev + 1, drops: [...others, entryOf(drop)] },
        ConditionExpression: 'attribute_not_exists(rev) OR rev = :rev',
        ExpressionAttributeValues: { ':rev': entry.rev },
      },
    };
  }

  /** @returns false when a condition failed or another transaction was in the way */
  async function transact(
    TransactItems: NonNullable<ConstructorParameters<typeof TransactWriteCommand>[0]['TransactItems']>,
  ) {
    try {
      await documents.send(new TransactWriteCommand({ TransactItems }));
      return true;
    } catch (error) {
      if (error instanceof TransactionCanceledException) return false;
      throw error;
    }
  }

  return {
    find: async (dropId: string): Promise<Drop | undefined> => {
      const { Item } = await documents.send(
        new GetCommand({ TableName: table, Key: dropKey(dropId), ConsistentRead: true }),
      );
      if (!Item) return undefined;
      const { pk, sk, expiresAt, ...drop } = Item;
      return drop as Drop;
    },

    async save(drop: Drop): Promise<void> {
      for (let attempt = 0; attempt < 3; attempt++) {
        const found = await entries(drop.skus);
        const taken = found.flatMap(({ sku, drops }) =>
          drops
            .filter(
              (other) => other.closesAt > Math.max(now(), drop.opensAt) && other.opensAt < drop.closesAt,
            )
            .map(({ dropId }) => ({ sku, dropId })),
        );
        if (taken.length > 0) {
          const named = taken.map(({ sku, dropId }) => `${sku} in ${dropId}`).join(', ');
          throw new DomainError('already-exists', `Sold in another drop at that time: ${named}.`, {
            drops: taken,
          });
        }
        const expiresAt = expiryOf(drop);
        const pace = firstPace(drop.fallbackPerSecond, drop.createdAt);
        const closedTo = Math.floor(drop.opensAt / 1_000) - 1;
        const opensAt = isoInstant(drop.opensAt);
        const put = (Item: Record<string, unknown>) => ({
          Put: { TableName: table, Item, ConditionExpression: 'attribute_not_exists(pk)' },
        });
        const saved = await transact([
          put({ ...dropKey(drop.id), ...drop, expiresAt }),
          put({ ...listedDropKey(opensAt, drop.id), dropId: drop.id, closesAt: drop.closesAt, expiresAt }),
          put({ ...servingKey(drop.id), ...unserved(drop.createdAt), pace, expiresAt }),
          put({ ...queueKey(drop.id), closedTo, known: 0, expiresAt }),
          ...found.map((entry) => skuItem(entry, drop)),
        ]);
        if (saved) return;
      }
      throw new DomainError('temporary-reduced-capacity', 'Its SKUs are being changed. Please try again.');
    },

    /** Entries of the SKUs follow only when the drop ends earlier: nothing else of them changes. */
    async change(drop: Drop, before: Drop): Promise<boolean> {
      const ends = drop.closesAt !== before.closesAt;
      const expiresAt = expiryOf(drop);
      const listed = listedDropKey(isoInstant(drop.opensAt), drop.id);
      return transact([
        {
          Put: {
            TableName: table,
            Item: { ...dropKey(drop.id), ...drop, expiresAt },
            ConditionExpression: 'version = :version',
            ExpressionAttributeValues: { ':version': before.version },
          },
        },
        ...(ends
          ? [
              {
                Put: {
                  TableName: table,
                  Item: { ...listed, dropId: drop.id, closesAt: drop.closesAt, expiresAt },
                },
              },
              ...(await entries(drop.skus)).map((entry) => skuItem(entry, drop)),
            ]
          : []),
      ]);
    },

    async settle(dropId: string, { served, at, history, version }: Serving): Promise<boolean> {
      return transact([
        {
          Update: {
            TableName: table,
            Key: servingKey(dropId),
            UpdateExpression: 'SET served = :served, #at = :at, history = :history, version = :version',
            ConditionExpression: 'version = :before',
            ExpressionAttributeNames: { '#at': 'at' },
            ExpressionAttributeValues: {
              ':served': served,
              ':at': at,
              ':history': history,
              ':version': version,
              ':before': version - 1,
            },
          },
        },
      ]);
    },

    async list(limit: number, after: string | undefined) {
      const { Items = [] } = await documents.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'pk = :drops',
          ExpressionAttributeValues: { ':drops': dropsPartition },
          ScanIndexForward: false,
          Limit: limit + 1,
          ...(after && { ExclusiveStartKey: { pk: dropsPartition, sk: after } }),
        }),
      );
      const page = Items.slice(0, limit);
      return {
        ids: page.map(({ dropId }) => dropId as string),
        next: Items.length > limit ? (page.at(-1)?.sk as string) : undefined,
      };
    },

    /** @param until milliseconds since the epoch: drops that open later are left out */
    async openBy(until: number, closedAfter: number): Promise<readonly string[]> {
      const ids: string[] = [];
      const pages = paginateQuery(
        { client: documents },
        {
          TableName: table,
          KeyConditionExpression: 'pk = :drops AND sk < :until',
          FilterExpression: 'closesAt > :over',
          ExpressionAttributeValues: {
            ':drops': dropsPartition,
            ':until': isoInstant(until),
            ':over': closedAfter,
          },
        },
      );
      for await (const { Items = [] } of pages) ids.push(...Items.map(({ dropId }) => dropId as string));
      return ids;
    },
  };
}
