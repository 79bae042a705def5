import type { MinuteMetrics, Statistic } from './metrics.ts';
import { AwsError, type Caller, type Runtime, type Service } from './types.ts';

const statistics = new Set(['Sum', 'Maximum', 'Average', 'SampleCount']);

/**
 * CloudWatch, as far as reading goes: `GetMetricData` of the metrics that this cloud measures. What it does not
 * measure is refused, lest somebody take silence for quiet.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
 */
export function createCloudWatch(runtime: Runtime, metrics: MinuteMetrics): Service {
  /** Seconds that the oldest message of a queue has waited. AWS reports it once a minute; here it is that of now. */
  async function queueAge(queue: string): Promise<number> {
    const { items } = await runtime.call('sqs', 'ListQueueAges', {}, { kind: 'operator' });
    const found = items.find(({ name }: { name: string }) => name === queue);
    return metrics.age(found?.oldestSeconds ?? 0);
  }

  /** How many messages of a queue can be received: at the end of each minute on AWS, now here. */
  async function queueDepth(queue: string): Promise<number> {
    const { items } = await runtime.call('sqs', 'ListQueueDepths', {}, { kind: 'operator' });
    return items.find(({ name }: { name: string }) => name === queue)?.visible ?? 0;
  }

  async function valuesOf(query: any, from: number, to: number) {
    const { Metric, Period, Stat } = query.MetricStat ?? {};
    if (!Metric || Period !== 60 || !statistics.has(Stat))
      throw new AwsError('InvalidParameterValue', 'Only statistics of a metric by the minute are emulated.');
    const dimensions: Record<string, string> = Object.fromEntries(
      (Metric.Dimensions ?? []).map(({ Name, Value }: any) => [Name, Value]),
    );
    if (!isMeasured(Metric, dimensions))
      throw new AwsError(
        'InvalidParameterValue',
        `${Metric.Namespace} ${Metric.MetricName} is not measured by the embedded cloud.`,
      );
    if (Metric.MetricName === 'ApproximateAgeOfOldestMessage') {
      return [{ at: to, value: await queueAge(dimensions.QueueName ?? '') }];
    }
    if (Metric.MetricName === 'ApproximateNumberOfMessagesVisible') {
      return [{ at: to, value: await queueDepth(dimensions.QueueName ?? '') }];
    }
    const metric = { namespace: Metric.Namespace, name: Metric.MetricName, dimensions };
    return metrics.read(metric, Stat as Statistic, from, to);
  }

  async function getMetricData(input: any) {
    const [from, to] = [Number(input.StartTime) * 1_000, Number(input.EndTime) * 1_000];
    if (!(from < to)) throw new AwsError('ValidationError', 'StartTime must be less than EndTime.');
    const MetricDataResults = [];
    for (const query of input.MetricDataQueries ?? []) {
      const newestFirst = await valuesOf(query, from, to);
      const values = input.ScanBy === 'TimestampAscending' ? newestFirst.toReversed() : newestFirst;
      MetricDataResults.push({
        Id: query.Id,
        Label: query.MetricStat.Metric.MetricName,
        StatusCode: 'Complete',
        Timestamps: values.map(({ at }) => at / 1_000),
        Values: values.map(({ value }) => value),
      });
    }
    return { MetricDataResults, Messages: [] };
  }

  return {
    name: 'monitoring',
    async call(operation: string, input: any, caller: Caller) {
      if (operation !== 'GetMetricData')
        throw new AwsError('UnknownOperationException', `cloudwatch:${operation} is not emulated`);
      runtime.iam.authorize(caller, 'cloudwatch:GetMetricData', '*');
      return getMetricData(input);
    },
  };
}

/** The metrics of AWS services that somebody here reports, with the dimensions that they have. */
const ofServices: Readonly<Record<string, readonly string[]>> = {
  'AWS/SQS ApproximateAgeOfOldestMessage': ['QueueName'],
  'AWS/SQS ApproximateNumberOfMessagesVisible': ['QueueName'],
  'AWS/Lambda Throttles': [],
  'AWS/DynamoDB ReadThrottleEvents': ['TableName'],
  'AWS/DynamoDB WriteThrottleEvents': ['TableName'],
  'AWS/EventBridge/Pipes ExecutionFailed': ['PipeName'],
  'AWS/EventBridge/Pipes ExecutionPartiallyFailed': ['PipeName'],
  'AWS/EventBridge/Pipes ExecutionThrottled': ['PipeName'],
};

function isMeasured(metric: { Namespace: string; MetricName: string }, dimensions: object): boolean {
  if (!metric.Namespace.startsWith('AWS/')) return true;
  const names = ofServices[`${metric.Namespace} ${metric.MetricName}`];
  return names?.join() === Object.keys(dimensions).join();
}
