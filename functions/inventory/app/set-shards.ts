import { DomainError } from '../../kernel/errors.ts';
import type { HttpRequest, HttpResponse } from '../../kernel/http.ts';
import type { setShards as route } from '../contract.ts';
import { levelling, type Move } from '../domain/levelling.ts';
import type { Stock } from '../domain/shards.ts';
import { etagOf, viewOf } from '../domain/stock.ts';
import { type Pace, untilDone } from './attempts.ts';

export interface Ports extends Pace {
  /** True of one moment. */
  readonly stock: (sku: string) => Promise<Stock | undefined>;
  /** Adds empty shards; false when somebody else has. */
  readonly addShards: (sku: string, change: { from: number; to: number }) => Promise<boolean>;
  /** All or none; false when the shard no longer has the units, or is being written to. */
  readonly move: (sku: string, move: Move) => Promise<boolean>;
}

/** Rounds of moves before the answer: where buyers are quicker, unevenness does no harm. */
const rounds = 5;

/**
 * Raises the number of shards of a SKU.
 *
 * 1. Add empty shards: no sale stands in the way of that.
 * 2. Level the units over all of them, one shard's surplus a transaction, in a few rounds while sales go on.
 *
 * Sending it again goes on levelling where this left off.
 * @param countOf the shards to have, from what there is
 * @throws DomainError `not-found`, `stock-state` when there are more already, `temporary-reduced-capacity`
 */
export async function raiseShards(
  ports: Ports,
  sku: string,
  countOf: (stock: Stock) => number,
): Promise<{ readonly before: number; readonly stock: Stock }> {
  let before = 0;
  let stock = await untilDone(ports, async () => {
    const found = await ports.stock(sku);
    if (!found) throw new DomainError('not-found', `${sku} is not stocked.`);
    const from = found.shards.length;
    const to = countOf(found);
    before = from;
    if (from > to) {
      throw new DomainError('stock-state', `${sku} has ${from} shards, and shards are never taken away.`);
    }
    if (from === to) return found;
    return (await ports.addShards(sku, { from, to })) ? ports.stock(sku) : undefined;
  });
  for (let round = 0; round < rounds; round++) {
    const moves = levelling(stock.shards);
    if (moves.length === 0) break;
    for (const move of moves) await ports.move(sku, move);
    stock = (await ports.stock(sku)) ?? stock;
  }
  return { before, stock };
}

export const setShards =
  (ports: Ports) =>
  async ({
    params: { sku },
    body: { count },
  }: Pick<HttpRequest<typeof route>, 'params' | 'body'>): Promise<HttpResponse<typeof route>> => {
    const { stock } = await raiseShards(ports, sku, () => count);
    return { status: 200, body: viewOf(stock), headers: { etag: etagOf(stock) } };
  };
