import { expect, it } from 'vitest';
import { idempotency } from '../../bench/proofs/idempotency.ts';

it('100 identical orders at once are one order, one charge and one answer', async () => {
  expect(await idempotency()).toEqual({
    requests: 100,
    statuses: [201],
    differentBodies: 1,
    orders: 1,
    charges: 1,
    unitsTaken: 1,
    otherBodyStatus: 422,
    otherBodyProblem: 'https://floodgate.dev/problems/idempotency-key-reused',
    lastUnitRetryStatus: 201,
    lastUnitRetryReplayed: 'true',
    lastUnitForOthers: 409,
  });
});
