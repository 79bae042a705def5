import { AwsError } from './types.ts';

/*
 * How each service says that it is asked too often: error names and statuses of its API reference. The SDK waits and
 * repeats for all of them but the cancelled transaction.
 */

const transactions = new Set(['TransactWriteItems', 'TransactGetItems']);
const dynamoMessage =
  'Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or ' +
  'index so please try again shortly. If exceptions persist, check if you have a hot key: ' +
  'https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html';

const answers: Readonly<Record<string, readonly [code: string, message: string, status: number]>> = {
  apigateway: ['TooManyRequestsException', 'Too Many Requests', 429],
  'cognito-idp': ['TooManyRequestsException', 'Rate exceeded', 400],
  lambda: ['TooManyRequestsException', 'Rate Exceeded.', 429],
  provider: ['TooManyRequestsException', 'Too Many Requests', 429],
  s3: ['SlowDown', 'Please reduce your request rate.', 503],
  ses: ['TooManyRequestsException', 'Maximum sending rate exceeded.', 429],
  sqs: ['RequestThrottled', 'The request was denied due to request throttling.', 403],
};

/** The refusal of a service that is asked too often. @param input of the request; a transaction's names its actions */
export function throttled(service: string, operation: string, input?: any): AwsError {
  if (service === 'dynamodb') {
    return transactions.has(operation)
      ? throttledTransaction((input?.TransactItems ?? []).map(() => true))
      : new AwsError('ThrottlingException', dynamoMessage);
  }
  const [code, message, status] = answers[service] ?? ['ThrottlingException', 'Rate exceeded', 400];
  return new AwsError(code, message, status);
}

/** One reason for each action of the transaction. @param actions whether the action's partition is exhausted */
export function throttledTransaction(actions: readonly boolean[]): AwsError {
  const reasons = actions.map((exhausted) =>
    exhausted ? { Code: 'ThrottlingError', Message: dynamoMessage } : { Code: 'None' },
  );
  const codes = reasons.map(({ Code }) => Code).join(', ');
  return new AwsError(
    'TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
    400,
    { CancellationReasons: reasons },
  );
}

/** Whether an error says that somebody was asked too often. */
export function isThrottle(error: unknown): boolean {
  if (!(error instanceof AwsError)) return false;
  if (error.code !== 'TransactionCanceledException')
    return /Throttl|TooManyRequests|SlowDown|RequestLimitExceeded/.test(error.code);
  const reasons = error.members.CancellationReasons as readonly { Code: string }[];
  return reasons.some(({ Code }) => Code === 'ThrottlingError');
}
