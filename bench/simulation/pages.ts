import { DeleteCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { TableSpec } from '../../lib/constructs/function-spec.ts';
import { type Item, meets } from './expressions.ts';

export type Index = NonNullable<TableSpec['indexes']>[number];

/** The attributes that a command asks back. */
export function returned(command: unknown, before: Item | undefined, after: Item | undefined): unknown {
  const wanted = (command as any).input.ReturnValues;
  if (wanted === 'ALL_OLD' && !(command instanceof TransactWriteCommand)) return { Attributes: before };
  if (command instanceof DeleteCommand || !(command instanceof UpdateCommand)) return {};
  if (wanted === 'ALL_NEW') return { Attributes: after };
  if (wanted === 'UPDATED_NEW') {
    const named = Object.entries(after ?? {}).filter(([name]) =>
      names((command as UpdateCommand).input, name),
    );
    return named.length > 0 ? { Attributes: Object.fromEntries(named) } : {};
  }
  return {};
}

/** Whether the update sets the attribute. */
function names(input: any, attribute: string): boolean {
  const known = Object.entries<string>(input.ExpressionAttributeNames ?? {});
  const written = [attribute, ...known.flatMap(([token, name]) => (name === attribute ? [token] : []))];
  return new RegExp(`(SET|ADD|,)\\s+(${written.join('|')})\\s`).test(input.UpdateExpression ?? '');
}

export function projected(item: Item, { partitionKey, sortKey, projection }: Index): Item {
  if (projection === 'ALL') return item;
  const names = ['pk', 'sk', partitionKey, sortKey, ...(projection === 'KEYS_ONLY' ? [] : projection)];
  return Object.fromEntries(names.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])));
}

/** Keys, and within an index its sort key first: ties are broken the same way every time. */
function keysOf(index: Index | undefined): readonly string[] {
  return index ? [index.sortKey, 'pk', 'sk'] : ['pk', 'sk'];
}

function compare(a: Item, b: Item, keys: readonly string[]): number {
  for (const key of keys) {
    if (a[key] < b[key]) return -1;
    if (a[key] > b[key]) return 1;
  }
  return 0;
}

export function inOrder(items: Item[], index: Index | undefined): Item[] {
  const keys = keysOf(index);
  return items.sort((a, b) => compare(a, b, keys));
}

/** A page of what was found: it ends at `Limit`, before the filter; then it says where to go on. */
export function paged(found: Item[], input: any, index: Index | undefined, backwards = false): unknown {
  const { ExclusiveStartKey: after, Limit, FilterExpression, Select } = input;
  const keys = keysOf(index);
  const items = inOrder(found, index);
  if (backwards) items.reverse();
  const rest = after
    ? items.filter((item) => (backwards ? compare(item, after, keys) < 0 : compare(item, after, keys) > 0))
    : items;
  const page = Limit === undefined ? rest : rest.slice(0, Limit);
  const last = page.length === Limit ? page.at(-1) : undefined;
  const Items = page.filter((item) => meets(item, FilterExpression, input));
  return {
    ...(Select === 'COUNT' ? {} : { Items }),
    Count: Items.length,
    ScannedCount: page.length,
    ...(last && { LastEvaluatedKey: keyOf(last, index) }),
  };
}

function keyOf(item: Item, index: Index | undefined): Item {
  const names = ['pk', 'sk', ...(index ? [index.partitionKey, index.sortKey] : [])];
  return Object.fromEntries(names.map((name) => [name, item[name]]));
}
