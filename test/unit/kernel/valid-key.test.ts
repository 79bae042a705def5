import { describe, expect, it } from 'vitest';
import { isValidKey, type ValidTexts, withValidKey } from '../../../functions/kernel/valid-key.ts';

/** A secret of two versions, read by somebody whose knowledge may be some milliseconds old. */
function secretOf(first: string) {
  const texts = [first];
  let now = 0;
  return {
    put: (text: string) => {
      texts.unshift(text);
    },
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
    reader(trustedFor = 5 * 60_000): ValidTexts {
      let read: { at: number; known: readonly string[] } | undefined;
      return async (maxAge = trustedFor) => {
        if (!read || now - read.at > maxAge) read = { at: now, known: texts.slice(0, 2) };
        return read.known;
      };
    },
  };
}

/** Answers 401 to a key that is not valid, as the provider does. */
function guardedBy(valid: ValidTexts) {
  const seen: string[] = [];
  return {
    seen,
    send: async (key: string) => {
      seen.push(key);
      return new Response(null, { status: (await isValidKey(valid, key)) ? 200 : 401 });
    },
  };
}

describe('while a key is rotated', () => {
  it.each([
    ['right away', [], [0]],
    ['once the caller knows it', ['caller'], [0]],
    ['once the provider knows it', ['provider'], [0]],
    ['once both do', ['caller', 'provider'], [0]],
    ['twice within the caller’s knowledge, apart by more than the provider’s', [], [0, 11_000]],
  ])('no request fails: %s', async (_, readers, rotations) => {
    const secret = secretOf('k0');
    const [caller, provider] = [secret.reader(), secret.reader()];
    await caller();
    await provider();
    const { send } = guardedBy(provider);
    const statuses: number[] = [];
    for (const [index, wait] of rotations.entries()) {
      secret.pass(wait);
      secret.put(`k${index + 1}`);
      if (readers.includes('caller')) await caller(-1);
      if (readers.includes('provider')) await provider(-1);
      for (const after of [0, 1_000, 11_000]) {
        secret.pass(after);
        statuses.push((await withValidKey(caller, send)).status);
      }
    }
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it('holds under load, whatever each environment knows', async () => {
    const secret = secretOf('k0');
    const callers = Array.from({ length: 8 }, () => secret.reader());
    const providers = Array.from({ length: 8 }, () => secret.reader());
    const statuses: number[] = [];
    let seed = 1;
    const random = (count: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % count;
    };
    const load = async (requests: number) => {
      await Promise.all(
        Array.from({ length: requests }, async () => {
          const { send } = guardedBy(providers[random(8)]!);
          statuses.push((await withValidKey(callers[random(8)]!, send)).status);
        }),
      );
    };
    for (let round = 1; round <= 20; round++) {
      const loaded = load(100);
      secret.put(`k${round}`);
      await loaded;
      await load(50);
      secret.pass(random(2) === 0 ? 11_000 : 20 * 60_000);
    }
    expect(statuses).toHaveLength(3_000);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
  });

  it('the newest key is used, and the one before only where it is refused', async () => {
    const secret = secretOf('k0');
    secret.put('k1');
    const { send, seen } = guardedBy(secret.reader());
    await withValidKey(secret.reader(), send);
    expect(seen).toEqual(['k1']);
  });
});

it('a key that is nobody’s is refused, and each key is tried once', async () => {
  const { send, seen } = guardedBy(secretOf('theirs').reader());
  const ours = secretOf('k0');
  ours.put('k1');
  expect((await withValidKey(ours.reader(), send)).status).toBe(401);
  expect(seen).toEqual(['k1', 'k0']);
});

it.each(['', 'k', 'k00', 'k1', 'undefined'])('does not take "%s" for the key', async (given) => {
  expect(await isValidKey(secretOf('k0').reader(), given)).toBe(false);
});

it('another refusal than 401 is an answer: what was done is not done again', async () => {
  const secret = secretOf('k0');
  secret.put('k1');
  const seen: string[] = [];
  const { status } = await withValidKey(secret.reader(), async (key) => {
    seen.push(key);
    return new Response(null, { status: 503 });
  });
  expect([status, seen]).toEqual([503, ['k1']]);
});
