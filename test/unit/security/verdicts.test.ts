import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Standard, table, verdicts } from '../../../scripts/security/verdicts.ts';

const root = join(import.meta.dirname, '../../..');
const read = (name: string): Standard =>
  JSON.parse(readFileSync(join(root, 'docs/security', `${name}.json`), 'utf8'));

describe.each([
  ['asvs', /^V\d+\.\d+\.\d+$/, 253],
  ['api-top-10', /^API\d+:2023$/, 10],
] as const)('the table %s', (name, id, count) => {
  const { items, standard } = read(name);

  it('has each requirement once, with a verdict and a reason', () => {
    expect(new Set(items.map((item) => item.id)).size).toBe(count);
    expect(items).toHaveLength(count);
    for (const item of items) {
      expect(item.id).toMatch(id);
      expect(verdicts, item.id).toContain(item.verdict);
      expect(item.reason.length, item.id).toBeGreaterThan(5);
    }
  });

  const shown = [...new Set(items.flatMap(({ evidence }) => evidence))].map((one) => {
    const [path = '', title] = one.split(/#(.*)/s);
    return { one, path, title };
  });

  it('names files that are there', () => {
    expect(shown.length).toBeGreaterThan(5);
    expect(shown.filter(({ path }) => path.startsWith('/') || path.includes('..'))).toEqual([]);
    expect(shown.filter(({ path }) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('names the test, wherever a test shows it, and that test is there', () => {
    const tests = shown.filter(({ path, title }) => path.endsWith('.test.ts') || title !== undefined);
    expect(tests.length).toBeGreaterThan(5);
    expect(tests.filter(({ title }) => !title)).toEqual([]);
    const missing = tests.filter(({ path, title }) => {
      const source = readFileSync(join(root, path), 'utf8');
      // As the title of a test or of a group, or as the name of a law that a test runs through.
      const named = ["'", '"', '`'].map((quote) => `${quote}${title}${quote}`);
      return !named.some((text) => source.includes(text));
    });
    expect(missing.map(({ one }) => one)).toEqual([]);
  });

  it('calls each gap by its name', () => {
    const gaps = items.filter(({ verdict }) => verdict === 'gap');
    expect(new Set(gaps.map(({ reason }) => reason)).size).toBeGreaterThanOrEqual(gaps.length / 2);
    for (const { id, reason } of gaps.filter(({ id }) => id.startsWith('V'))) {
      expect(reason, id).toMatch(/^[A-Z0-9].{3,60}: /);
    }
  });

  it('shows every pass', () => {
    const bare = items.filter(({ verdict, evidence }) => verdict === 'pass' && evidence.length === 0);
    expect(bare.map((item) => item.id)).toEqual([]);
  });

  it('prints with its counts', () => {
    const text = table({ items, standard, source: '' });
    for (const item of items) expect(text).toContain(item.id);
    const [total, ...each] = text.split('\n').at(-1)!.match(/\d+/g)!.map(Number);
    expect(total).toBe(count);
    expect(each.reduce((sum, one) => sum + one, 0)).toBe(count);
  });
});
