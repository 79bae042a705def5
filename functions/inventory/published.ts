import { type DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import { batchGet } from '../kernel/batch.ts';
import { DomainError } from '../kernel/errors.ts';
import { moveInItem, moveOutItem, type TransactItem } from './adapters/shard-items.ts';
import { defaultLowAt, type Shard, type Stock, unitsIn } from './domain/shards.ts';
import { headerKey, shardKey } from './keys.ts';

export { reportHeat } from './adapters/heat.ts';
export { closeLatch, release, soldOutAmong } from './adapters/latch.ts';
export { drawItem, type TransactItem } from './adapters/shard-items.ts';
export { allocate, type Draw, plenty } from './domain/allocation.ts';
export { availabilityOf, type Shard, type Stock, unexplained, unitsIn } from './domain/shards.ts';

/**
 * The stock of each of `skus` (needs `dynamodb:BatchGetItem` on the inventory's table); a SKU that is not stocked is
 * absent. Shards are read one after another, so a sum may be true of no moment: `snapshot` is for decisions.
 * With `trustLatch` a SKU whose latch is closed has no shards: they are not read, because they are empty.
 * @throws DomainError `temporary-reduced-capacity`
 */
export async function readShards(
  documents: DynamoDBDocumentClient,
  table: string,
  skus: readonly string[],
  options: { readonly consistent?: boolean; readonly trustLatch?: boolean } = {},
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
  const shardsOf = ({ shards, soldOut }: (typeof headers)[number]) =>
    options.trustLatch && soldOut ? [] : Array.from({ length: shards }, (_, shard) => shard);
  const furtherKeys = headers.flatMap((header) =>
    shardsOf(header)
      .slice(1)
      .map((shard) => shardKey(header.sku, shard)),
  );
  const further = await batchGet(documents, table, furtherKeys, options);
  const byKey = new Map([...first, ...further].map((item) => [item.pk, item]));
  return new Map(
    headers.map((header) => {
      const { sku, lowAt = defaultLowAt, soldOut = false, opened = 0 } = header;
      const shards = shardsOf(header).map((shard) =>
        shardOf(shard, byKey.get(shardKey(sku, shard).pk) ?? {}),
      );
      return [sku, { sku, lowAt, shards, soldOut, opened }];
    }),
  );
}

/** A shard as its item says. */
export function shardOf(shard: number, item: Readonly<Record<string, any>>): Shard {
  const { available = 0, rev = 0, entered, moved = 0, drawn = 0, released = 0 } = item;
  return {
    shard,
    available,
    rev,
    ...(entered !== undefined && { counts: { entered, moved, drawn, released } }),
  };
}

/** Every shard of the store, page by page (needs `dynamodb:Scan`), read consistently. */
export async function* everyShard(
  documents: DynamoDBDocumentClient,
  table: string,
): AsyncIterable<readonly ({ readonly sku: string } & Shard)[]> {
  const pages = paginateScan(
    { client: documents },
    {
      TableName: table,
      ConsistentRead: true,
      FilterExpression: 'sk = :shard',
      ExpressionAttributeValues: { ':shard': 'SHARD' },
    },
  );
  for await (const { Items = [] } of pages)
    yield Items.map((item) => ({ sku: item.sku as string, ...shardOf(item.shard, item) }));
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
 * double collect). `opened` is what it was before that moment, as `closeLatch` needs it. With `trustLatch` a closed latch
 * ends the count at once.
 * @throws DomainError `temporary-reduced-capacity` when the shards do not stand still before the deadline
 */
export async function snapshot(
  documents: DynamoDBDocumentClient,
  table: string,
  sku: string,
  deadline: Deadline,
  options: { readonly trustLatch?: boolean } = {},
): Promise<Stock | undefined> {
  const collect = async () =>
    (await readShards(documents, table, [sku], { consistent: true, ...options })).get(sku);
  let before = await collect();
  for (;;) {
    if (options.trustLatch && before?.soldOut) return before;
    const now = await collect();
    if (sameRevisions(before, now)) return now && { ...now, opened: before?.opened ?? 0 };
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
    moveInItem(table, { sku, shard: target.shard, quantity: unitsIn(sources) }),
    ...sources.map(({ shard, available }) => moveOutItem(table, { sku, shard, quantity: available })),
  ];
}
