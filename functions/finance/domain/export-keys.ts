/** Where an export lies in its bucket. */
export const exportsPrefix = 'exports/';

/** What a manifest says of a file: enough to find it. */
interface FileOfExport {
  readonly name: string;
  /** Of its bytes, lower-case hexadecimal. */
  readonly sha256: string;
}

/**
 * Named by its content, so that two runs of a date that read its journal at different moments cannot write over each
 * other's files: whichever manifest is written, its files are there. Up to schema version 2 files had their names alone.
 * @param date business date, `YYYY-MM-DD`
 */
export function fileKey(
  { date, schemaVersion }: { readonly date: string; readonly schemaVersion: number },
  { name, sha256 }: FileOfExport,
): string {
  const place = schemaVersion < 3 ? name : `${sha256}/${name}`;
  return `${exportsPrefix}${date}/${place}`;
}

export function manifestKey(date: string): string {
  return `${exportsPrefix}${date}/manifest.json`;
}
