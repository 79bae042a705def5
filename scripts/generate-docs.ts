/**
 * Writes what is generated in `docs/`: openapi.json, events.json, table.md and problems/<code>.md.
 * With `--check` it writes nothing and fails when a file differs from what it would write.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { loadContracts } from './docs/contracts.ts';
import { eventsOf } from './docs/events.ts';
import { openApiOf } from './docs/openapi.ts';
import { problemPages } from './docs/problem-pages.ts';
import { tableCharts } from './docs/tables.ts';

const root = join(import.meta.dirname, '..');
const docs = join(root, 'docs');

const contracts = await loadContracts(join(root, 'functions'));
const expected = new Map<string, string>([
  ['openapi.json', json(openApiOf(contracts))],
  ['events.json', json(eventsOf(contracts))],
  ['table.md', await tableCharts(join(root, 'functions'))],
  ...problemPages(contracts),
]);

const stale: string[] = [];
for (const [name, text] of expected) if ((await textOf(name)) !== text) stale.push(name);
const pages = await readdir(join(docs, 'problems')).catch(() => []);
const orphans = pages.map((page) => `problems/${page}`).filter((name) => !expected.has(name));

if (process.argv.includes('--check')) {
  for (const name of [...stale, ...orphans]) console.error(`docs/${name} is not what the contracts say`);
  if (stale.length + orphans.length > 0) {
    console.error('Run: npm run docs');
    process.exitCode = 1;
  }
} else {
  for (const name of stale) {
    await mkdir(dirname(join(docs, name)), { recursive: true });
    await writeFile(join(docs, name), expected.get(name)!);
    console.log(`wrote docs/${name}`);
  }
  for (const name of orphans) {
    await rm(join(docs, name));
    console.log(`removed docs/${name}`);
  }
}

async function textOf(name: string): Promise<string | undefined> {
  return readFile(join(docs, name), 'utf8').catch(() => undefined);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
