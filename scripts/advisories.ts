/**
 * Asks the registry for advisories about what is installed, and fails on one that has outlived its time frame or that
 * docs/security/advisories.json does not know: `npm run advisories`. Needs the network, so it is no part of the check.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import known from '../docs/security/advisories.json' with { type: 'json' };
import { advisoriesIn, complaintsAbout } from './security/advisories.ts';
import { productionComponents } from './security/components.ts';

const root = join(import.meta.dirname, '..');
const names = new Set(productionComponents(root).map(({ name }) => name));
// Its status says that there are some; the report says which.
const { stdout } = spawnSync('npm', ['audit', '--json'], { cwd: root, encoding: 'utf8' });
const advisories = advisoriesIn(JSON.parse(stdout || '{}'));
const today = new Date().toISOString().slice(0, 10);
const complaints = complaintsAbout(advisories, known.known, (name) => names.has(name), today);
for (const complaint of complaints) console.error(complaint);
console.log(`advisories: ${advisories.length}, ${complaints.length} to do something about`);
if (complaints.length > 0) process.exitCode = 1;
