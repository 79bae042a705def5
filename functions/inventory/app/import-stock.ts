import type { HttpRequest, HttpResponse } from '../../kernel/http.ts';
import { chunksOf, inParallel } from '../../kernel/parallel.ts';
import { readRows } from '../../kernel/rows.ts';
import type { importStock as route } from '../contract.ts';
import { type StockRow, stockOfRow } from '../domain/stock-row.ts';
import { type Pace, untilDone } from './attempts.ts';

interface Ports extends Pace {
  /** Those of the SKUs that have stock; consistent. */
  readonly stocked: (skus: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Opens the stock of at most 50 SKUs with one shard each, all or none; false when one of them has stock. */
  readonly open: (rows: readonly StockRow[]) => Promise<boolean>;
}

type Numbered = { readonly line: number; readonly id?: string | undefined };

/** Two items a SKU, and 100 actions a transaction. */
const openedTogether = 50;

/** Transactions under way at once. */
const width = 4;

/**
 * Opens the stock of every SKU of a file that has none.
 *
 * 1. Read its rows; set aside those that cannot be taken.
 * 2. Leave out the SKUs that have stock: their units are sold from now, a file knows less.
 * 3. Open the others, many in a transaction; where another import was first, one by one.
 */
export const importStock =
  (ports: Ports) =>
  async ({
    body,
    headers,
  }: Pick<HttpRequest<typeof route>, 'body' | 'headers'>): Promise<HttpResponse<typeof route>> => {
    const { accepted, failed } = readStock(body, headers['content-type']);
    const stocked = await ports.stocked(accepted.map(({ sku }) => sku));
    const fresh = accepted.filter(({ sku }) => !stocked.has(sku));

    let opened = 0;
    const open = async (rows: readonly StockRow[]): Promise<boolean> => {
      const done = await ports.open(rows);
      if (done) opened += rows.length;
      return done;
    };
    await inParallel(chunksOf(fresh, openedTogether), width, async (rows) => {
      if (await open(rows)) return;
      for (const row of rows) {
        await untilDone(ports, async () => {
          const settled = (await open([row])) || (await ports.stocked([row.sku])).has(row.sku);
          return settled || undefined;
        });
      }
    });
    return { status: 200, body: { opened, unchanged: accepted.length - opened, failed } };
  };

function readStock(text: string, contentType: string | undefined) {
  const accepted: (StockRow & Numbered)[] = [];
  const failed: { line: number; id?: string; reason: string }[] = [];
  const seen = new Map<string, number>();
  for (const { line, columns, problem } of readRows(text, contentType)) {
    const id = (columns.sku ?? columns.id)?.slice(0, 100);
    const row = problem ? { reason: problem } : stockOfRow(columns);
    const refuse = (reason: string) => failed.push({ line, ...(id !== undefined && { id }), reason });
    if ('reason' in row) {
      refuse(row.reason);
      continue;
    }
    const first = seen.get(row.sku);
    if (first !== undefined) refuse(`the SKU is in line ${first} already`);
    else accepted.push({ ...row, line, id });
    seen.set(row.sku, first ?? line);
  }
  return { accepted, failed };
}
