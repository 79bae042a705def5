import type { Now, Sleep } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';

/** What a use case needs to try again while others write to the same shards. */
export interface Pace {
  readonly now: Now;
  readonly sleep: Sleep;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
}

/** How long an operator's request may try. */
const patienceMs = 3_000;

/**
 * Calls `attempt` until it has a result, with short random pauses.
 * @throws DomainError `temporary-reduced-capacity` when it has none after 3 s
 */
export async function untilDone<T>(pace: Pace, attempt: () => Promise<T | undefined>): Promise<T> {
  const until = pace.now() + patienceMs;
  do {
    const result = await attempt();
    if (result !== undefined) return result;
    await pace.sleep(pace.random() * 40);
  } while (pace.now() < until);
  throw new DomainError('temporary-reduced-capacity', 'The stock is in great demand. Please try again.');
}
