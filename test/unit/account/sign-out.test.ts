import { describe, expect, it } from 'vitest';
import { signOut } from '../../../functions/account/app/sign-out.ts';
import type { signOut as contract } from '../../../functions/account/contract.ts';
import type { HttpRequest } from '../../../functions/kernel/http.ts';

const caller = { customerId: 'ann', groups: [], session: { id: 'phone', issuedAt: 1_700_000_000 } };

function scene({ failing = '' } = {}) {
  const done: unknown[] = [];
  const step = (name: string) => async (what: unknown) => {
    if (name === failing) throw new Error('not now');
    done.push([name, what]);
  };
  const ports = {
    now: () => 1_700_000_100_000,
    revoke: step('revoke'),
    revokeAll: step('revokeAll'),
    end: step('end'),
  };
  const ask = (body: HttpRequest<typeof contract>['body']) => signOut(ports)({ body, caller });
  return { done, ask };
}

describe('signing out', () => {
  it('ends the session of the tokens: first what refreshes, then what is about', async () => {
    const { done, ask } = scene();
    expect(await ask({ refreshToken: 'r' })).toEqual({ status: 204 });
    expect(done).toEqual([
      ['revoke', 'r'],
      ['end', { ended: { session: 'phone' }, at: 1_700_000_100_000 }],
    ]);
  });

  it('ends all sessions of the account', async () => {
    const { done, ask } = scene();
    await ask({ everywhere: true });
    expect(done).toEqual([
      ['revokeAll', 'ann'],
      ['end', { ended: { customer: 'ann' }, at: 1_700_000_100_000 }],
    ]);
  });

  it.each(['revoke', 'end'])('is not said to be done when it is not (%s)', async (failing) => {
    const { ask } = scene({ failing });
    await expect(ask({ refreshToken: 'r' })).rejects.toThrow('not now');
  });
});
