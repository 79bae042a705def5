import { isoInstant } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import { canonicalJson, digest } from '../../kernel/ids.ts';
import type { StockView } from '../contract.ts';
import type { Draw } from '../domain/allocation.ts';
import type { Stock } from '../domain/shards.ts';
import { entered, spread, viewOf } from '../domain/stock.ts';
import { type Pace, untilDone } from './attempts.ts';

/** An adjustment that was made, with the answer that it got. */
export interface Adjustment {
  readonly sku: string;
  /** SHA-256 of the operator and the Idempotency-Key. */
  readonly keyDigest: string;
  readonly requestHash: string;
  readonly adjust: number;
  readonly reason: string;
  /** The operator's account. */
  readonly by: string;
  readonly at: string;
  readonly answer: StockView;
}

export interface Ports extends Pace {
  /** True of one moment. */
  readonly stock: (sku: string) => Promise<Stock | undefined>;
  /** Consistent. */
  readonly adjustment: (sku: string, keyDigest: string) => Promise<Adjustment | undefined>;
  /** Records the adjustment and moves its units, all or none; false when it is recorded already or units are gone. */
  readonly adjust: (
    adjustment: Adjustment,
    units: readonly Draw[],
    direction: 'add' | 'take',
  ) => Promise<boolean>;
}

interface Request {
  readonly sku: string;
  readonly adjust: number;
  readonly reason: string;
  readonly by: string;
  readonly idempotencyKey: string;
}

const mostUnits = 1_000_000_000;

/**
 * Adds units to a SKU's stock, or takes some away.
 *
 * 1. Count the stock; then look whether this was done before, which decides before any refusal does.
 * 2. Refuse what would fall below zero.
 * 3. Spread the units over the shards, and write them together with the record and its answer.
 *
 * The answer counts the stock as if nothing had been sold while the adjustment was written.
 */
export const adjustStock =
  (ports: Ports) =>
  (request: Request): Promise<{ answer: StockView; replayed: boolean }> => {
    const { sku, adjust, reason, by, idempotencyKey } = request;
    const keyDigest = digest(JSON.stringify([by, idempotencyKey]));
    const requestHash = digest(canonicalJson({ adjust, reason }));

    return untilDone(ports, async () => {
      const stock = await ports.stock(sku);
      const before = await ports.adjustment(sku, keyDigest);
      if (before) return replay(before, requestHash);
      if (!stock) throw new DomainError('not-found', `${sku} is not stocked.`);

      const available = viewOf(stock).available + adjust;
      if (available < 0 || available > mostUnits) {
        throw new DomainError('stock-state', `The stock would be ${available} units.`, {
          available: available - adjust,
        });
      }
      const parts = spread(stock.shards, adjust);
      const answer = viewOf(entered(stock, parts));
      const units = stock.shards
        .map(({ shard }, index) => ({ sku, shard, quantity: Math.abs(parts[index]!) }))
        .filter(({ quantity }) => quantity > 0);
      const record = { sku, keyDigest, requestHash, adjust, reason, by, at: isoInstant(ports.now()), answer };
      const done = await ports.adjust(record, units, adjust > 0 ? 'add' : 'take');
      return done ? { answer, replayed: false } : undefined;
    });
  };

function replay(before: Adjustment, requestHash: string) {
  if (before.requestHash !== requestHash) {
    throw new DomainError('idempotency-key-reused', 'The Idempotency-Key was used for another adjustment.');
  }
  return { answer: before.answer, replayed: true };
}
