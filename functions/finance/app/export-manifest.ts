import * as z from 'zod/mini';
import { DomainError } from '../../kernel/errors.ts';
import { digest } from '../../kernel/ids.ts';
import { type ExportManifest, exportDraft } from '../contract.ts';
import { fileKey, manifestKey } from '../domain/export-keys.ts';
import { balances } from '../domain/journal.ts';

export interface Ports {
  /** An object's content; undefined when there is none. */
  readonly read: (key: string) => Promise<Uint8Array | undefined>;
  /** Writes an object, or writes it over. */
  readonly write: (key: string, content: Uint8Array, contentType: string) => Promise<void>;
}

/**
 * Last state of the export: the manifest, without which the files do not count.
 * 1. Refuse books that do not balance.
 * 2. Read every file back: what lies in the bucket must be what the manifest says.
 * 3. Write the manifest.
 *
 * @throws DomainError `internal-error` when debits and credits differ, or a file is not what was written
 */
export const writeManifest =
  (ports: Ports) =>
  async (input: unknown): Promise<ExportManifest> => {
    const draft = z.parse(exportDraft, input);
    if (!balances(draft.totals)) {
      throw new DomainError('internal-error', `The journal of ${draft.date} does not balance: no manifest.`);
    }
    for (const file of draft.files) {
      const content = await ports.read(fileKey(draft.date, file.name));
      if (content === undefined || digest(content) !== file.sha256) {
        throw new DomainError('internal-error', `${file.name} of ${draft.date} is not what was written.`);
      }
    }
    const manifest: ExportManifest = { schemaVersion: 1, ...draft, balanced: true };
    const text = `${JSON.stringify(manifest, null, 2)}\n`;
    await ports.write(manifestKey(draft.date), Buffer.from(text), 'application/json');
    return manifest;
  };
