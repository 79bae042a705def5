/** Where an export lies in its bucket. */
export const exportsPrefix = 'exports/';

/** @param date business date, `YYYY-MM-DD` */
export function fileKey(date: string, name: string): string {
  return `${exportsPrefix}${date}/${name}`;
}

export function manifestKey(date: string): string {
  return fileKey(date, 'manifest.json');
}
