import { beforeEach, describe, expect, it } from 'vitest';
import { createCloudWatch } from '../../local/cloudwatch.ts';
import { MinuteMetrics } from '../../local/metrics.ts';
import type { Service } from '../../local/types.ts';
import { type FakeRuntime, fakeRuntime } from './support/runtime.ts';

const operator = { kind: 'operator' } as const;
let runtime: FakeRuntime;
let metrics: MinuteMetrics;
let cloudWatch: Service;
let oldestSeconds = 0;

beforeEach(() => {
  runtime = fakeRuntime();
  metrics = new MinuteMetrics(runtime.clock);
  cloudWatch = createCloudWatch(runtime, metrics);
  oldestSeconds = 0;
  runtime.answer('sqs', () => ({ items: [{ name: 'checkout', oldestSeconds, visible: 12 }] }));
});

async function read(
  Namespace: string,
  MetricName: string,
  Stat: string,
  dimensions: Record<string, string> = {},
): Promise<readonly number[]> {
  const now = runtime.clock.now() / 1_000;
  const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
  const Metric = { Namespace, MetricName, Dimensions };
  const { MetricDataResults } = await cloudWatch.call(
    'GetMetricData',
    {
      StartTime: now - 300,
      EndTime: now + 60,
      MetricDataQueries: [{ Id: 'one', MetricStat: { Metric, Period: 60, Stat } }],
    },
    operator,
  );
  return MetricDataResults[0].Values;
}

describe('GetMetricData', () => {
  it('adds up by the minute, the newest first', async () => {
    const table = { TableName: 'orders' };
    metrics.add('AWS/DynamoDB', 'WriteThrottleEvents', table, 2);
    metrics.add('AWS/DynamoDB', 'WriteThrottleEvents', table, 4);
    await runtime.clock.advance(60_000);
    metrics.add('AWS/DynamoDB', 'WriteThrottleEvents', table);
    expect(await read('AWS/DynamoDB', 'WriteThrottleEvents', 'Sum', table)).toEqual([1, 6]);
    expect(await read('AWS/DynamoDB', 'WriteThrottleEvents', 'Maximum', table)).toEqual([1, 4]);
    expect(await read('AWS/DynamoDB', 'WriteThrottleEvents', 'Average', table)).toEqual([1, 3]);
    expect(await read('AWS/DynamoDB', 'WriteThrottleEvents', 'SampleCount', table)).toEqual([1, 2]);
    expect(await read('AWS/DynamoDB', 'WriteThrottleEvents', 'Sum', { TableName: 'carts' })).toEqual([]);
  });

  it('knows what functions print in the embedded metric format', async () => {
    const _aws = {
      Timestamp: 0,
      CloudWatchMetrics: [
        { Namespace: 'Floodgate/local', Dimensions: [[]], Metrics: [{ Name: 'ShedRequests' }] },
      ],
    };
    metrics.addPrinted(`no metric\n${JSON.stringify({ ShedRequests: [2, 3], _aws })}\n{"_aws" is no JSON`);
    expect(await read('Floodgate/local', 'ShedRequests', 'Sum')).toEqual([5]);
  });

  it('tells how old the oldest message is, without what moving the clock has added', async () => {
    oldestSeconds = 40;
    const queue = { QueueName: 'checkout' };
    expect(await read('AWS/SQS', 'ApproximateAgeOfOldestMessage', 'Maximum', queue)).toEqual([40]);
    await runtime.clock.advance(3_600_000);
    oldestSeconds = 3_640;
    expect(await read('AWS/SQS', 'ApproximateAgeOfOldestMessage', 'Maximum', queue)).toEqual([0]);
  });

  it('tells how many messages wait', async () => {
    const queue = { QueueName: 'checkout' };
    expect(await read('AWS/SQS', 'ApproximateNumberOfMessagesVisible', 'Maximum', queue)).toEqual([12]);
  });

  it('refuses what it does not measure, rather than to say that nothing happens', async () => {
    await expect(read('AWS/Lambda', 'Duration', 'Average')).rejects.toThrow(/not measured/);
    await expect(read('AWS/Lambda', 'Throttles', 'p99')).rejects.toThrow(/by the minute/);
    await expect(read('AWS/Lambda', 'Throttles', 'Sum', { FunctionName: 'one' })).rejects.toThrow(
      /not measured/,
    );
  });

  it('is for those who may', async () => {
    runtime.denied.add('cloudwatch:GetMetricData *');
    const input = { StartTime: 0, EndTime: 60, MetricDataQueries: [] };
    const caller = { kind: 'role', roleArn: 'arn:aws:iam::1:role/one' } as const;
    await expect(cloudWatch.call('GetMetricData', input, caller)).rejects.toThrow();
  });
});
