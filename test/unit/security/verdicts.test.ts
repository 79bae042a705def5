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

  it('names files that are there', () => {
    const named = [...new Set(items.flatMap(({ evidence }) => evidence))];
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((path) => path.startsWith('/') || path.includes('..'))).toEqual([]);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
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
