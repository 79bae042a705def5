import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

const period = Duration.minutes(1);

/** An alarm as this system has them: one minute's metric, silence is good, and someone is told of both turns. */
export class Watch extends Construct {
  constructor(
    scope: Construct,
    id: string,
    props: {
      readonly metric: IMetric;
      /** Alarms above this value. */
      readonly above: number;
      /** Minutes in a row; 1 unless told. */
      readonly minutes?: number;
      /** What is wrong and where to look: the first thing that a woken operator reads. */
      readonly meaning: string;
      readonly topic: ITopic;
    },
  ) {
    super(scope, id);
    const alarm = new Alarm(this, 'Alarm', {
      metric: props.metric,
      threshold: props.above,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: props.minutes ?? 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      alarmDescription: props.meaning,
    });
    alarm.addAlarmAction(new SnsAction(props.topic));
    alarm.addOkAction(new SnsAction(props.topic));
  }
}

/** Alarms when the oldest message has waited longer than `seconds`. */
export function watchAge(queue: IQueue, seconds: number, meaning: string, topic: ITopic): void {
  const metric = queue.metricApproximateAgeOfOldestMessage({ period, statistic: 'Maximum' });
  new Watch(queue.node.scope as Construct, `${queue.node.id}Age`, { metric, above: seconds, meaning, topic });
}

/** Alarms on the first message: in a dead-letter queue every one is work for a person. */
export function watchDepth(queue: IQueue, meaning: string, topic: ITopic): void {
  const metric = queue.metricApproximateNumberOfMessagesVisible({ period, statistic: 'Maximum' });
  new Watch(queue.node.scope as Construct, `${queue.node.id}Depth`, { metric, above: 0, meaning, topic });
}

/** Alarms when a function fails or is refused capacity several minutes in a row; a single error is retried. */
export function watchFunction(fn: IFunction, scope: Construct, name: string, topic: ITopic): void {
  const metric = new MathExpression({
    expression: 'errors + throttles',
    usingMetrics: {
      errors: fn.metricErrors({ period, statistic: 'Sum' }),
      throttles: fn.metricThrottles({ period, statistic: 'Sum' }),
    },
    period,
    label: `${name} errors and throttles`,
  });
  new Watch(scope, 'Failing', {
    metric,
    above: 0,
    minutes: 3,
    meaning: `${name} fails or is throttled: read its log group.`,
    topic,
  });
}

/** A metric of an AWS service that has no construct of its own. */
export function sumOf(
  namespace: string,
  metricName: string,
  dimensionsMap: Readonly<Record<string, string>>,
): Metric {
  return new Metric({ namespace, metricName, dimensionsMap, statistic: 'Sum', period });
}
