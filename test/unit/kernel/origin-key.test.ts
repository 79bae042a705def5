import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { requireOriginKey } from '../../../functions/kernel/origin-key.ts';

/** The texts of the secret; undefined and it cannot be read. */
const held = vi.hoisted(() => ({
  texts: undefined as readonly string[] | undefined,
  /** What an older reading said; answered to whoever lets it be old. */
  known: undefined as readonly string[] | undefined,
  reads: 0,
}));
vi.mock('../../../functions/kernel/secret.ts', () => ({
  rotatedSecret: () => ({
    valid: async (maxAge?: number) => {
      held.reads++;
      if (held.known && maxAge === undefined) return held.known;
      if (!held.texts) throw new Error('denied');
      return held.texts;
    },
  }),
}));
vi.mock('../../../functions/kernel/log.ts', () => ({ log: { error: vi.fn() } }));

beforeEach(() => {
  held.reads = 0;
  held.known = undefined;
  vi.stubEnv('ORIGIN_KEY_SECRET_ARN', 'arn:key');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

it.each(['new', 'old'])('lets in who says the %s key', async (key) => {
  held.texts = ['new', 'old'];
  await expect(requireOriginKey({ 'x-origin-key': key })).resolves.toBeUndefined();
});

it.each([[undefined], [''], ['ne'], ['new '], ['new,old']])('lets nobody in who says %s', async (key) => {
  held.texts = ['new', 'old'];
  await expect(requireOriginKey(key === undefined ? {} : { 'x-origin-key': key })).rejects.toMatchObject({
    code: 'forbidden',
  });
});

it('lets in who says a key that was put a moment ago', async () => {
  held.known = ['old'];
  held.texts = ['new', 'old'];
  await expect(requireOriginKey({ 'x-origin-key': 'new' })).resolves.toBeUndefined();
});

it('lets nobody in while it does not know the key', async () => {
  held.texts = undefined;
  await expect(requireOriginKey({ 'x-origin-key': 'new' })).rejects.toMatchObject({
    code: 'temporary-reduced-capacity',
  });
});

it('asks for nothing in a stage without an edge', async () => {
  vi.stubEnv('ORIGIN_KEY_SECRET_ARN', undefined);
  await expect(requireOriginKey({})).resolves.toBeUndefined();
  expect(held.reads).toBe(0);
});
