import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { batchGet } from '../../kernel/batch.ts';
import type { Now } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { Adjustment } from '../app/adjust-stock.ts';
import type { ShardChange } from '../app/set-available.ts';
import type { Draw } from '../domain/allocation.ts';
import type { Move } from '../domain/levelling.ts';
import { defaultLowAt } from '../domain/shards.ts';
import type { StockRow } from '../domain/stock-row.ts';
import { adjustmentKey, headerKey, shardKey } from '../keys.ts';
import { snapshot } from '../published.ts';
import { readHeat } from './heat.ts';
import { openLatchItem } from './latch.ts';
import { enterItem, moveInItem, moveOutItem, type TransactItem, withdrawItem } from './shard-items.ts';

/** How long counting may take. */
const countingMs = 2_000;

/** What operators' use cases do with the inventory's table. */
export function stockTable(documents: DynamoDBDocumentClient, table: string, now: Now) {
  return {
    stock: (sku: string) => snapshot(documents, table, sku, { now, until: now() + countingMs }),

    heat: (sku: string) => readHeat(documents, table, sku),

    async stocked(skus: readonly string[]): Promise<Set<string>> {
      const headers = await batchGet(documents, table, skus.map(headerKey), { consistent: true });
      return new Set(headers.map(({ sku }) => sku));
    },

    open: (rows: readonly StockRow[]) =>
      transact(
        documents,
        rows.flatMap(({ sku, units }) => [
          newItem(table, { ...headerKey(sku), sku, shards: 1, lowAt: defaultLowAt, opened: 0 }),
          newItem(table, { ...shardKey(sku, 0), sku, shard: 0, available: units, rev: 0, entered: units }),
        ]),
      ),

    change: (sku: string, changes: readonly ShardChange[]) =>
      transact(documents, [
        ...changes.map((change) => changeItem(table, sku, change)),
        ...(changes.some(({ units }) => units > 0) ? [openLatchItem(table, sku)] : []),
      ]),

    async adjustment(sku: string, keyDigest: string): Promise<Adjustment | undefined> {
      const { Item } = await documents.send(
        new GetCommand({ TableName: table, Key: adjustmentKey(sku, keyDigest), ConsistentRead: true }),
      );
      return Item && ({ ...Item, answer: JSON.parse(Item.answer) } as Adjustment);
    },

    /** The answer is kept as text: a replay is the same to the byte. */
    adjust: (adjustment: Adjustment, units: readonly Draw[], direction: 'add' | 'take') =>
      transact(documents, [
        newItem(table, {
          ...adjustmentKey(adjustment.sku, adjustment.keyDigest),
          ...adjustment,
          answer: JSON.stringify(adjustment.answer),
        }),
        ...units.map((draw) => (direction === 'add' ? enterItem(table, draw) : withdrawItem(table, draw))),
        ...(direction === 'add' ? [openLatchItem(table, adjustment.sku)] : []),
      ]),

    addShards: (sku: string, { from, to }: { from: number; to: number }) =>
      transact(documents, [
        {
          Update: {
            TableName: table,
            Key: headerKey(sku),
            UpdateExpression: 'SET shards = :to',
            ConditionExpression: 'shards = :from',
            ExpressionAttributeValues: { ':from': from, ':to': to },
          },
        },
        ...Array.from({ length: to - from }, (_, index) => {
          const shard = from + index;
          return newItem(table, { ...shardKey(sku, shard), sku, shard, available: 0, rev: 0, entered: 0 });
        }),
      ]),

    move: (sku: string, { from, to }: Move) => {
      const quantity = to.reduce((sum, target) => sum + target.quantity, 0);
      return transact(documents, [
        moveOutItem(table, { sku, shard: from, quantity }),
        ...to.map((target) => moveInItem(table, { sku, ...target })),
      ]);
    },
  };
}

function newItem(table: string, item: Record<string, unknown>): TransactItem {
  return { Put: { TableName: table, Item: item, ConditionExpression: 'attribute_not_exists(pk)' } };
}

/** A shard that gets no units is still held to its revision: only together do the shards make the sum. */
function changeItem(table: string, sku: string, { shard, rev, units }: ShardChange): TransactItem {
  const condition = {
    TableName: table,
    Key: shardKey(sku, shard),
    ConditionExpression: 'rev = :rev',
  };
  if (units === 0) return { ConditionCheck: { ...condition, ExpressionAttributeValues: { ':rev': rev } } };
  return {
    Update: {
      ...condition,
      UpdateExpression:
        'SET available = available + :units, rev = rev + :one, entered = if_not_exists(entered, :zero) + :units',
      ExpressionAttributeValues: { ':rev': rev, ':units': units, ':one': 1, ':zero': 0 },
    },
  };
}

/**
 * False when a condition failed or another transaction was in the way.
 * @throws DomainError `temporary-reduced-capacity` when a partition is at its limit
 */
async function transact(documents: DynamoDBDocumentClient, items: TransactItem[]): Promise<boolean> {
  try {
    await documents.send(new TransactWriteCommand({ TransactItems: items }));
    return true;
  } catch (error) {
    if (!(error instanceof TransactionCanceledException)) throw error;
    const codes = (error.CancellationReasons ?? []).map(({ Code }) => Code ?? 'None');
    if (codes.includes('ConditionalCheckFailed') || codes.includes('TransactionConflict')) return false;
    if (codes.includes('ThrottlingError') || codes.includes('ProvisionedThroughputExceeded')) {
      throw new DomainError('temporary-reduced-capacity', 'The stock is in great demand. Please try again.');
    }
    throw error;
  }
}
