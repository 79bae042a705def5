import * as z from 'zod/mini';
import { DomainError } from '../../kernel/errors.ts';
import { digest } from '../../kernel/ids.ts';
import { count } from '../../kernel/log.ts';
import { businessMetrics } from '../../kernel/metrics.ts';
import { type ExportManifest, exportDraft } from '../contract.ts';
import { fileKey, manifestKey } from '../domain/export-keys.ts';
import { balances } from '../domain/journal.ts';

export interface Ports {
  /** An object's content; undefined when there is none. */
  readonly read: (key: string) => Promise<Uint8Array | undefined>;
  /** Writes an object unless there is one. @returns false when there is */
  readonly create: (key: string, content: Uint8Array, contentType: string) => Promise<boolean>;
}

/**
 * Last state of the export: the manifest, without which the files do not count.
 * 1. Refuse books that do not balance.
 * 2. Read every file back: what lies in the bucket must be what the manifest says.
 * 3. Write the manifest, once for a date. Where there is one already, it must be the same to the byte.
 *
 * @throws DomainError `internal-error` when debits and credits differ, a file is not what was written, or the date
 *   has been exported with other content
 */
export const writeManifest =
  (ports: Ports) =>
  async (input: unknown): Promise<ExportManifest> => {
    const draft = z.parse(exportDraft, input);
    const unbalanced = Object.values(draft.totals).filter(({ debit, credit }) => debit !== credit);
    count(businessMetrics.ledgerUnbalanced, unbalanced.length);
    if (!balances(draft.totals)) {
      throw new DomainError('internal-error', `The journal of ${draft.date} does not balance: no manifest.`);
    }
    for (const file of draft.files) {
      const content = await ports.read(fileKey(draft, file));
      if (content === undefined || digest(content) !== file.sha256) {
        throw new DomainError('internal-error', `${file.name} of ${draft.date} is not what was written.`);
      }
    }
    const manifest: ExportManifest = { ...draft, balanced: true };
    const content = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
    const key = manifestKey(draft.date);
    if (await ports.create(key, content, 'application/json')) return manifest;
    const there = await ports.read(key);
    if (there === undefined || !content.equals(there)) {
      throw new DomainError('internal-error', `${draft.date} has been exported with other content.`);
    }
    return manifest;
  };
