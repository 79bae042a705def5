import { afterEach, expect, it, vi } from 'vitest';
import { checkExport } from '../../../functions/finance/app/check-export.ts';
import { count } from '../../../functions/kernel/log.ts';

vi.mock('../../../functions/kernel/log.ts', () => ({ log: { error: vi.fn() }, count: vi.fn() }));
afterEach(() => vi.clearAllMocks());

// 06:00 in Seoul on the 22nd.
const due = { time: '2026-11-21T21:00:00.000Z' };
const check = (...keys: string[]) =>
  checkExport({
    timeZone: 'Asia/Seoul',
    read: async (key) => (keys.includes(key) ? new Uint8Array(1) : undefined),
  });

it('says 0 when the business date that has just ended has a manifest', async () => {
  expect(await check('exports/2026-11-21/manifest.json')(due)).toEqual({ date: '2026-11-21', missed: false });
  expect(count).toHaveBeenCalledExactlyOnceWith('ExportMissed', 0);
});

it.each([[[]], [['exports/2026-11-20/manifest.json', 'exports/2026-11-21/journal.csv']]])(
  'says 1 when the bucket holds %o',
  async (keys) => {
    expect(await check(...keys)(due)).toEqual({ date: '2026-11-21', missed: true });
    expect(count).toHaveBeenCalledExactlyOnceWith('ExportMissed', 1);
  },
);
