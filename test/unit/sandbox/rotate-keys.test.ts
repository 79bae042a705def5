import { describe, expect, it } from 'vitest';
import { rotateKeys } from '../../../functions/sandbox/app/rotate-keys.ts';

const time = '2026-11-25T00:00:00Z';

function vault(failing: readonly string[] = []) {
  const versions = new Map<string, string>();
  const broken = new Set(failing);
  let made = 0;
  return {
    versions,
    heal: () => broken.clear(),
    rotate: rotateKeys({
      secrets: ['arn:a', 'arn:b'],
      put: async (arn, version, text) => {
        if (broken.has(arn)) throw new Error('not now');
        const key = `${arn} ${version}`;
        if (!versions.has(key)) versions.set(key, text);
      },
      newKey: () => `key-${++made}`,
    }),
  };
}

describe('rotating the keys', () => {
  it('gives each secret a text of its own', async () => {
    const { rotate, versions } = vault();
    expect(await rotate({ time })).toEqual({ rotated: 2 });
    expect([...versions.values()]).toEqual(['key-1', 'key-2']);
    for (const key of versions.keys()) expect(key).toMatch(/^arn:[ab] [0-9a-f]{64}$/);
  });

  it('that failed half-way puts nothing twice when it comes again, but does the next time', async () => {
    const { rotate, versions, heal } = vault(['arn:b']);
    await expect(rotate({ time })).rejects.toThrow();
    heal();
    await rotate({ time });
    expect(versions.size).toBe(2);
    expect([...versions.values()][0]).toBe('key-1');
    await rotate({ time: '2026-12-25T00:00:00Z' });
    expect(versions.size).toBe(4);
  });

  it('needs to know which run it is', async () => {
    await expect(vault().rotate({})).rejects.toThrow();
  });
});
