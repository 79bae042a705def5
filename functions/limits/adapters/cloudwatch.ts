import { endpointFromEnvironment, refusalOf, sendSigned } from '../../kernel/aws-request.ts';
import type { Now } from '../../kernel/clock.ts';
import { objectiveMetrics } from '../../kernel/metrics.ts';
import type { Readings } from '../domain/level.ts';

interface Measured {
  /** Of the store's own metrics. */
  readonly namespace: string;
  readonly checkoutQueue: string;
  readonly orderPipe: string;
  readonly tables: readonly string[];
}

interface Query {
  readonly of: keyof Readings | 'events' | 'waiting';
  readonly namespace: string;
  readonly metric: string;
  readonly statistic: 'Sum' | 'Maximum' | 'Average' | 'SampleCount';
  readonly dimensions?: Readonly<Record<string, string>>;
}

/** Fewer events than that in a minute may be a few old ones that the auditor has sent again. */
const fewestEvents = 10;

/**
 * Fewer payments than that in the queue are those that come back: one that the provider does not answer grows minutes
 * old there, and keeps nobody else waiting.
 */
const fewestWaiting = 10;

/** Metrics of AWS services come a minute at a time, and one to two minutes late: the last three are looked at. */
const minutes = 3;
/** Milliseconds. */
const answerWithin = 5_000;

/** One GetMetricData for everything that presses. A metric without data says 0: services report nothing when nothing happens. */
export function cloudWatchReadings(measured: Measured, now: Now): () => Promise<Readings> {
  const queries = queriesOf(measured);
  return async () => {
    const values = await newest(queries, now());
    const sum = (of: Query['of']) =>
      queries.reduce((total, query, index) => (query.of === of ? total + values[index]! : total), 0);
    return {
      paymentAge: sum('waiting') >= fewestWaiting ? sum('paymentAge') : 0,
      eventAge: sum('events') >= fewestEvents ? sum('eventAge') : 0,
      tableThrottles: sum('tableThrottles'),
      functionThrottles: sum('functionThrottles'),
      pipeFailures: sum('pipeFailures'),
    };
  };
}

function queriesOf({ namespace, checkoutQueue, orderPipe, tables }: Measured): readonly Query[] {
  const queue = {
    namespace: 'AWS/SQS',
    statistic: 'Maximum',
    dimensions: { QueueName: checkoutQueue },
  } as const;
  const event = { namespace, metric: objectiveMetrics.deliverySeconds };
  const pipe = {
    of: 'pipeFailures',
    namespace: 'AWS/EventBridge/Pipes',
    dimensions: { PipeName: orderPipe },
  } as const;
  return [
    { ...queue, of: 'paymentAge', metric: 'ApproximateAgeOfOldestMessage' },
    { ...queue, of: 'waiting', metric: 'ApproximateNumberOfMessagesVisible' },
    { of: 'eventAge', ...event, statistic: 'Average' },
    { of: 'events', ...event, statistic: 'SampleCount' },
    { of: 'functionThrottles', namespace: 'AWS/Lambda', metric: 'Throttles', statistic: 'Sum' },
    { ...pipe, metric: 'ExecutionThrottled', statistic: 'Sum' },
    { ...pipe, metric: 'ExecutionFailed', statistic: 'Sum' },
    ...tables.flatMap((TableName) =>
      ['ReadThrottleEvents', 'WriteThrottleEvents'].map(
        (metric): Query => ({
          of: 'tableThrottles',
          namespace: 'AWS/DynamoDB',
          metric,
          statistic: 'Sum',
          dimensions: { TableName },
        }),
      ),
    ),
  ];
}

/** The newest value of each query; 0 where there is none. @throws AwsRefusal */
async function newest(queries: readonly Query[], now: number): Promise<readonly number[]> {
  const input = {
    StartTime: Math.floor(now / 60_000) * 60 - (minutes - 1) * 60,
    EndTime: Math.floor(now / 60_000) * 60 + 60,
    ScanBy: 'TimestampDescending',
    MetricDataQueries: queries.map(({ namespace, metric, statistic, dimensions = {} }, index) => ({
      Id: `m${index}`,
      MetricStat: {
        Metric: {
          Namespace: namespace,
          MetricName: metric,
          Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
        },
        Period: 60,
        Stat: statistic,
      },
    })),
  };
  const response = await sendSigned(
    {
      service: 'monitoring',
      method: 'POST',
      url: new URL(
        endpointFromEnvironment('CLOUDWATCH') ??
          `https://monitoring.${process.env.AWS_REGION}.amazonaws.com/`,
      ),
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'GraniteServiceVersion20100801.GetMetricData',
      },
      body: JSON.stringify(input),
    },
    answerWithin,
  );
  if (!response.ok) throw await refusalOf(response);
  const { MetricDataResults = [] } = (await response.json()) as {
    MetricDataResults?: readonly { Id: string; Values?: readonly number[] }[];
  };
  return queries.map((_, index) => MetricDataResults.find(({ Id }) => Id === `m${index}`)?.Values?.[0] ?? 0);
}
