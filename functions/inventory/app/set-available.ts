import { DomainError } from '../../kernel/errors.ts';
import type { Stock } from '../domain/shards.ts';
import { entered, isNamedBy, spread } from '../domain/stock.ts';
import { type Pace, untilDone } from './attempts.ts';

/** Units to add to a shard (negative: to take), provided that it is still at `rev`. */
export interface ShardChange {
  readonly shard: number;
  readonly rev: number;
  readonly units: number;
}

export interface Ports extends Pace {
  /** True of one moment. */
  readonly stock: (sku: string) => Promise<Stock | undefined>;
  /** The drop that the SKU is being sold in, if it is. */
  readonly openDrop: (sku: string) => Promise<string | undefined>;
  /** All or none; false when a shard is no longer at its revision. */
  readonly change: (sku: string, changes: readonly ShardChange[]) => Promise<boolean>;
  /** Opens the stock of SKUs with one shard each; false when one of them has stock. */
  readonly open: (rows: readonly { sku: string; units: number }[]) => Promise<boolean>;
}

/**
 * Sets the stock of a SKU to a number of units.
 *
 * 1. Count it; it must be in the state that `If-Match` names.
 * 2. Spread the difference over the shards.
 * 3. Write it in one transaction that fails if any shard has changed since: a unit sold meanwhile is not brought back.
 *
 * During a drop it is refused: nobody can name a state that stands still. An adjustment does not need one.
 * `*` names whatever state there is, none included: then the stock is opened.
 */
export const setAvailable =
  (ports: Ports) =>
  async (sku: string, available: number, ifMatch: string): Promise<Stock> => {
    const dropId = await ports.openDrop(sku);
    if (dropId !== undefined) {
      throw new DomainError(
        'stock-state',
        `${sku} is being sold in drop ${dropId}. Change its stock by a number of units (\`adjust\`).`,
        { dropId },
      );
    }
    return untilDone(ports, async () => {
      const stock = await ports.stock(sku);
      if (!stock) {
        if (ifMatch !== '*') throw new DomainError('not-found', `${sku} is not stocked.`);
        return (await ports.open([{ sku, units: available }])) ? ports.stock(sku) : undefined;
      }
      if (!isNamedBy(ifMatch, stock)) {
        throw new DomainError('precondition-failed', 'The stock has changed. Read it again, then set it.');
      }
      const units = stock.shards.reduce((sum, shard) => sum + shard.available, 0);
      const parts = spread(stock.shards, available - units);
      if (parts.every((part) => part === 0)) return stock;
      const changes = stock.shards.map(({ shard, rev }, index) => ({ shard, rev, units: parts[index]! }));
      return (await ports.change(sku, changes)) ? entered(stock, parts) : undefined;
    });
  };
