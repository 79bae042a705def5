/**
 * Asks the registry for newer versions of what production is built from, and fails on one that has been out for more than
 * a quarter: `npm run updates`. Needs the network, so it is no part of the check.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { behindOf, overdueOf } from './security/updates.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'));
const registry = process.env.npm_config_registry ?? 'https://registry.npmjs.org/';

const names = Object.keys(read('package.json').dependencies);
const behind = [];
for (const name of names) {
  const response = await fetch(new URL(name.replace('/', '%2f'), registry));
  if (!response.ok) throw new Error(`the registry answers ${response.status} for ${name}`);
  const { time } = (await response.json()) as { time: Record<string, string> };
  const found = behindOf(name, read(`node_modules/${name}/package.json`).version, time, Date.now());
  if (found) behind.push(found);
}
for (const { name, installed, newest, days } of behind) {
  console.log(`${name} ${installed}: ${newest} is out, something newer since ${days} days`);
}
const overdue = overdueOf(behind);
console.log(
  `${names.length} packages, ${behind.length} with a newer version, ${overdue.length} to be renewed`,
);
if (overdue.length > 0) process.exitCode = 1;
