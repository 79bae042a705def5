import { type DynamoDBDocumentClient, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { batchGet } from '../../kernel/batch.ts';
import type { Ports as Following } from '../app/follow-order.ts';
import type { Ports as Listing } from '../app/list-admin-orders.ts';
import { type Fact, type Facts, rowOf } from '../domain/facts.ts';
import { byPlaced, factName, indexKeys, orderIdAt, orderIdOf, placedPartitions, rowKey } from '../keys.ts';

/** Each fact is an attribute of its own. */
const fact = /^fact(\d+)$/;

/** One write unit while the row is at most 1 KB (some ten events), and one of the index with the first event. */
export function addFacts(documents: DynamoDBDocumentClient, table: string): Following['addFacts'] {
  return async (orderId, facts) => {
    const attributes = attributesOf(orderId, facts);
    const names = Object.keys(attributes);
    await documents.send(
      new UpdateCommand({
        TableName: table,
        Key: rowKey(orderId),
        UpdateExpression: `SET ${names.map((name) => `${name} = :${name}`).join(', ')}`,
        ExpressionAttributeValues: Object.fromEntries(names.map((name) => [`:${name}`, attributes[name]])),
      }),
    );
  };
}

function attributesOf(orderId: string, facts: Facts): Record<string, unknown> {
  const placed = facts.get(1);
  return {
    ...Object.fromEntries([...facts].map(([seq, fact]) => [factName(seq), fact])),
    ...(placed && indexKeys({ orderId, at: placed.at })),
  };
}

/** Reads the list by its index; eventually consistent, as the list is. */
export function placedOrders(documents: DynamoDBDocumentClient, table: string): Listing {
  const newestIn = async (placedKey: string, from: string, before: string, limit: number) => {
    const { Items = [] } = await documents.send(
      new QueryCommand({
        TableName: table,
        IndexName: byPlaced,
        KeyConditionExpression: 'placedKey = :key AND placing BETWEEN :from AND :before',
        ExpressionAttributeValues: { ':key': placedKey, ':from': from, ':before': before },
        ScanIndexForward: false,
        // BETWEEN takes in `before` itself.
        Limit: limit + 1,
      }),
    );
    return Items.map(({ placing }) => placing as string).filter((placing) => placing < before);
  };
  return {
    newest: async ({ from, before }, limit) => {
      // BETWEEN refuses a range the wrong way round.
      if (from >= before) return [];
      const found = await Promise.all(placedPartitions().map((key) => newestIn(key, from, before, limit)));
      return found
        .flat()
        .sort((a, b) => (a < b ? 1 : -1))
        .slice(0, limit);
    },
    rows: async (placings) => {
      const keys = placings.map((placing) => rowKey(orderIdAt(placing)));
      const items = await batchGet(documents, table, keys);
      const byId = new Map(items.map((item) => [orderIdOf(item.pk), item]));
      return placings.flatMap((placing) => {
        const orderId = orderIdAt(placing);
        const row = rowOf(orderId, factsIn(byId.get(orderId) ?? {}));
        return row ? [{ placing, row }] : [];
      });
    },
  };
}

function factsIn(item: Record<string, unknown>): Facts {
  return new Map(
    Object.entries(item).flatMap(([name, value]) => {
      const [, seq] = fact.exec(name) ?? [];
      return seq === undefined ? [] : [[Number(seq), value as Fact] as const];
    }),
  );
}
