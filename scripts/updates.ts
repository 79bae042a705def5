/**
 * Asks the registry for newer versions of what production is built from, and fails on one that has been out for more than
 * a quarter: `npm run updates`. What other packages need is listed as well; only they can renew it. Needs the network, so
 * it is no part of the check.
 */
import { join } from 'node:path';
import project from '../package.json' with { type: 'json' };
import { productionComponents } from './security/components.ts';
import { behindOf, overdueOf, type Published } from './security/updates.ts';

const root = join(import.meta.dirname, '..');
const registry = (process.env.npm_config_registry ?? 'https://registry.npmjs.org').replace(/\/*$/, '/');

const components = productionComponents(root);
const behind = [];
for (const { name, version } of components) {
  const address = new URL(name.replace('/', '%2f'), registry);
  const response = await fetch(address, { signal: AbortSignal.timeout(30_000) });
  if (!response.ok) throw new Error(`the registry answers ${response.status} for ${name}`);
  const found = behindOf(name, version, (await response.json()) as Published, Date.now());
  if (found) behind.push(found);
}
const isOurs = ({ name }: { name: string }) => name in project.dependencies;
for (const one of behind) {
  const whose = isOurs(one) ? '' : ', needed by another package';
  console.log(
    `${one.name} ${one.installed}: ${one.newest} is out, something newer since ${one.days} days${whose}`,
  );
}
const overdue = overdueOf(behind.filter(isOurs));
console.log(
  `${components.length} packages, ${behind.length} with a newer version, ${overdue.length} to be renewed`,
);
if (overdue.length > 0) process.exitCode = 1;
