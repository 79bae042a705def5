import { DomainError } from '../../kernel/errors.ts';
import type { DropChange } from '../contract.ts';
import type { Drop } from '../domain/drop.ts';
import { noSuchDrop } from '../domain/refusals.ts';
import { resume, type Serving } from '../domain/serving.ts';
import type { Standing } from '../domain/standing.ts';

export interface Ports {
  readonly now: () => number;
  /** Read consistently. */
  readonly load: (dropId: string) => Promise<Standing | undefined>;
  /** `before` must still be what is stored. @returns whether it was */
  readonly save: (drop: Drop, before: Drop) => Promise<boolean>;
  /** @returns false when somebody has conducted the drop meanwhile */
  readonly settle: (dropId: string, serving: Serving) => Promise<boolean>;
}

/**
 * Changes a drop: pauses, resumes or ends it, or changes its rates.
 * 1. A drop that has closed stays as it is; a change must name the version that was read.
 * 2. While nobody conducts it, what the old terms have admitted so far is written down first.
 * @throws DomainError `not-found`, `drop-closed`, `precondition-failed`, `temporary-reduced-capacity`
 */
export const changeDrop =
  (ports: Ports) =>
  async (dropId: string, change: DropChange, ifMatch: string): Promise<void> => {
    const standing = await ports.load(dropId);
    if (!standing) throw noSuchDrop(dropId);
    const { drop, serving, queue } = standing;
    const now = ports.now();
    if (ifMatch !== '*' && ifMatch !== `"${drop.version}"`) throw changed();
    if (now >= drop.closesAt) {
      throw new DomainError('drop-closed', 'The drop is over, and cannot be changed.', { dropId });
    }
    const settled = resume(drop, serving, queue, now);
    // Whoever was faster conducts it, and has written down the same.
    if (settled !== serving) await ports.settle(dropId, { ...settled, version: serving.version + 1 });
    if (!(await ports.save(changedDrop(drop, change, now), drop))) throw changed();
  };

function changedDrop(drop: Drop, { state, admission, fallbackPerSecond }: DropChange, now: number): Drop {
  return {
    ...drop,
    ...(admission && { admission }),
    ...(fallbackPerSecond !== undefined && { fallbackPerSecond }),
    ...(state === 'paused' && { pausedAt: drop.pausedAt ?? now }),
    ...(state === 'open' && { pausedAt: undefined }),
    // It never was to close later, and a drop that never opened has an empty window.
    ...(state === 'closed' && { closesAt: now }),
    version: drop.version + 1,
    updatedAt: now,
  };
}

function changed(): DomainError {
  return new DomainError('precondition-failed', 'The drop has changed since you read it.');
}
