import { isoInstant } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';

export function noSuchDrop(dropId: string): DomainError {
  return new DomainError('not-found', `There is no drop ${dropId}.`);
}

/** Times in milliseconds since the epoch. */
export function notOpen(
  drop: { readonly dropId: string; readonly opensAt: number },
  now: number,
): DomainError {
  const opensAt = isoInstant(drop.opensAt);
  const retryAfterSeconds = Math.max(1, Math.ceil((drop.opensAt - now) / 1_000));
  return new DomainError('drop-not-open', `The drop opens at ${opensAt}. To come before is no gain.`, {
    dropId: drop.dropId,
    opensAt,
    retryAfterSeconds,
  });
}
