import { isoInstant, type Now } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { HttpRequest, HttpResponse } from '../../kernel/http.ts';
import type * as contract from '../contract.ts';
import { fileKey, manifestKey } from '../domain/export-keys.ts';

export interface Ports {
  readonly now: Now;
  /** The manifest of a business date; undefined when there is none. */
  readonly manifestAt: (key: string) => Promise<contract.ExportManifest | undefined>;
  /** A link to an object that ends after `expiresIn` seconds. */
  readonly link: (key: string, expiresIn: number) => Promise<string>;
}

/** Seconds. */
const linkLife = 15 * 60;

/**
 * One export.
 * 1. Read its manifest; without one there is no export yet.
 * 2. Make a link to each of its files.
 *
 * @throws DomainError `not-found`
 */
export const getExport =
  (ports: Ports) =>
  async (
    request: HttpRequest<typeof contract.getExport>,
  ): Promise<HttpResponse<typeof contract.getExport>> => {
    const { date } = request.params;
    const manifest = await ports.manifestAt(manifestKey(date));
    if (!manifest) throw new DomainError('not-found', `There is no export of ${date}.`);
    const expiresAt = isoInstant(ports.now() + linkLife * 1000);
    const links = await Promise.all(
      manifest.files.map(async (file) => ({
        name: file.name,
        url: await ports.link(fileKey(manifest, file), linkLife),
        expiresAt,
      })),
    );
    return { status: 200, body: { manifest, links } };
  };
