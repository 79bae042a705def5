import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { count, measure, trail } from '../../../functions/kernel/log.ts';

const written = vi.spyOn(process.stdout, 'write');
const lines = () => written.mock.calls.map(([text]) => JSON.parse(String(text)));

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 });
  vi.stubEnv('METRICS_NAMESPACE', 'Floodgate/test');
  written.mockReset().mockReturnValue(true);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

describe('metrics', () => {
  it('stand in one line of the embedded metric format, with one dimension, beside fields for people', () => {
    measure({ DeliverySeconds: [0.5, 61], DeliveredLate: [0, 1] }, { took: ['evt_1'] });
    expect(lines()).toEqual([
      {
        service: 'floodgate',
        took: ['evt_1'],
        DeliverySeconds: [0.5, 61],
        DeliveredLate: [0, 1],
        _aws: {
          Timestamp: 1_700_000_000_000,
          CloudWatchMetrics: [
            {
              Namespace: 'Floodgate/test',
              Dimensions: [['service']],
              Metrics: [
                { Name: 'DeliverySeconds', Unit: 'Seconds' },
                { Name: 'DeliveredLate', Unit: 'Count' },
              ],
            },
          ],
        },
      },
    ]);
  });

  it('tell a zero, which ends an alarm', () => {
    count('UnknownAttempts', 0);
    expect(lines()).toMatchObject([{ UnknownAttempts: 0 }]);
  });

  it('cost fewer than 400 bytes for an event', () => {
    measure(
      { DeliverySeconds: [0.123], DeliveredLate: [0] },
      {
        took: [{ id: 'evt_0123456789abcdefghijklmnop-12', trace: 'f'.repeat(32) }],
      },
    );
    expect(String(written.mock.calls[0]![0]).length).toBeLessThan(400);
  });
});

it('a trail is one line that begins with what was done', () => {
  trail('answered', { route: 'placeOrder', status: 201, trace: 'f'.repeat(32) });
  expect(lines()).toEqual([
    { trail: 'answered', at: 1_700_000_000_000, route: 'placeOrder', status: 201, trace: 'f'.repeat(32) },
  ]);
});
