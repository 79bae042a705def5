/** A requirement of a standard, and what this project says to it. */
export interface Requirement {
  readonly id: string;
  /** The standard's name for it, or for its section. */
  readonly section: string;
  readonly verdict: 'pass' | 'not-applicable' | 'gap';
  /** Files and tests that show it, from the project's folder. */
  readonly evidence: readonly string[];
  readonly reason: string;
}

export interface Standard {
  readonly standard: string;
  readonly source: string;
  readonly items: readonly Requirement[];
}

export const verdicts = ['pass', 'not-applicable', 'gap'] as const;

/** The table as text, chapter by chapter, with a count of each verdict at the end. */
export function table({ standard, items }: Standard): string {
  const lines = items.map(({ id, verdict, reason, evidence }) =>
    [id.padEnd(11), verdict.padEnd(15), [reason, ...evidence].join(' · ')].join(''),
  );
  const sections = new Map<string, string[]>();
  for (const [index, { section }] of items.entries()) {
    sections.set(section, [...(sections.get(section) ?? []), lines[index]!]);
  }
  const body = [...sections].flatMap(([section, own]) => ['', section, ...own]);
  return [standard, ...body, '', counts(items)].join('\n');
}

function counts(items: readonly Requirement[]): string {
  const each = verdicts.map(
    (verdict) => `${items.filter((item) => item.verdict === verdict).length} ${verdict}`,
  );
  return `${items.length} requirements: ${each.join(', ')}`;
}
