import { execFileSync } from 'node:child_process';

/** Folders whose arrows are checked, and how many modules there must at least be: a blind check must not pass. */
const folders = ['functions', 'lib', 'bin', 'local'];
const atLeast = 150;

interface Cruise {
  summary: {
    totalCruised: number;
    totalDependenciesCruised?: number;
    violations: { from: string; to: string; rule: { name: string } }[];
  };
  modules: { source: string; dependencies: unknown[] }[];
}

const output = execFileSync(
  'depcruise',
  [...folders, '--config', '.dependency-cruiser.json', '--output-type', 'json', '--no-cache'],
  {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    env: { ...process.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
const { modules, summary } = JSON.parse(output) as Cruise;
const own = modules.filter(({ source }) => folders.some((folder) => source.startsWith(`${folder}/`)));
const arrows = own.reduce((sum, { dependencies }) => sum + dependencies.length, 0);
for (const { from, to, rule } of summary.violations) console.error(`${rule.name}: ${from} → ${to}`);
console.log(`layers: ${own.length} modules, ${arrows} arrows, ${summary.violations.length} forbidden`);
if (own.length < atLeast || arrows < own.length) {
  console.error(`expected at least ${atLeast} modules with an arrow each on average: the check is blind`);
  process.exitCode = 1;
}
if (summary.violations.length > 0) process.exitCode = 1;
