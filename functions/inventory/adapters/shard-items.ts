import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import type { Draw } from '../domain/allocation.ts';
import type { Counts, Shard } from '../domain/shards.ts';
import { shardKey } from '../keys.ts';

/** One action of a TransactWriteItems. */
export type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/**
 * Takes units from a shard; the transaction fails unless they are there. The reason of the failure carries the shard
 * as it is (`ALL_OLD`), or nothing when there is no such shard.
 */
export function drawItem(table: string, draw: Draw): TransactItem {
  return takeItem(table, draw, { counter: 'drawn', by: draw.quantity });
}

/** The two ends of a move between shards of a SKU; the first fails unless the units are there. The sum stays. */
export function moveOutItem(table: string, draw: Draw): TransactItem {
  return takeItem(table, draw, { counter: 'moved', by: -draw.quantity });
}

export function moveInItem(table: string, draw: Draw): TransactItem {
  return addItem(table, draw, 'moved');
}

/** Units that an operator adds to a shard; the SKU's latch must open in the same transaction (`openLatchItem`). */
export function enterItem(table: string, draw: Draw): TransactItem {
  return addItem(table, draw, 'entered');
}

/** Units that an operator takes from a shard; it fails unless they are there. */
export function withdrawItem(table: string, draw: Draw): TransactItem {
  return takeItem(table, draw, { counter: 'entered', by: -draw.quantity });
}

function takeItem(
  table: string,
  { sku, shard, quantity }: Draw,
  { counter, by }: { counter: keyof Counts; by: number },
): TransactItem {
  return {
    Update: {
      TableName: table,
      Key: shardKey(sku, shard),
      UpdateExpression:
        'SET available = available - :quantity, rev = rev + :one, #counter = if_not_exists(#counter, :zero) + :by',
      ConditionExpression: 'available >= :quantity',
      ExpressionAttributeNames: { '#counter': counter },
      ExpressionAttributeValues: { ':quantity': quantity, ':one': 1, ':zero': 0, ':by': by },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    },
  };
}

/** Gives units back to the shard they were drawn from. It cannot fail: a shard that is missing comes to be. */
export function returnItem(table: string, draw: Draw): TransactItem {
  return addItem(table, draw, 'released');
}

function addItem(table: string, { sku, shard, quantity }: Draw, counter: keyof Counts): TransactItem {
  return {
    Update: {
      TableName: table,
      Key: shardKey(sku, shard),
      UpdateExpression:
        'SET available = if_not_exists(available, :zero) + :quantity, rev = if_not_exists(rev, :zero) + :one, #counter = if_not_exists(#counter, :zero) + :quantity, sku = :sku, #shard = :shard',
      ExpressionAttributeNames: { '#shard': 'shard', '#counter': counter }, // `shard` is a reserved word
      ExpressionAttributeValues: {
        ':quantity': quantity,
        ':zero': 0,
        ':one': 1,
        ':sku': sku,
        ':shard': shard,
      },
    },
  };
}

/** Writes a shard as it must be over the revision that it was judged at. The SKU's latch must open with it. */
export function correctItem(
  table: string,
  sku: string,
  { shard, rev, available, counts }: Shard,
): TransactItem {
  return {
    Update: {
      TableName: table,
      Key: shardKey(sku, shard),
      UpdateExpression: 'SET available = :available, drawn = :drawn, released = :released, rev = rev + :one',
      ConditionExpression: 'rev = :rev',
      ExpressionAttributeValues: {
        ':available': available,
        ':drawn': counts?.drawn ?? 0,
        ':released': counts?.released ?? 0,
        ':rev': rev,
        ':one': 1,
      },
    },
  };
}
