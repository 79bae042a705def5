import { afterAll, describe } from 'vitest';
import { closeSharedStore } from './together/shared-store.ts';

/*
 * Tests that leave each other alone, in one store: until everything in a store has run once it costs five seconds of the
 * processor. Those of one file alone: `npx vitest run test/store/together.test.ts -t sessions`.
 */
const files = {
  access: () => import('./together/access.ts'),
  drops: () => import('./together/drops.ts'),
  journeys: () => import('./together/journeys.ts'),
  limits: () => import('./together/limits.ts'),
  outbox: () => import('./together/outbox.ts'),
  payments: () => import('./together/payments.ts'),
  poison: () => import('./together/poison.ts'),
  sessions: () => import('./together/sessions.ts'),
  trace: () => import('./together/trace.ts'),
};

for (const [name, tests] of Object.entries(files)) {
  describe(name, async () => {
    await tests();
  });
}

afterAll(closeSharedStore);
