import { exportedDates } from '../../../functions/finance/adapters/exported-dates.ts';
import { exportJournal } from '../../../functions/finance/app/export-journal.ts';
import { writeManifest } from '../../../functions/finance/app/export-manifest.ts';
import { planExport } from '../../../functions/finance/app/plan-export.ts';
import type { ExportManifest } from '../../../functions/finance/contract.ts';
import type { JournalEntry } from '../../../functions/finance/domain/journal.ts';

/** The export's functions over a journal and a bucket in memory, its days complete unless told otherwise. */
export function exportWorld(entries: readonly JournalEntry[]) {
  const journal = [...entries];
  const bucket = new Map<string, Buffer>();
  /** Keys in the order in which they were written. */
  const writes: string[] = [];
  /** What the next writes fail with. */
  const faults: Error[] = [];
  const audit = { journalledUpTo: '2099-01-01T00:00:00.000Z' as string | undefined };

  const write = async (key: string, content: Uint8Array) => {
    const fault = faults.shift();
    if (fault) throw fault;
    bucket.set(key, Buffer.from(content));
    writes.push(key);
  };
  const read = async (key: string) => bucket.get(key);
  const manifestAt = async (key: string): Promise<ExportManifest | undefined> => {
    const content = bucket.get(key);
    return content && JSON.parse(content.toString());
  };
  const folders = async (prefix: string, after: string, limit: number) => {
    const found = [...bucket.keys()].map((key) => `${prefix}${key.slice(prefix.length).split('/')[0]}/`);
    return [...new Set(found)]
      .filter((folder) => folder > after)
      .sort()
      .slice(0, limit);
  };
  const entriesOf = async (date: string) => journal.filter(({ businessDate }) => businessDate === date);
  const ports = {
    timeZone: 'Asia/Seoul',
    journalledUpTo: async () => audit.journalledUpTo,
    entriesOf,
    countOf: async (date: string) => (await entriesOf(date)).length,
    write,
    create: async (key: string, content: Uint8Array) => {
      if (bucket.has(key)) return false;
      await write(key, content);
      return true;
    },
    read,
    manifestAt,
    ...exportedDates({ folders, manifestAt }),
  };
  const plan = planExport(ports);
  const files = exportJournal(ports);
  const manifest = writeManifest(ports);
  return {
    journal,
    bucket,
    /** Where a file of a date's export lies, when it was exported once. */
    keyOf: (date: string, name: string) =>
      [...bucket.keys()].find((key) => key.startsWith(`exports/${date}/`) && key.endsWith(`/${name}`)) ?? '',
    writes,
    faults,
    audit,
    plan,
    files,
    manifest,
    /** The whole export of a date; answers its manifest, or the plan while it waits. */
    async run(date: string) {
      const planned = await plan({ date });
      return planned.state === 'waiting' ? planned : manifest(await files(planned));
    },
  };
}
