import { differencesKey, settlementsPrefix } from '../domain/settlement.ts';
import type { exportBucket } from './export-bucket.ts';

const page = 1_000;

/** The latest day that has been reconciled; undefined before the first. */
export function lastReconciled({ folders, read }: Pick<ReturnType<typeof exportBucket>, 'folders' | 'read'>) {
  return async (): Promise<string | undefined> => {
    const days: string[] = [];
    for (let after = settlementsPrefix; ; after = `${settlementsPrefix}${days.at(-1)}0`) {
      const found = await folders(settlementsPrefix, after, page);
      days.push(...found.map((folder) => folder.slice(settlementsPrefix.length, -1)));
      if (found.length < page) break;
    }
    for (const day of days.reverse()) if (await read(differencesKey(day))) return day;
    return undefined;
  };
}
