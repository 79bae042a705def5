import * as z from 'zod/mini';
import { type ExportDraft, exportPlan } from '../contract.ts';
import { draftOf, exportFiles } from '../domain/export-files.ts';
import { fileKey } from '../domain/export-keys.ts';
import type { JournalEntry } from '../domain/journal.ts';

export interface Ports {
  readonly entriesOf: (businessDate: string) => Promise<JournalEntry[]>;
  /** Writes an object, or writes it over. */
  readonly write: (key: string, content: Uint8Array, contentType: string) => Promise<void>;
}

/**
 * Second state of the export: its files.
 * 1. Read the journal of the business date once, so that all files tell of the same entries.
 * 2. Write each file. Running again over the same entries writes the same bytes.
 * 3. Hand on what the manifest is to say.
 */
export const exportJournal =
  (ports: Ports) =>
  async (input: unknown): Promise<ExportDraft> => {
    const plan = z.parse(exportPlan, input);
    const entries = await ports.entriesOf(plan.date);
    const files = exportFiles(entries);
    for (const { name, content } of files) {
      await ports.write(fileKey(plan.date, name), content, 'text/csv; charset=utf-8; header=present');
    }
    return draftOf(plan, entries, files);
  };
