import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { batchGet } from '../../functions/kernel/batch.ts';
import { systemSleep } from '../../functions/kernel/clock.ts';
import { canonicalJson } from '../../functions/kernel/ids.ts';
import { inParallel } from '../../functions/kernel/parallel.ts';
import { type OrderEvents, orderEvents, scanned } from './order-events.ts';
import type { Item, Projection } from './projections.ts';

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** Differences that are looked at again at the same time. */
const width = 16;

/** Of the live table against the shadow: a row that it lacks, has otherwise, or has and should not. */
export interface Difference extends Key {
  readonly kind: 'missing' | 'changed' | 'extra';
  readonly orderId: string;
}

/** A projection's live table and its shadow, and the orders that both come from. */
export interface Pair {
  readonly projection: Projection;
  readonly orders: { readonly documents: DynamoDBDocumentClient; readonly table: string };
  readonly live: { readonly documents: DynamoDBDocumentClient; readonly table: string };
  readonly shadow: { readonly documents: DynamoDBDocumentClient; readonly table: string };
  readonly segments: number;
}

/**
 * Compares every row of both tables, whole and byte for byte (members sorted by name). Each table is read once in
 * pages, and the rows of a page are asked of the other by key: memory does not grow with the tables.
 * @param found is told of each difference @param looked is told how many rows have been compared
 */
export async function compare(
  { projection, live, shadow, segments }: Pair,
  found: (difference: Difference) => Promise<void>,
  looked: (rows: number) => void,
): Promise<void> {
  await scanned(shadow.documents, { TableName: shadow.table }, segments, async (page) => {
    const others = await rowsOf(live, page);
    for (const row of page) {
      const other = others.get(nameOf(row));
      if (!other) await found(differenceOf('missing', row, projection));
      else if (canonicalJson(other) !== canonicalJson(row))
        await found(differenceOf('changed', row, projection));
    }
    looked(page.length);
  });
  await scanned(live.documents, { TableName: live.table }, segments, async (page) => {
    const own = page.filter((row) => projection.owns(row));
    const others = await rowsOf(shadow, own);
    for (const row of own) {
      if (!others.has(nameOf(row))) await found(differenceOf('extra', row, projection));
    }
  });
}

async function rowsOf(side: Pair['live'], rows: readonly Item[]): Promise<Map<string, Item>> {
  const keys = rows.map(keyOf);
  const items = await batchGet(side.documents, side.table, keys, { consistent: true });
  return new Map(items.map((item) => [nameOf(item), item]));
}

function differenceOf(kind: Difference['kind'], row: Item, projection: Projection): Difference {
  return { kind, ...keyOf(row), orderId: projection.orderIdOf(row) };
}

const keyOf = (item: Item): Key => ({ pk: String(item.pk), sk: String(item.sk) });
const nameOf = (item: Item): string => JSON.stringify([item.pk, item.sk]);

/** The two sides of a row as they are now. */
interface Sides {
  readonly now: Item | undefined;
  readonly wanted: Item | undefined;
}

/**
 * Looks at a row once more. The live row is read first and the order's events after it: whatever it tells of is then
 * among them.
 */
async function lookAgain(pair: Pair, { pk, sk, orderId }: Difference): Promise<Sides> {
  const { projection, orders, live, shadow } = pair;
  const read = async ({ documents, table }: Pair['live']) =>
    (await documents.send(new GetCommand({ TableName: table, Key: { pk, sk }, ConsistentRead: true }))).Item;
  const now = await read(live);
  const events: OrderEvents | undefined = await orderEvents(orders.documents, orders.table, orderId);
  if (events) await projection.into(shadow.documents, shadow.table)(events);
  return { now, wanted: await read(shadow) };
}

function differ({ now, wanted }: Sides): boolean {
  return canonicalJson(now ?? null) !== canonicalJson(wanted ?? null);
}

/**
 * The differences that stay: what an event on its way explains has gone when the consumers have caught up.
 * @param patience milliseconds before each look @param looks how often it is looked again
 */
export async function lasting(
  pair: Pair,
  differences: readonly Difference[],
  { patience, looks }: { patience: number; looks: number },
): Promise<Difference[]> {
  let left = [...differences];
  for (let look = 0; look < looks && left.length > 0; look++) {
    await systemSleep(patience);
    const still: Difference[] = [];
    await inParallel(left, width, async (difference) => {
      const sides = await lookAgain(pair, difference);
      if (differ(sides)) still.push({ ...difference, kind: kindOf(sides) });
    });
    left = still;
  }
  return left;
}

function kindOf({ now, wanted }: Sides): Difference['kind'] {
  if (!now) return 'missing';
  return wanted ? 'changed' : 'extra';
}

/**
 * Looks at a difference at once, since orders move on while the tables are read; and, to `write`, makes the live row
 * what the events say. That is safe beside running consumers: it writes what events say and removes what none says.
 * A journal is only ever added to.
 */
export async function review(
  pair: Pair,
  difference: Difference,
  write: boolean,
): Promise<'right' | 'wrong' | 'written'> {
  const { live, projection } = pair;
  const sides = await lookAgain(pair, difference);
  if (!differ(sides)) return 'right';
  const { now, wanted } = sides;
  if (!write || (projection.addedToOnly && now)) return 'wrong';
  const Key = { pk: difference.pk, sk: difference.sk };
  if (!wanted) {
    await live.documents.send(new DeleteCommand({ TableName: live.table, Key }));
    return 'written';
  }
  const kept = Object.keys(wanted).filter((name) => !(name in Key));
  const gone = Object.keys(now ?? {}).filter((name) => !(name in wanted));
  const set = kept.map((_, index) => `#n${index} = :v${index}`).join(', ');
  const remove = gone.map((_, index) => `#n${kept.length + index}`).join(', ');
  await live.documents.send(
    new UpdateCommand({
      TableName: live.table,
      Key,
      UpdateExpression: remove === '' ? `SET ${set}` : `SET ${set} REMOVE ${remove}`,
      ...(projection.addedToOnly && { ConditionExpression: 'attribute_not_exists(pk)' }),
      ExpressionAttributeNames: Object.fromEntries(
        [...kept, ...gone].map((name, index) => [`#n${index}`, name]),
      ),
      ExpressionAttributeValues: Object.fromEntries(kept.map((name, index) => [`:v${index}`, wanted[name]])),
    }),
  );
  return 'written';
}
