import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { CfnSamplingRule } from 'aws-cdk-lib/aws-xray';
import type { Construct } from 'constructs';
import {
  auditMetrics,
  businessMetrics,
  defectMetrics,
  type MetricName,
  metricNamespace,
  metricService,
  objectiveMetrics,
} from '../../functions/kernel/metrics.ts';
import type { Config } from '../config.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { addDashboards, type Objectives } from '../constructs/dashboards.ts';
import { Slo } from '../constructs/slo.ts';
import { type Runbook, Watch } from '../constructs/watch.ts';
import { FloodgateStack } from './floodgate-stack.ts';

/** What each business metric above zero means. */
const business: Readonly<Record<keyof typeof businessMetrics, string>> = {
  paidWithoutOrder: 'Money was taken for which there is no paid order.',
  chargeWithoutCapture: 'An order says paid, and the provider has no capture of it.',
  stockDrift:
    'Orders have drawn or given back other units than they say, or a shard was written past them: it holds too much or too little.',
  unknownAttempts: 'The outcome of a payment attempt has been unknown for more than an hour.',
  ledgerUnbalanced: 'Debits and credits of the journal differ.',
  reconciliationDifferences: 'The journal and the provider’s settlement file differ.',
};

/** What stops nobody yet, counted over five minutes, and how much of it is worth a look. */
const defects: readonly {
  readonly name: MetricName;
  readonly above: number;
  readonly meaning: string;
  /** Told by every audit, zero included. */
  readonly reported?: true;
}[] = [
  {
    name: defectMetrics.contractViolation,
    above: 0,
    meaning: 'An answer broke its own contract: the shopper got it, a client may not read it.',
  },
  { name: defectMetrics.internalError, above: 10, meaning: 'Requests are answered 500.' },
  { name: defectMetrics.eventFailed, above: 10, meaning: 'Consumers fail on events, which come back.' },
  {
    name: defectMetrics.dropNotConducted,
    above: 0,
    meaning: 'Nobody conducts a live drop: it admits at its fallback rate.',
  },
  {
    name: auditMetrics.reemitted,
    above: 0,
    meaning: 'Events had not arrived; the auditor has sent them again.',
    reported: true,
  },
  {
    name: auditMetrics.reemissionRefused,
    above: 0,
    meaning: 'The bus does not take what the auditor sends.',
  },
  {
    name: auditMetrics.auditIncomplete,
    above: 0,
    meaning: 'Consumers have not taken in everything that orders say, or an order cannot be read.',
    reported: true,
  },
];

/** From metric filters of the access log, which give no fixed dimension. */
const countedByGateway: ReadonlySet<MetricName> = new Set([
  objectiveMetrics.orderRequests,
  objectiveMetrics.orderRequestsFailed,
]);

/**
 * Where alarms go; the service level objectives; what must be zero; and a dashboard for each role. Alarms on single
 * resources are declared beside what they watch. Everything here is found by the names in `functions/kernel/metrics.ts`.
 */
export class ObservabilityStack extends FloodgateStack {
  readonly alarms: Topic;

  constructor(scope: Construct, config: Config) {
    super(scope, 'Observability', config, 'the alarms’ topic, objectives and dashboards');
    this.alarms = this.#topic(config);
    this.#traces(config);
    const metric = (metricName: MetricName, statistic: string, period = Duration.minutes(5)) =>
      new Metric({
        namespace: metricNamespace(config.stage),
        metricName,
        ...(!countedByGateway.has(metricName) && { dimensionsMap: { service: metricService } }),
        statistic,
        period,
      });

    const objectives = this.#objectives(metric);
    for (const [key, meaning] of Object.entries(business)) {
      const metricName = businessMetrics[key as keyof typeof businessMetrics];
      new Watch(this, metricName, {
        metric: metric(metricName, 'Maximum'),
        above: 0,
        meaning,
        runbook: `business.md#${kebabCase(metricName)}` as Runbook,
        topic: this.alarms,
        untilToldOtherwise: true,
      });
    }
    for (const { name, above, meaning, reported = false } of defects) {
      new Watch(this, name, {
        metric: metric(name, 'Sum'),
        above,
        meaning,
        runbook: `defects.md#${kebabCase(name)}` as Runbook,
        topic: this.alarms,
        untilToldOtherwise: reported,
      });
    }
    addDashboards(this, config.stage, metric, objectives);
  }

