import { Duration, Stack } from 'aws-cdk-lib';
import { MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnPipe } from 'aws-cdk-lib/aws-pipes';
import { Construct } from 'constructs';
import { DeadLetterQueue } from './dead-letter-queue.ts';
import type { TableName } from './function-spec.ts';
import type { Platform } from './platform.ts';
import { sumOf, Watch } from './watch.ts';

/** The flat attributes of a stored event, as DynamoDB types them in stream images. */
const attributes = {
  id: 'S',
  type: 'S',
  version: 'N',
  orderId: 'S',
  seq: 'N',
  at: 'S',
  traceparent: 'S',
  body: 'S',
} as const;

/**
 * The outbox's way out: new event items of a context's table go to the bus, and nothing else does.
 * Besides it only the auditor sends `floodgate.<context>` events: the stored ones that did not arrive, in this envelope.
 */
export class EventPipe extends Construct {
  readonly pipeName: string;

  constructor(scope: Construct, context: TableName, platform: Platform) {
    super(scope, 'Pipe');
    const { config, alarms } = platform;
    const { bus, tables } = platform.stores;
    const table = tables.get(context);
    if (!table?.tableStreamArn) throw new Error(`the table ${context} has no stream for its events`);

    const deadLetters = new DeadLetterQueue(this, 'DeadLetters', `the pipe of ${context}`, alarms);
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('pipes.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      description: `Moves events of ${context} from its table to the bus`,
    });
    role.addToPolicy(
      new PolicyStatement({
        actions: [
          'dynamodb:DescribeStream',
          'dynamodb:GetRecords',
          'dynamodb:GetShardIterator',
          'dynamodb:ListStreams',
        ],
        resources: [table.tableStreamArn],
      }),
    );
    role.addToPolicy(new PolicyStatement({ actions: ['events:PutEvents'], resources: [bus.eventBusArn] }));
    role.addToPolicy(
      new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [deadLetters.queueArn] }),
    );

    const pipe = new CfnPipe(this, 'Resource', {
      description: `Events of ${context}: from its table to the bus`,
      roleArn: role.roleArn,
      source: table.tableStreamArn,
      sourceParameters: {
        dynamoDbStreamParameters: {
          startingPosition: 'TRIM_HORIZON',
          batchSize: config.pipe.batchSize,
          parallelizationFactor: config.pipe.parallelization,
          maximumRetryAttempts: config.pipe.attempts,
          maximumRecordAgeInSeconds: config.pipe.maxRecordAgeSeconds,
          onPartialBatchItemFailure: 'AUTOMATIC_BISECT',
          deadLetterConfig: { arn: deadLetters.queueArn },
        },
        filterCriteria: {
          filters: [
            {
              pattern: JSON.stringify({
                eventName: ['INSERT'],
                dynamodb: { Keys: { sk: { S: [{ prefix: 'EVENT#' }] } } },
              }),
            },
          ],
        },
      },
      target: bus.eventBusArn,
      targetParameters: {
        eventBridgeEventBusParameters: {
          source: `floodgate.${context}`,
          detailType: '$.dynamodb.NewImage.type.S',
        },
        // Without quotation marks: Pipes adds them and escapes what is inside (Pipes guide, input transformation).
        inputTemplate: `{${Object.entries(attributes)
          .map(([name, type]) => `"${name}": <$.dynamodb.NewImage.${name}.${type}>`)
          .join(', ')}}`,
      },
    });
    this.pipeName = pipe.ref;
    // Pipes checks the role when the pipe is made.
    pipe.node.addDependency(role);

    new Watch(this, 'Failing', {
      metric: new MathExpression({
        expression: 'FILL(failed, 0) + FILL(partly, 0)',
        usingMetrics: {
          failed: sumOf('AWS/EventBridge/Pipes', 'ExecutionFailed', { PipeName: pipe.ref }),
          // The bus took some events of a batch and refused others.
          partly: sumOf('AWS/EventBridge/Pipes', 'ExecutionPartiallyFailed', { PipeName: pipe.ref }),
        },
        period: Duration.minutes(1),
        label: `Runs of the ${context} pipe that failed`,
      }),
      above: 0,
      minutes: 3,
      meaning: `Events of ${context} do not reach the bus: orders are safe, but nothing follows from them.`,
      runbook: 'pipe-failing.md#a-pipe-fails',
      topic: alarms,
    });
  }
}
