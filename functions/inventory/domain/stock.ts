import { allocate } from '../../kernel/money.ts';
import type { StockView } from '../contract.ts';
import { availabilityOf, type Shard, type Stock, unitsIn } from './shards.ts';

/** The stock of a SKU as an operator sees it. */
export function viewOf({ sku, lowAt, shards, soldOut }: Stock): StockView {
  return {
    sku,
    available: unitsIn(shards),
    availability: availabilityOf(shards, lowAt),
    lowAt,
    soldOut,
    shards: [...shards],
  };
}

/** Changes with every write to a shard: revisions only grow. */
export function etagOf({ shards }: Pick<Stock, 'shards'>): string {
  return `"${unitsIn(shards)}-${shards.reduce((sum, { rev }) => sum + rev, 0)}"`;
}

/** Whether an `If-Match` header names this state (RFC 9110 §13.1.1). */
export function isNamedBy(ifMatch: string, stock: Stock): boolean {
  return ifMatch.split(',').some((tag) => tag.trim() === '*' || tag.trim() === etagOf(stock));
}

/**
 * How `adjust` units (negative: taken away) are spread over the shards, in their order: new units evenly, taken ones in
 * proportion to what is there, so that no shard falls below zero. The parts sum to `adjust` exactly.
 * @throws RangeError when the shards hold fewer units than are to be taken
 */
export function spread(shards: readonly Pick<Shard, 'available'>[], adjust: number): number[] {
  if (unitsIn(shards) + adjust < 0) throw new RangeError('more units than there are');
  const weights = shards.map(({ available }) => (adjust > 0 ? 1 : available));
  return allocate(adjust, weights);
}

/** The stock after an operator has entered so many units into each shard (negative: taken away). */
export function entered(stock: Stock, parts: readonly number[]): Stock {
  const shards = stock.shards.map((shard, index) => {
    const units = parts[index]!;
    if (units === 0) return shard;
    const { counts } = shard;
    return {
      ...shard,
      available: shard.available + units,
      rev: shard.rev + 1,
      ...(counts && { counts: { ...counts, entered: counts.entered + units } }),
    };
  });
  return { ...stock, shards, soldOut: stock.soldOut && !parts.some((units) => units > 0) };
}