  /** For this stage's functions, whose names begin with its name; X-Ray's own rule keeps 5% of everybody's. */
  #traces(config: Config): void {
    new CfnSamplingRule(this, 'Traces', {
      samplingRule: {
        ruleName: `floodgate-${config.stage}`,
        version: 1,
        priority: 100,
        fixedRate: config.tracesSampled,
        reservoirSize: 1,
        serviceName: `Floodgate-${config.stage}-*`,
        serviceType: '*',
        host: '*',
        httpMethod: '*',
        urlPath: '*',
        resourceArn: '*',
      },
    });
  }

  #topic(config: Config): Topic {
    const key = new Key(this, 'Key', {
      description: 'Alarms on their way to people',
      enableKeyRotation: true,
    });
    const topic = new Topic(this, 'Alarms', {
      displayName: `Floodgate ${config.stage} alarms`,
      masterKey: key,
      enforceSSL: true,
    });
    const cloudWatch = new ServicePrincipal('cloudwatch.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
    });
    // `enforceSSL` puts a policy in place of SNS's own, by which every service of the account may publish.
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsOfThisAccount',
        principals: [cloudWatch],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
      }),
    );
    // CloudWatch publishes to an encrypted topic only with the key's leave (SNS guide, encrypted topics).
    key.grantEncryptDecrypt(cloudWatch);
    if (config.alarmEmail) {
      topic.addSubscription(new EmailSubscription(config.alarmEmail));
      acknowledge(topic, {
        'Serverless-SNSRedrivePolicy':
          'E-mail has no dead-letter queue; the alarm itself stays in CloudWatch.',
      });
    }
    return topic;
  }

  /** The four promises. Measured where they are kept; each metric's meaning is in `functions/kernel/metrics.ts`. */
  #objectives(metric: (name: MetricName, statistic: string) => Metric): Objectives {
    const { orderRequests, orderRequestsFailed, settledLate, deliveredLate, exportMissed } = objectiveMetrics;
    /** Of a metric that is 0 or 1 for each occasion. */
    const occasions = (name: MetricName) => ({
      bad: metric(name, 'Sum'),
      total: metric(name, 'SampleCount'),
    });
    const objectives = {
      Acceptance: {
        name: 'POST /v1/orders is answered without 5xx',
        objective: 0.999,
        bad: metric(orderRequestsFailed, 'Sum'),
        total: metric(orderRequests, 'Sum'),
        // One refusal in a quiet night is a large share.
        fewest: 3,
        runbook: 'objectives.md#orders-are-accepted',
      },
      Settlement: {
        name: 'A payment attempt is settled within 60 s',
        objective: 0.995,
        ...occasions(settledLate),
        fewest: 3,
        runbook: 'objectives.md#payments-settle-in-time',
      },
      Delivery: {
        name: 'An event reaches its consumer within 60 s',
        objective: 0.999,
        ...occasions(deliveredLate),
        fewest: 3,
        runbook: 'objectives.md#events-arrive-in-time',
      },
      Export: {
        name: 'The finance export is there by 06:00',
        objective: 0.995,
        // Once a day: the first miss already burns the budget of two hundred days.
        ...occasions(exportMissed),
        runbook: 'objectives.md#the-export-is-there-in-time',
      },
    } satisfies Objectives;
    for (const [id, objective] of Object.entries(objectives)) {
      new Slo(this, id, { ...objective, topic: this.alarms });
    }
    return objectives;
  }
}

/** `PaidWithoutOrder` → `paid-without-order`, as a heading's link has it. */
function kebabCase(name: string): string {
  return name.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
}
