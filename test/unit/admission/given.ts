import type { Drop } from '../../../functions/admission/domain/drop.ts';
import { firstPace } from '../../../functions/admission/domain/pace.ts';
import { unserved } from '../../../functions/admission/domain/serving.ts';
import type { Standing } from '../../../functions/admission/domain/standing.ts';

/** Milliseconds; the beginning of a second and of a cell. */
export const opening = Date.UTC(2026, 5, 1, 12);

export function someDrop(changes: Partial<Drop> = {}): Drop {
  return {
    id: 'drp_A',
    name: 'Moon jar',
    skus: ['sku_a'],
    opensAt: opening,
    closesAt: opening + 3_600_000,
    perCustomerLimit: 2,
    admission: { rate: 10 },
    fallbackPerSecond: 2,
    holdSeconds: 60,
    arrivalShards: 8,
    orderKey: Buffer.alloc(32, 7).toString('base64'),
    publicKey: '',
    wrappedKey: '',
    requestHash: '',
    version: 1,
    createdAt: opening - 60_000,
    updatedAt: opening - 60_000,
    ...changes,
  };
}

/** The drop as it stands before anybody has come. */
export function standingOf(drop: Drop): Standing {
  return {
    drop,
    serving: { ...unserved(drop.createdAt), pace: firstPace(drop.fallbackPerSecond, drop.createdAt) },
    queue: { closedTo: Math.floor(drop.opensAt / 1_000) - 1, known: 0 },
  };
}
