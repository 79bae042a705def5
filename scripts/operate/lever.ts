import type { Deployment } from './deployment.ts';

/**
 * One thing that operators can do. A lever first looks and says what it would do (`plan`); only `--go` does it. Every
 * run leaves records that are only ever added (`audit.ts`): what was asked, by whom, and what came of it.
 */
export interface Lever {
  /** What it does, in one line. */
  readonly summary: string;
  /** Its arguments, as `--help` shows them. */
  readonly usage: string;
  /**
   * Looks without changing anything.
   * @param args what stands behind the lever's name, without the options of `operate` itself
   * @throws UsageError when the arguments are not understood
   */
  plan(deployment: Deployment, args: readonly string[]): Promise<Plan>;
}

export interface Plan {
  /** What was found and what `go` would do, line by line. */
  readonly says: readonly string[];
  /** Does it, and answers what came of it. Left out when there is nothing to do. */
  readonly go?: () => Promise<readonly string[]>;
}

/** Arguments that a lever does not understand; shown with its usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
