import type { Now } from '../../kernel/clock.ts';
import type { Ending } from '../../kernel/ended-sessions.ts';
import type { HttpRequest } from '../../kernel/http.ts';
import type { signOut as contract } from '../contract.ts';

interface Ports {
  readonly now: Now;
  /** Ends the session of a refresh token; one that is of none changes nothing. */
  readonly revoke: (refreshToken: string) => Promise<void>;
  /** Ends all sessions of an account. */
  readonly revokeAll: (customerId: string) => Promise<void>;
  /** Has the access tokens that are about refused. */
  readonly end: (ending: Ending) => Promise<void>;
}

/**
 * Ends one session of the caller, or all of them.
 * 1. No refresh token gives new tokens any more.
 * 2. Those that are about are refused from now on. In this order: one that was made in between is refused as well.
 *
 * Until both are done the caller's token is good, so that whoever got no answer can ask again.
 */
export const signOut =
  (ports: Ports) =>
  async ({ body, caller }: Pick<HttpRequest<typeof contract>, 'body' | 'caller'>) => {
    if ('everywhere' in body) {
      await ports.revokeAll(caller.customerId);
      await ports.end({ ended: { customer: caller.customerId }, at: ports.now() });
    } else {
      await ports.revoke(body.refreshToken);
      await ports.end({ ended: { session: caller.session.id }, at: ports.now() });
    }
    return { status: 204 as const, body: undefined };
  };
