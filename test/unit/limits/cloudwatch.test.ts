import { afterEach, expect, it, vi } from 'vitest';
import { cloudWatchReadings } from '../../../functions/limits/adapters/cloudwatch.ts';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});

/** Readings where CloudWatch has these newest values, and nothing else. */
function readings(values: Readonly<Record<string, number>>) {
  const env = { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  vi.stubGlobal('fetch', async (_url: URL, { body }: { body: string }) => {
    const { MetricDataQueries } = JSON.parse(body);
    return Response.json({
      MetricDataResults: MetricDataQueries.flatMap(({ Id, MetricStat }: any) => {
        const value = values[MetricStat.Metric.MetricName];
        return value === undefined ? [] : [{ Id, Values: [value] }];
      }),
    });
  });
  const measured = {
    namespace: 'Floodgate/test',
    checkoutQueue: 'checkout',
    orderPipe: 'pipe',
    tables: ['o'],
  };
  return cloudWatchReadings(measured, () => 0)();
}

it('says how long payments wait for the provider', async () => {
  const waiting = { ApproximateAgeOfOldestMessage: 200, ApproximateNumberOfMessagesVisible: 500 };
  expect(await readings(waiting)).toMatchObject({ paymentAge: 200 });
});

it('does not take a payment that comes back for one that waits', async () => {
  const comesBack = { ApproximateAgeOfOldestMessage: 150, ApproximateNumberOfMessagesVisible: 1 };
  expect(await readings(comesBack)).toMatchObject({ paymentAge: 0 });
  expect(await readings({ ApproximateAgeOfOldestMessage: 150 })).toMatchObject({ paymentAge: 0 });
});

it('does not take a few old events for an outbox that is behind', async () => {
  expect(await readings({ DeliverySeconds: 9 })).toMatchObject({ eventAge: 0 });
  expect(await readings({ DeliverySeconds: 90 })).toMatchObject({ eventAge: 90 });
});
