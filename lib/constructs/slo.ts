import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  AlarmRule,
  AlarmState,
  ComparisonOperator,
  CompositeAlarm,
  MathExpression,
  type Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { description, type Runbook } from './watch.ts';

/**
 * How fast the error budget of 30 days burns, over which windows: 14.4 times is 2 % of it in an hour, 6 times is 5 %
 * in six hours, and 1 time is all of it in the end. The short window makes an alarm end soon after its cause has.
 * Source: The Site Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".
 */
const pages = [
  { id: 'Fast', burn: 14.4, long: Duration.hours(1), short: Duration.minutes(5) },
  { id: 'Slow', burn: 6, long: Duration.hours(6), short: Duration.minutes(30) },
] as const;
const trend = { id: 'Trend', burn: 1, window: Duration.days(3) } as const;

export interface SloProps {
  /** What is promised, for people: "orders are accepted". */
  readonly name: string;
  /** The share of good occasions, below 1: 0.999. */
  readonly objective: number;
  /** Bad occasions in a period. */
  readonly bad: Metric;
  /** All occasions in a period. */
  readonly total: Metric;
  /** Fewer bad ones than this in a window wake nobody, whatever their share; 1 unless told. */
  readonly fewest?: number;
  readonly runbook: Runbook;
  readonly topic: ITopic;
}

/**
 * A service level objective: alarms on the rate at which its error budget burns. Two pages, each of a long and a
 * short window that must both burn, and one trend. Without occasions nothing burns.
 */
export class Slo extends Construct {
  constructor(scope: Construct, id: string, props: SloProps) {
    super(scope, id);
    const { name, runbook, topic } = props;
    for (const { id: page, burn, long, short } of pages) {
      const windows = [long, short].map((window, index) =>
        burnAlarm(this, `${page}${index === 0 ? 'Long' : 'Short'}`, props, burn, window),
      );
      const composite = new CompositeAlarm(this, page, {
        alarmRule: AlarmRule.allOf(...windows.map((one) => AlarmRule.fromAlarm(one, AlarmState.ALARM))),
        alarmDescription: description(
          `${name}: the error budget burns ${burn} times too fast over ${long.toHumanString()} and still does.`,
          runbook,
        ),
      });
      composite.addAlarmAction(new SnsAction(topic));
      composite.addOkAction(new SnsAction(topic));
    }
    const slow = burnAlarm(this, trend.id, props, trend.burn, trend.window);
    slow.addAlarmAction(new SnsAction(topic));
    slow.addOkAction(new SnsAction(topic));
  }
}

/** The share of bad occasions in a window, from 0 to 1; no value where there was no occasion. */
function badShare({ bad, total, fewest = 1, name }: SloProps, window: Duration): MathExpression {
  return new MathExpression({
    expression: `IF(FILL(bad, 0) >= ${fewest}, FILL(bad, 0) / total, 0)`,
    usingMetrics: { bad: bad.with({ period: window }), total: total.with({ period: window }) },
    period: window,
    label: `${name}: share that was not`,
  });
}

function burnAlarm(scope: Construct, id: string, props: SloProps, burn: number, window: Duration): Alarm {
  return new Alarm(scope, id, {
    metric: badShare(props, window),
    threshold: Number((burn * (1 - props.objective)).toPrecision(6)),
    comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    evaluationPeriods: 1,
    treatMissingData: TreatMissingData.NOT_BREACHING,
    alarmDescription: description(
      `${props.name}: burns at least ${burn} times its error budget over ${window.toHumanString()}.`,
      props.runbook,
    ),
  });
}
