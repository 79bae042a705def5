import * as z from 'zod/mini';
import { DomainError } from '../../kernel/errors.ts';
import { digest } from '../../kernel/ids.ts';
import { type ExportDraft, type ExportManifest, type ExportPlan, exportPlan } from '../contract.ts';
import { addDays } from '../domain/business-date.ts';
import { draftOf, exportFiles } from '../domain/export-files.ts';
import { fileKey, manifestKey } from '../domain/export-keys.ts';
import type { JournalEntry } from '../domain/journal.ts';
import { eventIdsIn, journalCsv } from '../domain/journal-csv.ts';

export interface Ports {
  readonly entriesOf: (businessDate: string) => Promise<JournalEntry[]>;
  /** How many entries the journal has of a business date. */
  readonly countOf: (businessDate: string) => Promise<number>;
  /** The exported business dates from one date to another, in order. */
  readonly exportedBetween: (from: string, to: string) => Promise<readonly string[]>;
  readonly manifestAt: (key: string) => Promise<ExportManifest | undefined>;
  /** An object's content; undefined when there is none. */
  readonly read: (key: string) => Promise<Uint8Array | undefined>;
  /** Writes an object, or writes it over. */
  readonly write: (key: string, content: Uint8Array, contentType: string) => Promise<void>;
}

/** How long an entry may be late and still be found. Later than that somebody must look anyway. */
const lateDays = 35;

/** Of the exports that are written now. */
const schemaVersion = 3;

const contentTypes: Readonly<Record<string, string>> = {
  csv: 'text/csv; charset=utf-8; header=present',
  parquet: 'application/vnd.apache.parquet',
};

/**
 * Second state of the export: its files.
 * 1. Read the journal of the business date once, so that all files tell of the same entries.
 * 2. Add the entries of earlier dates that came after their date's export, each with its own date. Where an
 *    earlier date's count is what its exports hold, nothing is late; otherwise the ids are compared.
 * 3. Write each file. Running again over the same entries writes the same bytes.
 * 4. Hand on what the manifest is to say.
 * A date that is exported already, or has been meanwhile, is made again from the entries that its export holds, and
 * nothing is written.
 *
 * @throws DomainError `internal-error` when the journal has lost an entry that was exported
 */
export const exportJournal =
  (ports: Ports) =>
  async (input: unknown): Promise<ExportDraft> => {
    const plan = z.parse(exportPlan, input);
    if (plan.state === 'exported') return madeAgain(ports, plan);
    const earlier = await earlierExports(ports, plan.date);
    const entries = [
      ...(await ports.entriesOf(plan.date)),
      ...(await lateEntries(ports, plan.date, earlier)),
    ];
    const files = exportFiles(entries, plan);
    // Another run of the date may have been faster since it was planned: then there is nothing to write any more.
    if (await ports.manifestAt(manifestKey(plan.date))) return madeAgain(ports, plan);
    for (const { name, content } of files) {
      const key = fileKey({ date: plan.date, schemaVersion }, { name, sha256: digest(content) });
      await ports.write(key, content, contentTypes[name.split('.').at(-1)!]!);
    }
    const previous = earlier.at(-1);
    return draftOf(
      schemaVersion,
      plan,
      entries,
      files,
      previous ? { date: previous.manifest.date, sha256: previous.sha256 } : null,
    );
  };

interface EarlierExport {
  readonly manifest: ExportManifest;
  /** Of the manifest's bytes. */
  readonly sha256: string;
}

/** The exports that can hold entries of the last days; the last of them is of the day before, as none is left out. */
async function earlierExports(ports: Ports, date: string): Promise<EarlierExport[]> {
  const dates = await ports.exportedBetween(addDays(date, -lateDays), addDays(date, -1));
  return Promise.all(
    dates.map(async (earlier) => {
      const key = manifestKey(earlier);
      const [manifest, bytes] = await Promise.all([ports.manifestAt(key), ports.read(key)]);
      if (!manifest || !bytes) throw new DomainError('internal-error', `The manifest of ${earlier} is gone.`);
      return { manifest, sha256: digest(bytes) };
    }),
  );
}

async function lateEntries(
  ports: Ports,
  date: string,
  exports: readonly EarlierExport[],
): Promise<JournalEntry[]> {
  const late: JournalEntry[] = [];
  for (let day = addDays(date, -lateDays); day < date; day = addDays(day, 1)) {
    const countIn = ({ manifest }: EarlierExport) => manifest.generatedFrom.days[day] ?? 0;
    const holding = exports.filter((one) => countIn(one) > 0);
    const exported = holding.reduce((sum, one) => sum + countIn(one), 0);
    const stored = await ports.countOf(day);
    if (stored === exported) continue;
    const known = new Set<string>();
    for (const { manifest } of holding) {
      for (const id of await exportedIds(ports, manifest, day)) known.add(id);
    }
    const entries = await ports.entriesOf(day);
    const left = new Set(entries.map(({ eventId }) => eventId));
    const lost = [...known].filter((id) => !left.has(id));
    if (lost.length > 0) {
      throw new DomainError(
        'internal-error',
        `The journal of ${day} has lost ${lost.length} exported entries.`,
      );
    }
    late.push(...entries.filter(({ eventId }) => !known.has(eventId)));
  }
  return late;
}

/** The ids of the entries of `day` that an export holds. */
async function exportedIds(ports: Ports, manifest: ExportManifest, day?: string): Promise<readonly string[]> {
  const file = manifest.files.find(({ name }) => name === journalCsv);
  const content = file && (await ports.read(fileKey(manifest, file)));
  if (!content) throw new DomainError('internal-error', `${journalCsv} of ${manifest.date} is gone.`);
  return eventIdsIn(content, day);
}

async function madeAgain(ports: Ports, plan: ExportPlan): Promise<ExportDraft> {
  const manifest = await ports.manifestAt(manifestKey(plan.date));
  if (!manifest) throw new DomainError('internal-error', `The manifest of ${plan.date} is gone.`);
  const exported = new Set(await exportedIds(ports, manifest));
  const days = Object.keys(manifest.generatedFrom.days);
  const stored = (await Promise.all(days.map((day) => ports.entriesOf(day)))).flat();
  const entries = stored.filter(({ eventId }) => exported.has(eventId));
  return draftOf(manifest.schemaVersion, plan, entries, exportFiles(entries, plan), manifest.previous);
}
