import type { StoredEvent } from '../../kernel/events.ts';
import { orderPlaced } from '../contract.ts';

interface Draw {
  readonly sku: string;
  readonly shard: number;
  readonly quantity: number;
}

/**
 * Whether an order's events move stock as they must: it draws what its lines say, and gives back, at most once, exactly
 * what it drew from where it drew it. Each move stands in one transaction with its event, so what the events contradict
 * the shards contradict too.
 */
export function stockMovesAgree(events: readonly Pick<StoredEvent, 'type' | 'body'>[]): boolean {
  const bodies = events.map(({ type, body }) => ({ type, ...JSON.parse(body) }));
  const placed = bodies.find(({ type }) => type === orderPlaced.type);
  if (!placed) return bodies.length === 0;
  const drawn: readonly Draw[] = placed.draws;
  const sold: readonly Omit<Draw, 'shard'>[] = placed.lines;
  const releases = bodies.flatMap(({ released }): Draw[][] => (released ? [released] : []));
  return (
    sums(drawn, ({ sku }) => sku) === sums(sold, ({ sku }) => sku) &&
    releases.length <= 1 &&
    releases.every((released) => sums(released, placeOf) === sums(drawn, placeOf))
  );
}

function placeOf({ sku, shard }: Draw): string {
  return `${sku} ${shard}`;
}

/** The quantities by key, in a form that can be compared. */
function sums<T extends { readonly quantity: number }>(
  parts: readonly T[],
  keyOf: (part: T) => string,
): string {
  const byKey = new Map<string, number>();
  for (const part of parts) byKey.set(keyOf(part), (byKey.get(keyOf(part)) ?? 0) + part.quantity);
  return JSON.stringify([...byKey].sort(([a], [b]) => (a < b ? -1 : 1)));
}
