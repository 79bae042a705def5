import { Duration } from 'aws-cdk-lib';
import { Dashboard, GraphWidget, MathExpression, TextWidget } from 'aws-cdk-lib/aws-cloudwatch';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { FloodgateStack } from './floodgate-stack.ts';

/**
 * Where alarms go, and the one dashboard. Each alarm is declared beside what it watches; the dashboard finds its
 * metrics by the stage's name prefix, so that a new function or queue is on it without being mentioned.
 */
export class ObservabilityStack extends FloodgateStack {
  readonly alarms: Topic;

  constructor(scope: Construct, config: Config) {
    super(scope, 'Observability', config, 'the alarms’ topic and the dashboard');
    const key = new Key(this, 'Key', {
      description: 'Alarms on their way to people',
      enableKeyRotation: true,
    });
    this.alarms = new Topic(this, 'Alarms', {
      displayName: `Floodgate ${config.stage} alarms`,
      masterKey: key,
      enforceSSL: true,
    });
    // CloudWatch publishes to an encrypted topic only with the key's leave (SNS guide, encrypted topics).
    key.grantEncryptDecrypt(
      new ServicePrincipal('cloudwatch.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
      }),
    );
    if (config.alarmEmail) {
      this.alarms.addSubscription(new EmailSubscription(config.alarmEmail));
      acknowledge(this.alarms, {
        'Serverless-SNSRedrivePolicy':
          'E-mail has no dead-letter queue; the alarm itself stays in CloudWatch.',
      });
    }
    this.#dashboard(config);
  }

  #dashboard(config: Config): void {
    const prefix = `Floodgate-${config.stage}`;
    const graph = (title: string, dimensions: string, query: string, statistic: string) =>
      new GraphWidget({
        title,
        width: 8,
        height: 6,
        left: [
          new MathExpression({
            expression: `SEARCH('{${dimensions}} ${query} Floodgate ${config.stage}', '${statistic}', 60)`,
            usingMetrics: {},
            label: '',
            period: Duration.minutes(1),
          }),
        ],
      });
    new Dashboard(this, 'Dashboard', { dashboardName: prefix }).addWidgets(
      new TextWidget({
        markdown:
          'Left to right: what shoppers see, what works through their orders, what waits. A dead-letter queue above 0 needs a person.',
        width: 24,
        height: 1,
      }),
      graph('Function errors', 'AWS/Lambda,FunctionName', 'MetricName="Errors"', 'Sum'),
      graph('Function throttles', 'AWS/Lambda,FunctionName', 'MetricName="Throttles"', 'Sum'),
      graph('Function duration, p99', 'AWS/Lambda,FunctionName', 'MetricName="Duration"', 'p99'),
      graph('Workflows failed', 'AWS/States,StateMachineArn', 'MetricName="ExecutionsFailed"', 'Sum'),
      graph(
        'Oldest message (s)',
        'AWS/SQS,QueueName',
        'MetricName="ApproximateAgeOfOldestMessage"',
        'Maximum',
      ),
      graph(
        'Messages waiting',
        'AWS/SQS,QueueName',
        'MetricName="ApproximateNumberOfMessagesVisible"',
        'Maximum',
      ),
      graph(
        'Pipe executions failed',
        'AWS/EventBridge/Pipes,PipeName',
        'MetricName="ExecutionFailed"',
        'Sum',
      ),
      graph('Tables throttled', 'AWS/DynamoDB,TableName,Operation', 'MetricName="ThrottledRequests"', 'Sum'),
    );
  }
}
