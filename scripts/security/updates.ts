/** A package of which there is a newer version than the installed one, in the same major version. */
export interface Behind {
  readonly name: string;
  readonly installed: string;
  readonly newest: string;
  /** Since the first version after the installed one was published. */
  readonly days: number;
}

/** Days after which a newer version is taken (docs/security/handbook.md, Components). */
const quarter = 92;

/**
 * @param published versions with the instant at which each was published, as the registry tells them; other members are
 *   passed over, and so are versions of a trial
 * @param now milliseconds since the epoch
 */
export function behindOf(
  name: string,
  installed: string,
  published: Readonly<Record<string, string>>,
  now: number,
): Behind | undefined {
  const newer = Object.keys(published)
    .filter((version) => isRelease(version) && majorOf(version) === majorOf(installed))
    .filter((version) => compare(version, installed) > 0)
    .sort(compare);
  const newest = newer.at(-1);
  if (newest === undefined) return undefined;
  const first = Math.min(...newer.map((version) => Date.parse(published[version]!)));
  return { name, installed, newest, days: Math.floor((now - first) / 86_400_000) };
}

/** What has to be renewed. */
export function overdueOf(behind: readonly Behind[]): Behind[] {
  return behind.filter(({ days }) => days > quarter);
}

function isRelease(version: string): boolean {
  return /^\d+\.\d+\.\d+$/.test(version);
}

function majorOf(version: string): string {
  return version.split('.')[0]!;
}

function compare(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number)) as [number[], number[]];
  const at = left.findIndex((part, index) => part !== right[index]);
  return at < 0 ? 0 : left[at]! - right[at]!;
}
