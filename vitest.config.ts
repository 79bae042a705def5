import { globSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import LongestFirst from './test/support/longest-first.ts';

const parts = globSync('test/{unit,contracts,local,stacks,statemachines}/**/*.test.ts');

/** Tests that put something in the place of a module, a variable or the clock: each file has its modules to itself. */
const apart = parts.filter((file) =>
  /\bvi\.(mock|resetModules|stub|useFake|spyOn)|process\.env\.\w+ = /.test(readFileSync(file, 'utf8')),
);

/** Node's own modules: what computes is a fifth faster than with Vite's, which only `vi.mock` and `vi.resetModules` need. */
const native = { experimental: { viteModuleRunner: false } };

const patience = { testTimeout: 60_000, hookTimeout: 120_000 };

/** The parts; those of them that must be apart; simulations; and whole stores, for which the cloud assembly is made first. */
export default defineConfig({
  test: {
    reporters: ['default', './test/support/summary-reporter.ts'],
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      { test: { name: 'parts', include: parts, exclude: apart, isolate: false, ...native, ...patience } },
      { test: { name: 'apart', include: apart, ...patience } },
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          ...native,
          ...patience,
        },
      },
      {
        test: {
          name: 'store',
          include: ['test/store/**/*.test.ts'],
          globalSetup: ['test/support/assembly.ts'],
          ...native,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
