import { exportsPrefix, manifestKey } from '../domain/export-keys.ts';
import type { exportBucket } from './export-bucket.ts';

/** Folders that one request lists. */
const page = 1_000;

/** The business dates whose export is complete. A folder without a manifest is one that was begun. */
export function exportedDates({
  folders,
  manifestAt,
}: Pick<ReturnType<typeof exportBucket>, 'folders' | 'manifestAt'>) {
  /** Dates with a folder, from `from` on, in order. */
  async function datesFrom(from: string): Promise<string[]> {
    const dates: string[] = [];
    for (let after = `${exportsPrefix}${from}`; ; ) {
      const found = await folders(exportsPrefix, after, page);
      dates.push(...found.map((folder) => folder.slice(exportsPrefix.length, -1)));
      if (found.length < page) return dates;
      // `0` follows `/`: all that lies in the last folder comes before.
      after = `${exportsPrefix}${dates.at(-1)}0`;
    }
  }
  const isComplete = async (date: string) => (await manifestAt(manifestKey(date))) !== undefined;

  return {
    /** The latest; undefined before the first. */
    async lastExported(): Promise<string | undefined> {
      for (const date of (await datesFrom('')).reverse()) if (await isComplete(date)) return date;
      return undefined;
    },
    /** Those from one date to another, in order. */
    async exportedBetween(from: string, to: string): Promise<string[]> {
      const dates = (await datesFrom(from)).filter((date) => date <= to);
      const complete = await Promise.all(dates.map(isComplete));
      return dates.filter((_, index) => complete[index]);
    },
  };
}
