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

/** A page of `docs/runbooks/` and the heading in it, as a link has them. A test looks both up. */
export type Runbook = `${string}.md#${string}`;

/** What an alarm says: what is wrong, the first thing that a woken operator reads, and where to go on. */
export function description(meaning: string, runbook: Runbook): string {
  return `${meaning} Runbook: docs/runbooks/${runbook}`;
}

/** An alarm as this system has them: silence is good, and someone is told of both turns. */
export class Watch extends Construct {
  constructor(
    scope: Construct,
    id: string,
    props: {
      readonly metric: IMetric;
      /** Alarms above this value. */
      readonly above: number;
      /** Periods in a row, of a minute unless the metric says otherwise; 1 unless told. */
      readonly minutes?: number;
      readonly meaning: string;
      readonly runbook: Runbook;
      readonly topic: ITopic;
      /** The metric is a check's report: the alarm stays as it is until the next one. */
      readonly untilToldOtherwise?: boolean;
    },
  ) {
    super(scope, id);
    const alarm = new Alarm(this, 'Alarm', {
      metric: props.metric,
      threshold: props.above,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: props.minutes ?? 1,
      treatMissingData: props.untilToldOtherwise ? TreatMissingData.IGNORE : TreatMissingData.NOT_BREACHING,
      alarmDescription: description(props.meaning, props.runbook),
    });
    alarm.addAlarmAction(new SnsAction(props.topic));
    alarm.addOkAction(new SnsAction(props.topic));
  }
}

/** Alarms when the oldest message has waited longer than `seconds`. */
export function watchAge(
  queue: IQueue,
  seconds: number,
  meaning: string,
  runbook: Runbook,
  topic: ITopic,
): void {
  const metric = queue.metricApproximateAgeOfOldestMessage({ period, statistic: 'Maximum' });
  const id = `${queue.node.id}Age`;
  new Watch(queue.node.scope as Construct, id, { metric, above: seconds, meaning, runbook, topic });
}

/** Alarms on the first message: in a dead-letter queue every one is work for a person. */
export function watchDepth(queue: IQueue, meaning: string, runbook: Runbook, topic: ITopic): void {
  const metric = queue.metricApproximateNumberOfMessagesVisible({ period, statistic: 'Maximum' });
  const id = `${queue.node.id}Depth`;
  new Watch(queue.node.scope as Construct, id, { metric, above: 0, meaning, runbook, topic });
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
    runbook: 'function-failing.md#a-function-fails-or-is-throttled',
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
