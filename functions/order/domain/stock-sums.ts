import type { StoredEvent } from '../../kernel/events.ts';
import { orderPlaced } from '../contract.ts';

/** Units by shard. */
export interface Sums {
  readonly drawn: Map<string, number>;
  readonly released: Map<string, number>;
}

/** A shard's name in a sum. */
export function shardName({ sku, shard }: { readonly sku: string; readonly shard: number }): string {
  return `${sku} ${shard}`;
}

/** Adds what an event draws and gives back. */
export function addMoves(
  { drawn, released }: Sums,
  { type, body }: Pick<StoredEvent, 'type' | 'body'>,
): void {
  // The release is named by its member, as in `stockMovesAgree`: whatever event may carry it.
  if (type !== orderPlaced.type && !body.includes('"released"')) return;
  const moves = JSON.parse(body);
  for (const [sums, parts] of [
    [drawn, type === orderPlaced.type ? moves.draws : []],
    [released, moves.released ?? []],
  ] as const)
    for (const part of parts) sums.set(shardName(part), (sums.get(shardName(part)) ?? 0) + part.quantity);
}
