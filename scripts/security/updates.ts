/** A package of which there is a newer version than the installed one, in the same major version. */
export interface Behind {
  readonly name: string;
  readonly installed: string;
  readonly newest: string;
  /** Since the first version after the installed one was published. */
  readonly days: number;
}

/** What the registry tells of a package. */
export interface Published {
  /** Those that are there still, by number. */
  readonly versions: Readonly<Record<string, { readonly deprecated?: string | boolean }>>;
  /** When each version was published, also of those that were withdrawn. */
  readonly time: Readonly<Record<string, string>>;
}

/** Days after which a newer version is taken (docs/security/handbook.md, Components). */
const quarter = 92;

/** @param now milliseconds since the epoch */
export function behindOf(
  name: string,
  installed: string,
  { versions, time }: Published,
  now: number,
): Behind | undefined {
  const newer = Object.entries(versions)
    .filter(([, { deprecated }]) => !deprecated)
    .map(([version]) => version)
    .filter((version) => isRelease(version) && lineOf(version) === lineOf(installed))
    .filter((version) => compare(version, installed) > 0)
    .sort(compare);
  const newest = newer.at(-1);
  if (newest === undefined) return undefined;
  const first = Math.min(...newer.map((version) => Date.parse(time[version]!)));
  return { name, installed, newest, days: Math.floor((now - first) / 86_400_000) };
}

/** What has to be renewed. */
export function overdueOf(behind: readonly Behind[]): Behind[] {
  return behind.filter(({ days }) => days > quarter);
}

function isRelease(version: string): boolean {
  return /^\d+\.\d+\.\d+$/.test(version);
}

/** Versions that promise to be compatible: of one major version; below 1.0.0, of one minor one. */
function lineOf(version: string): string {
  return /^(0\.\d+|\d+)/.exec(version)![1]!;
}

function compare(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number)) as [number[], number[]];
  const at = left.findIndex((part, index) => part !== right[index]);
  return at < 0 ? 0 : left[at]! - right[at]!;
}
