import type { Caller } from './caller.ts';
import { accessTokenSeconds } from './contract.ts';

/** What ended before its access tokens do: one session, or all that an account had until then. */
export type Ended = { readonly session: string } | { readonly customer: string };

/** An ending as it is stored: what, and when in milliseconds since the epoch. */
export interface Ending {
  readonly ended: Ended;
  readonly at: number;
}

/** Milliseconds by which clocks may differ, and by which an ending may be seen after a later one. */
const slack = 60_000;

/** The endings of the last hour, as one environment knows them: no token is older. */
export class EndedSessions {
  readonly #sessions = new Map<string, number>();
  readonly #customers = new Map<string, number>();
  /** The time of the last one. */
  #last = 0;

  /** From when on endings are still to be read. */
  since(now: number): number {
    return Math.max(this.#last - slack, now - accessTokenSeconds * 1_000 - slack);
  }

  add(endings: readonly Ending[], now: number): void {
    for (const { ended, at } of endings) {
      const [known, id] =
        'session' in ended ? [this.#sessions, ended.session] : [this.#customers, ended.customer];
      known.set(id, Math.max(at, known.get(id) ?? 0));
      this.#last = Math.max(at, this.#last);
    }
    const forgotten = now - accessTokenSeconds * 1_000 - slack;
    for (const known of [this.#sessions, this.#customers]) {
      for (const [id, at] of known) if (at < forgotten) known.delete(id);
    }
  }

  /** Whether the caller's token is of a session that has ended. Tokens tell their time in whole seconds. */
  has({ customerId, session }: Caller): boolean {
    const ended = this.#customers.get(customerId);
    return this.#sessions.has(session.id) || (ended !== undefined && session.issuedAt * 1_000 <= ended);
  }
}
