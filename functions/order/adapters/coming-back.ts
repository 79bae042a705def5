import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { endpointFromEnvironment, refusalOf, sendSigned } from '../../kernel/aws-request.ts';
import { errorName } from '../../kernel/errors.ts';
import { log } from '../../kernel/log.ts';

/** Seconds. The queue's visibility timeout is longer than that: it is for a worker that died. */
const firstPause = 30;
const longestPause = 900;

/** Milliseconds. */
const answerWithin = 2_000;

/**
 * Makes what has failed come back after 30 s, and then after longer and longer, 15 minutes at most. Where the queue
 * cannot be told, its own visibility timeout holds.
 */
export function comingBack(consume: (batch: SQSEvent) => Promise<SQSBatchResponse>) {
  return async (batch: SQSEvent): Promise<SQSBatchResponse> => {
    const response = await consume(batch);
    const failed = new Set(response.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    await Promise.all(batch.Records.filter(({ messageId }) => failed.has(messageId)).map(postpone));
    return response;
  };
}

async function postpone({ eventSourceARN, receiptHandle, attributes }: SQSRecord): Promise<void> {
  const [, , , region, account, name] = eventSourceARN.split(':');
  const pause = firstPause * 2 ** Math.min(10, Number(attributes.ApproximateReceiveCount) - 1);
  const body = JSON.stringify({
    QueueUrl: `https://sqs.${region}.amazonaws.com/${account}/${name}`,
    ReceiptHandle: receiptHandle,
    VisibilityTimeout: Math.min(longestPause, pause),
  });
  try {
    const response = await sendSigned(
      {
        service: 'sqs',
        method: 'POST',
        url: new URL(endpointFromEnvironment('SQS') ?? `https://sqs.${region}.amazonaws.com/`),
        headers: {
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': 'AmazonSQS.ChangeMessageVisibility',
        },
        body,
      },
      answerWithin,
    );
    if (!response.ok) throw await refusalOf(response);
    await response.body?.cancel();
  } catch (error) {
    log.warn('a message comes back late', { error: errorName(error) });
  }
}
