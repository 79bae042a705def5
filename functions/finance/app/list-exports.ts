import { decodeCursor, encodeCursor, nextLink } from '../../kernel/cursor.ts';
import type { HttpRequest, HttpResponse } from '../../kernel/http.ts';
import type * as contract from '../contract.ts';
import { exportsPrefix, manifestKey } from '../domain/export-keys.ts';

export interface Ports {
  /**
   * The folders below `prefix` (each ends in `/`) that come after `after`, in the order of their names; at most
   * `limit`.
   */
  readonly folders: (prefix: string, after: string, limit: number) => Promise<string[]>;
  readonly manifestAt: (key: string) => Promise<contract.ExportManifest | undefined>;
}

/**
 * The complete exports from `from` to `to`, by date.
 * 1. List one date more than asked for, from where the page before ended.
 * 2. Read the manifests of the page; a date without one is not complete and left out.
 * 3. Answer with a cursor when there is more.
 */
export const listExports =
  (ports: Ports) =>
  async (
    request: HttpRequest<typeof contract.listExports>,
  ): Promise<HttpResponse<typeof contract.listExports>> => {
    const { from = '', to = '9999-12-31', limit, cursor } = request.query;
    const binding = ['listExports', from, to];
    // `0` follows `/`: all that lies in the folder of the last date comes before.
    const after = cursor ? `${String(decodeCursor(cursor, binding))}0` : from;

    const found = await ports.folders(exportsPrefix, `${exportsPrefix}${after}`, limit + 1);
    const dates = found.map((folder) => folder.slice(exportsPrefix.length, -1)).filter((date) => date <= to);
    const shown = dates.slice(0, limit);

    const manifests = await Promise.all(shown.map((date) => ports.manifestAt(manifestKey(date))));
    const items = manifests.flatMap((manifest) => (manifest ? [summaryOf(manifest)] : []));

    if (dates.length <= limit) return { status: 200, body: { items } };
    const next = encodeCursor(shown.at(-1), binding);
    return {
      status: 200,
      body: { items, next },
      headers: nextLink('/v1/finance/exports', request.query, next),
    };
  };

function summaryOf({ date, timeZone, generatedFrom, totals, balanced }: contract.ExportManifest) {
  return { date, timeZone, entries: generatedFrom.entries, totals, balanced };
}
