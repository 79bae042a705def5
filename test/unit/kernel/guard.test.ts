import { beforeEach, expect, it, vi } from 'vitest';
import { Guard } from '../../../functions/kernel/guard.ts';
import { readEndings, readPressure } from '../../../functions/kernel/limits-table.ts';

vi.mock('../../../functions/kernel/log.ts', () => ({ log: { warn: vi.fn() }, count: vi.fn() }));
vi.mock('../../../functions/kernel/limits-table.ts');

const pressure = vi.mocked(readPressure);
const endings = vi.mocked(readEndings);

const noon = Date.UTC(2026, 5, 1, 12);
const session = { id: 'session-1', issuedAt: noon / 1000 - 60 };
const admit = (guard: Guard, now: number) =>
  guard.admit(
    { priority: 'order' },
    { caller: { customerId: 'customer-1', groups: [], session }, sourceIp: '192.0.2.1', headers: {} },
    now,
  );
const ended = expect.objectContaining({ code: 'unauthorized' });

beforeEach(() => {
  vi.stubEnv('LIMITS_TABLE', 'limits');
  vi.stubEnv('TOKEN_CLIENT_ID', 'client-1');
  pressure.mockReset().mockResolvedValue({ endings: { count: 1, at: noon } });
  endings.mockReset().mockResolvedValue([{ ended: { session: session.id }, at: noon }]);
});

it('refuses a session that has ended, and asks no more than every five seconds', async () => {
  const guard = new Guard();
  await expect(admit(guard, noon)).rejects.toEqual(ended);
  await expect(admit(guard, noon + 4_999)).rejects.toEqual(ended);
  expect(pressure).toHaveBeenCalledTimes(1);
  await expect(admit(guard, noon + 5_000)).rejects.toEqual(ended);
  expect(pressure).toHaveBeenCalledTimes(2);
  // Nothing has ended since.
  expect(endings).toHaveBeenCalledTimes(1);
});

it('gives the first look of an environment more time than the others', async () => {
  const guard = new Guard();
  await expect(admit(guard, noon)).rejects.toEqual(ended);
  pressure.mockResolvedValue({ endings: { count: 2, at: noon } });
  await expect(admit(guard, noon + 5_000)).rejects.toEqual(ended);
  const limitOf = ([, within]: readonly unknown[]) => within;
  const first = limitOf(pressure.mock.calls[0]!);
  expect(first).toBeGreaterThan(300);
  expect(limitOf(pressure.mock.calls[1]!)).toBeUndefined();
  expect(endings.mock.calls.map(([, , within]) => within)).toEqual([first, undefined]);
});

it('lets in while nobody answers, and looks again after a second', async () => {
  const guard = new Guard();
  pressure.mockRejectedValueOnce(new Error('away'));
  await expect(admit(guard, noon)).resolves.toBeDefined();
  await expect(admit(guard, noon + 999)).resolves.toBeDefined();
  endings.mockRejectedValueOnce(new Error('away'));
  await expect(admit(guard, noon + 1_000)).resolves.toBeDefined();
  await expect(admit(guard, noon + 2_000)).rejects.toEqual(ended);
  expect(pressure).toHaveBeenCalledTimes(3);
});
