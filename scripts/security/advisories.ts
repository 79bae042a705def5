/** A published weakness of a package that is installed. */
export interface Advisory {
  /** Its address, for example `https://github.com/advisories/GHSA-…`. */
  readonly url: string;
  readonly package: string;
  readonly severity: string;
}

/** When it became known here: `YYYY-MM-DD`. */
export type Known = Readonly<Record<string, string>>;

/** Days in which an advisory is mended (docs/security/handbook.md): of what production runs, and of the build's tools. */
const frames = { production: { urgent: 7, other: 30 }, tools: { urgent: 30, other: 90 } } as const;

/** The advisories in the answer of `npm audit --json`. @throws Error when it is no report */
export function advisoriesIn(answer: any): Advisory[] {
  if (!answer?.vulnerabilities)
    throw new Error(`no report: ${answer?.message ?? answer?.error?.summary ?? 'empty'}`);
  const found = new Map<string, Advisory>();
  for (const { via } of Object.values<any>(answer.vulnerabilities)) {
    // A text names another vulnerable package, which is in the report itself.
    for (const one of via.filter((cause: unknown) => typeof cause === 'object')) {
      found.set(one.url, { url: one.url, package: one.name, severity: one.severity });
    }
  }
  return [...found.values()];
}

/** What is wrong: an advisory that nobody has written down, or that has outlived its time. */
export function complaintsAbout(
  advisories: readonly Advisory[],
  known: Known,
  inProduction: (name: string) => boolean,
  today: string,
): string[] {
  return advisories.flatMap(({ url, package: name, severity }) => {
    const which = `${name}, ${severity}, ${url}`;
    const since = known[url];
    if (since === undefined) return [`not known yet: ${which}`];
    const { urgent, other } = frames[inProduction(name) ? 'production' : 'tools'];
    const days = severity === 'critical' || severity === 'high' ? urgent : other;
    const age = (Date.parse(today) - Date.parse(since)) / 86_400_000;
    return age <= days ? [] : [`not mended in ${days} days: ${which}`];
  });
}
