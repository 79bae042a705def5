/**
 * Lists the licences of everything that production runs, and fails on one that docs/security/licences.json does not
 * allow: `npm run licences`.
 */
import { join } from 'node:path';
import list from '../docs/security/licences.json' with { type: 'json' };
import { idOf, productionComponents } from './security/components.ts';
import { refusedLicences } from './security/licences.ts';

const components = productionComponents(join(import.meta.dirname, '..'));
for (const [licence, own] of Map.groupBy(components, ({ licence }) => licence)) {
  console.log(`${licence} (${own.length}): ${own.map(idOf).join(', ')}`);
}
const refused = refusedLicences(components, list.allowed);
for (const line of refused) console.error(`not allowed: ${line}`);
console.log(`licences: ${components.length} components, ${refused.length} not allowed`);
if (refused.length > 0 || components.length === 0) process.exitCode = 1;
