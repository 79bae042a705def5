import { expect, it } from 'vitest';
import { roles } from '../../bench/proofs/roles.ts';

it('a role taken away from any function, workflow, pipe, schedule or rule is noticed', async () => {
  const { tried, unnoticed } = await roles();
  expect(unnoticed).toEqual([]);
  expect(Object.keys(tried).sort()).toEqual(['function', 'pipe', 'rule', 'schedule', 'workflow']);
  // A tour of the whole store for each of them.
}, 900_000);
