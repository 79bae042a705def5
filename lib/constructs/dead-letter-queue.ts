import { Duration } from 'aws-cdk-lib';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { watchAge, watchDepth } from './watch.ts';

/** Where what could not be delivered waits for a person, for the longest time that SQS keeps anything (14 days). */
export class DeadLetterQueue extends Queue {
  /** @param of whose failures these are, as the alarm says it */
  constructor(scope: Construct, id: string, of: string, topic: ITopic) {
    super(scope, id, {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    watchDepth(
      this,
      `${of}: a delivery failed for good. Look at the message, mend the cause, redrive it.`,
      'dead-letter-queue.md#a-dead-letter-queue-holds-a-message',
      topic,
    );
    watchAge(
      this,
      Duration.days(1).toSeconds(),
      `${of}: a failed delivery has waited for a day.`,
      'dead-letter-queue.md#a-message-has-waited-for-a-day',
      topic,
    );
    acknowledge(this, {
      'AwsSolutions-SQS3': 'This is a dead-letter queue.',
      'Serverless-SQSRedrivePolicy': 'This is a dead-letter queue: a person redrives from it.',
    });
  }
}
