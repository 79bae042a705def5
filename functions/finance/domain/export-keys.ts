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
 * other's files: whichever manifest is written, its files are there.
 * @param date business date, `YYYY-MM-DD`
 */
export function fileKey(date: string, { name, sha256 }: FileOfExport): string {
  return `${exportsPrefix}${date}/${sha256}/${name}`;
}

export function manifestKey(date: string): string {
  return `${exportsPrefix}${date}/manifest.json`;
}
