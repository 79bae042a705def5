import { defineConfig } from 'vitest/config';
import LongestFirst from './test/support/longest-first.ts';

/** Two projects: the parts, and whole stores, for which the cloud assembly is made first. */
export default defineConfig({
  test: {
    reporters: ['default', './test/support/summary-reporter.ts'],
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'parts',
          include: ['test/{unit,faults,contracts,local,stacks,statemachines}/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'store',
          include: ['test/store/**/*.test.ts'],
          globalSetup: ['test/support/assembly.ts'],
          // Some looks of a cold function give up after 300 ms, which two stores on two busy cores can need.
          retry: 1,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
