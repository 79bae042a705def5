import { Duration } from 'aws-cdk-lib';
import { type EventPattern, Match, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { functionId } from './bundle.ts';
import { DeadLetterQueue } from './dead-letter-queue.ts';
import type { FunctionSpec, Trigger } from './function-spec.ts';
import type { Platform } from './platform.ts';
import { pascalCase, type ServiceFunction } from './service-function.ts';
import { watchAge } from './watch.ts';

type EventsTrigger = Extract<Trigger, { events: unknown }>;

/** Bus rule → queue → function, with one dead-letter queue for what either hop cannot deliver. */
export class EventConsumer extends Construct {
  readonly queue: Queue;

  constructor(consumer: ServiceFunction, spec: FunctionSpec, trigger: EventsTrigger, platform: Platform) {
    super(consumer, 'Events');
    const { config, alarms } = platform;
    const id = functionId(spec);
    // The checkout worker stands before the payment provider: its pace and patience are settings of the stage.
    const paced = spec.grants.some((grant) => 'stateMachine' in grant);
    const window = paced ? 0 : config.batchWindowSeconds;
    const sendsMail = spec.grants.some((grant) => 'email' in grant);
    const concurrency = paced ? config.checkout.concurrency : sendsMail ? config.mailConcurrency : undefined;

    const deadLetters = new DeadLetterQueue(this, 'DeadLetters', id, alarms);
    const queue = new Queue(this, 'Queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      // Six times the function's timeout and the window, as AWS Lambda's guide to SQS event sources asks.
      visibilityTimeout: Duration.seconds(6 * consumer.timeoutSeconds + window),
      deadLetterQueue: {
        queue: deadLetters,
        maxReceiveCount: paced ? config.checkout.attempts : config.eventAttempts,
      },
    });
    this.queue = queue;
    watchAge(
      queue,
      900,
      `${id}: events have waited for more than 15 minutes.`,
      'events-waiting.md#events-wait-longer-than-15-minutes',
      alarms,
    );

    for (const [source, events = []] of Object.entries(Object.groupBy(trigger.events, (e) => e.source))) {
      new Rule(this, `Rule${pascalCase(source.replace('.', '-'))}`, {
        eventBus: platform.stores.bus,
        description: spec.description,
        eventPattern: {
          source: [source],
          detailType: events.map(({ type }) => type),
          // Only events of an archive replay have a replay-name.
          ...(trigger.replays === 'exclude' && { 'replay-name': Match.doesNotExist() }),
        } as EventPattern,
        targets: [
          new SqsQueue(queue, {
            deadLetterQueue: deadLetters,
            retryAttempts: 185,
            maxEventAge: Duration.hours(24),
          }),
        ],
      });
    }

    this.queue = queue;
    queue.grantConsumeMessages(consumer.function);
    const mapping = new EventSourceMapping(this, 'Mapping', {
      target: consumer.function,
      eventSourceArn: queue.queueArn,
      batchSize: trigger.batchSize ?? 10,
      reportBatchItemFailures: true,
      ...(window > 0 && { maxBatchingWindow: Duration.seconds(window) }),
      ...(concurrency !== undefined && { maxConcurrency: concurrency }),
    });
    acknowledge(mapping, {
      'Serverless-LambdaEventSourceMappingDestination':
        'SQS sources have no failure destination: the queue’s own redrive policy leads to its dead-letter queue.',
    });
  }
}
