import type { DynamoDBDocumentClient, TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { batchGet } from '../kernel/batch.ts';
import { DomainError } from '../kernel/errors.ts';
import type { Draw } from './domain/allocation.ts';
import { defaultLowAt, type Shard, type Stock, unitsIn } from './domain/shards.ts';
import { headerKey, shardKey } from './keys.ts';

export { allocate, type Draw } from './domain/allocation.ts';
export { availabilityOf, type Shard, type Stock, unitsIn } from './domain/shards.ts';

/** One action of a TransactWriteItems. */
export type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/**
 * Takes units from a shard; the transaction fails unless they are there. The reason of the failure carries the shard
 * as it is (`ALL_OLD`), or nothing when there is no such shard.
 */
export function drawItem(table: string, { sku, shard, quantity }: Draw): TransactItem {
  return {
    Update: {
      TableName: table,
      Key: shardKey(sku, shard),
      UpdateExpression: 'SET available = available - :quantity, rev = rev + :one',
      ConditionExpression: 'available >= :quantity',
      ExpressionAttributeValues: { ':quantity': quantity, ':one': 1 },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    },
  };
}

/** Gives units back to the shard they were drawn from. It cannot fail: a shard that is missing comes to be. */
export function releaseItem(table: string, { sku, shard, quantity }: Draw): TransactItem {
  return {
    Update: {
      TableName: table,
      Key: shardKey(sku, shard),
      UpdateExpression:
        'SET available = if_not_exists(available, :zero) + :quantity, rev = if_not_exists(rev, :zero) + :one, sku = :sku, #shard = :shard',
      ExpressionAttributeNames: { '#shard': 'shard' }, // a reserved word
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

/**
 * The stock of each of `skus` (needs `dynamodb:BatchGetItem` on the inventory's table); a SKU that is not stocked is
 * absent. Shards are read one after another, so a sum may be true of no moment: `snapshot` is for decisions.
 * @throws DomainError `temporary-reduced-capacity`
 */
export async function readShards(
  documents: DynamoDBDocumentClient,
  table: string,
  skus: readonly string[],
  options: { readonly consistent?: boolean } = {},
): Promise<Map<string, Stock>> {
  const distinct = [...new Set(skus)];
  // Nearly every SKU has one shard: reading it along with the header saves the second trip.
  const first = await batchGet(
    documents,
    table,
    distinct.flatMap((sku) => [headerKey(sku), shardKey(sku, 0)]),
    options,
  );
  const headers = first.filter(({ sk }) => sk === 'HEADER');
  const furtherKeys = headers.flatMap(({ sku, shards }) =>
    Array.from({ length: shards - 1 }, (_, index) => shardKey(sku, index + 1)),
  );
  const further = await batchGet(documents, table, furtherKeys, options);
  const byKey = new Map([...first, ...further].map((item) => [item.pk, item]));
  return new Map(
    headers.map(({ sku, shards, lowAt = defaultLowAt }) => [
      sku,
      {
        sku,
        lowAt,
        shards: Array.from({ length: shards }, (_, shard) => {
          const { available = 0, rev = 0 } = byKey.get(shardKey(sku, shard).pk) ?? {};
          return { shard, available, rev };
        }),
      },
    ]),
  );
}

/** How long `snapshot` may try. */
export interface Deadline {
  readonly now: () => number;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/**
 * The stock of a SKU as it was at one moment; undefined when it is not stocked. Header and shards are read twice,
 * consistently, until neither K nor a revision has changed between two reads in succession: what did not change from
 * its first read to its second was so at every moment between (Afek et al., "Atomic snapshots of shared memory", the
 * double collect).
 * @throws DomainError `temporary-reduced-capacity` when the shards do not stand still before the deadline
 */
export async function snapshot(
  documents: DynamoDBDocumentClient,
  table: string,
  sku: string,
  deadline: Deadline,
): Promise<Stock | undefined> {
  const collect = async () => (await readShards(documents, table, [sku], { consistent: true })).get(sku);
  let before = await collect();
  for (;;) {
    const now = await collect();
    if (sameRevisions(before, now)) return now;
    if (deadline.now() >= deadline.until) {
      throw new DomainError('temporary-reduced-capacity', 'The stock is changing too fast to be counted.');
    }
    before = now;
  }
}

function sameRevisions(a: Stock | undefined, b: Stock | undefined): boolean {
  if (!a || !b) return a === b;
  return (
    a.shards.length === b.shards.length && a.shards.every(({ rev }, index) => rev === b.shards[index]?.rev)
  );
}

/**
 * Moves every unit into the fullest shard, so that a line which no shard could serve alone needs one draw. Empty when
 * there is nothing to move. The transaction fails when a shard has lost units since `shards` was read.
 */
export function consolidation(
  table: string,
  sku: string,
  shards: readonly Pick<Shard, 'shard' | 'available'>[],
): TransactItem[] {
  const [target, ...sources] = shards
    .filter(({ available }) => available > 0)
    .sort((a, b) => b.available - a.available);
  if (!target || sources.length === 0) return [];
  return [
    releaseItem(table, { sku, shard: target.shard, quantity: unitsIn(sources) }),
    ...sources.map(({ shard, available }) => drawItem(table, { sku, shard, quantity: available })),
  ];
}
