import { describe, expect, it } from 'vitest';
import { accessTokenSeconds } from '../../../functions/kernel/contract.ts';
import { EndedSessions } from '../../../functions/kernel/ended-sessions.ts';

const now = Date.parse('2026-11-26T10:00:00.500Z');
const caller = (id = 'one', issuedAt = now / 1_000 - 60, customerId = 'ann') => ({
  customerId,
  groups: [],
  session: { id, issuedAt: Math.floor(issuedAt) },
});
const known = (...endings: Parameters<EndedSessions['add']>[0]) => {
  const ended = new EndedSessions();
  ended.add(endings, now);
  return ended;
};

describe('sessions that have ended', () => {
  it('are nobody’s to begin with', () => {
    expect(new EndedSessions().has(caller())).toBe(false);
  });

  it('are the one that was ended, and no other of the account', () => {
    const ended = known({ ended: { session: 'one' }, at: now });
    expect(ended.has(caller('one'))).toBe(true);
    expect(ended.has(caller('two'))).toBe(false);
  });

  it('are all of an account’s tokens from before, and none that it gets afterwards', () => {
    const ended = known({ ended: { customer: 'ann' }, at: now });
    expect(ended.has(caller('one'))).toBe(true);
    // Made in the same second: nobody can tell before from after.
    expect(ended.has(caller('one', now / 1_000))).toBe(true);
    expect(ended.has(caller('two', now / 1_000 + 1))).toBe(false);
    expect(ended.has(caller('one', now / 1_000 - 60, 'bob'))).toBe(false);
  });

  it('keep the later of two endings, whichever comes first', () => {
    const ended = known(
      { ended: { customer: 'ann' }, at: now },
      { ended: { customer: 'ann' }, at: now - 90_000 },
    );
    expect(ended.has(caller())).toBe(true);
  });

  it('are remembered for as long as a token lasts, and then forgotten', () => {
    const ended = known({ ended: { session: 'one' }, at: now });
    ended.add([], now + accessTokenSeconds * 1_000);
    expect(ended.has(caller())).toBe(true);
    ended.add([], now + accessTokenSeconds * 1_000 + 60_001);
    expect(ended.has(caller())).toBe(false);
  });

  it('are read again from a minute before the last that is known, as endings may be seen out of order', () => {
    expect(new EndedSessions().since(now)).toBe(now - accessTokenSeconds * 1_000 - 60_000);
    expect(known({ ended: { session: 'one' }, at: now - 5_000 }).since(now)).toBe(now - 65_000);
  });
});
