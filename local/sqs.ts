import { createHash, randomUUID } from 'node:crypto';
import { chunksOf, metered, nameOf } from './meter.ts';
import { requireOperator } from './operator.ts';
import { transaction } from './transaction.ts';
import { AwsError, type Caller, type Resource, type Runtime, type Service } from './types.ts';

/*
 * Standard queues, durable in the cloud's database. Visibility and delay run on the cloud's clock, so moving it
 * forward redelivers. AWS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/
 */

const maxMessageBytes = 1024 * 1024;
const maxBatchEntries = 10;

interface Queue {
  readonly name: string;
  readonly arn: string;
  readonly url: string;
  /** Seconds, as are the next three. */
  readonly visibilityTimeout: number;
  readonly delay: number;
  readonly retention: number;
  readonly receiveWait: number;
  readonly maxBytes: number;
  readonly redrive: { readonly deadLetterTargetArn: string; readonly maxReceiveCount: number } | undefined;
  /** Long polls waiting for this queue. */
  readonly waiting: Set<() => void>;
}

interface MessageRow {
  readonly seq: number;
  readonly id: string;
  readonly body: string;
  readonly attributes: string;
  readonly sender: string;
  readonly sent_at: number;
  readonly first_received_at: number | null;
  readonly receive_count: number;
  readonly dead_letter_source: string | null;
}

/** Amazon SQS: every queue of the template. */
export function createSqs(runtime: Runtime): Service {
  const { db, clock, iam } = runtime;
  db.exec(`
    CREATE TABLE IF NOT EXISTS sqs_messages (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
      attributes TEXT NOT NULL, sender TEXT NOT NULL, sent_at INTEGER NOT NULL, first_received_at INTEGER,
      receive_count INTEGER NOT NULL DEFAULT 0, visible_at INTEGER NOT NULL, receipt TEXT, dead_letter_source TEXT);
    CREATE INDEX IF NOT EXISTS sqs_messages_visible ON sqs_messages (queue, visible_at, seq);
    CREATE INDEX IF NOT EXISTS sqs_messages_receipt ON sqs_messages (receipt) WHERE receipt IS NOT NULL;`);
  const sql = {
    insert: db.prepare(
      'INSERT INTO sqs_messages (queue, id, body, attributes, sender, sent_at, visible_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    visible: db.prepare(
      'SELECT * FROM sqs_messages WHERE queue = ? AND visible_at <= ? ORDER BY visible_at, seq LIMIT ?',
    ),
    nextVisible: db.prepare(
      'SELECT min(visible_at) AS at FROM sqs_messages WHERE queue = ? AND visible_at > ?',
    ),
    received: db.prepare(
      `UPDATE sqs_messages SET receive_count = receive_count + 1, visible_at = ?, receipt = ?,
       first_received_at = coalesce(first_received_at, ?) WHERE seq = ?`,
    ),
    move: db.prepare(
      `UPDATE sqs_messages SET queue = ?, visible_at = ?, receipt = NULL, receive_count = 0,
       first_received_at = NULL, dead_letter_source = ? WHERE seq = ?`,
    ),
    remove: db.prepare('DELETE FROM sqs_messages WHERE seq = ?'),
    removeByReceipt: db.prepare('DELETE FROM sqs_messages WHERE receipt = ? AND queue = ?'),
    changeVisibility: db.prepare(
      'UPDATE sqs_messages SET visible_at = ? WHERE receipt = ? AND queue = ? AND visible_at > ?',
    ),
    purge: db.prepare('DELETE FROM sqs_messages WHERE queue = ?'),
    all: db.prepare('SELECT * FROM sqs_messages WHERE queue = ? ORDER BY seq'),
    // What was received more than three times without success is left out, as CloudWatch's metric leaves it out.
    oldest: db.prepare(
      'SELECT min(sent_at) AS at FROM sqs_messages WHERE queue = ? AND receive_count <= 3 AND sent_at > ?',
    ),
    depth: db.prepare(
      `SELECT count(*) FILTER (WHERE visible_at <= $now) AS visible,
       count(*) FILTER (WHERE visible_at > $now AND receipt IS NOT NULL) AS inFlight,
       count(*) FILTER (WHERE visible_at > $now AND receipt IS NULL) AS delayed
       FROM sqs_messages WHERE queue = $queue AND sent_at > $oldest`,
    ),
  };
  // The consumers of in-flight messages died with the last process, so these are visible again at once.
  // AWS would wait for the visibility timeout.
  db.prepare('UPDATE sqs_messages SET visible_at = ? WHERE receipt IS NOT NULL AND visible_at > ?').run(
    clock.now(),
    clock.now(),
  );

  const queues = runtime.resources('AWS::SQS::Queue').map(readQueue);
  const byKey = new Map(
    queues.flatMap((queue) => [queue.url, queue.arn, queue.name].map((key) => [key, queue])),
  );
  let stopped = false;

  function find(key: unknown): Queue {
    const queue = typeof key === 'string' ? (byKey.get(key) ?? byKey.get(nameOfUrl(key))) : undefined;
    if (!queue) throw new AwsError('QueueDoesNotExist', `The specified queue does not exist: ${key}`);
    return queue;
  }

  function send(queue: Queue, entry: any, caller: Caller) {
    const body = entry.MessageBody;
    if (typeof body !== 'string' || body === '')
      throw new AwsError('MissingParameter', 'The request must contain the parameter MessageBody.');
    if (messageBytes(entry) > queue.maxBytes)
      throw new AwsError(
        'InvalidParameterValue',
        `One or more parameters are invalid. Reason: Message must be shorter than ${queue.maxBytes} bytes.`,
      );
    const delay = seconds(entry.DelaySeconds, queue.delay, 900, 'DelaySeconds');
    const id = randomUUID();
    const now = clock.now();
    sql.insert.run(
      queue.arn,
      id,
      body,
      JSON.stringify(entry.MessageAttributes ?? {}),
      nameOfCaller(caller),
      now,
      now + delay * 1000,
    );
    return { MessageId: id, MD5OfMessageBody: md5(body) };
  }

  function take(queue: Queue, count: number, visibility: number): { row: MessageRow; receipt: string }[] {
    const taken: { row: MessageRow; receipt: string }[] = [];
    while (taken.length < count) {
      const now = clock.now();
      const rows = sql.visible.all(queue.arn, now, count - taken.length) as unknown as MessageRow[];
      if (rows.length === 0) break;
      for (const row of rows) {
        if (row.sent_at <= now - queue.retention * 1000) sql.remove.run(row.seq);
        else if (queue.redrive && row.receive_count >= queue.redrive.maxReceiveCount)
          moveMessage(row, find(queue.redrive.deadLetterTargetArn), queue.arn);
        else {
          const receipt = randomUUID();
          sql.received.run(now + visibility * 1000, receipt, now, row.seq);
          taken.push({ row, receipt });
        }
      }
      // A timeout of 0 leaves what was taken visible: asking again would take it twice.
      if (visibility === 0) break;
    }
    return taken;
  }

  function moveMessage(row: MessageRow, to: Queue, source: string | null): void {
    sql.move.run(to.arn, clock.now(), source, row.seq);
    wake(to);
  }

  async function receive(queue: Queue, input: any) {
    const count = input.MaxNumberOfMessages ?? 1;
    if (!Number.isInteger(count) || count < 1 || count > 10)
      throw new AwsError(
        'InvalidParameterValue',
        `Value ${count} for parameter MaxNumberOfMessages is invalid.`,
      );
    const visibility = seconds(input.VisibilityTimeout, queue.visibilityTimeout, 43_200, 'VisibilityTimeout');
    const deadline =
      clock.now() + seconds(input.WaitTimeSeconds, queue.receiveWait, 20, 'WaitTimeSeconds') * 1000;
    for (;;) {
      const taken = stopped ? [] : transaction(db, () => take(queue, count, visibility));
      if (taken.length > 0)
        return { Messages: taken.map(({ row, receipt }) => render(row, receipt, clock.now(), input)) };
      if (stopped || clock.now() >= deadline) return {};
      await arrival(queue, deadline);
    }
  }

  /** Ends when a message may have become visible, at `deadline`, or when the cloud stops. */
  function arrival(queue: Queue, deadline: number): Promise<void> {
    const next = (sql.nextVisible.get(queue.arn, clock.now()) as { at: number | null }).at ?? deadline;
    return new Promise((resolve) => {
      const ended = () => {
        queue.waiting.delete(ended);
        cancel();
        resolve();
      };
      queue.waiting.add(ended);
      const cancel = clock.at(Math.min(next, deadline), ended);
    });
  }

  function wake(queue: Queue): void {
    for (const ended of [...queue.waiting]) ended();
  }

  function changeVisibility(queue: Queue, entry: any): undefined {
    requireReceipt(entry.ReceiptHandle);
    const timeout = seconds(entry.VisibilityTimeout, 0, 43_200, 'VisibilityTimeout');
    const now = clock.now();
    const { changes } = sql.changeVisibility.run(now + timeout * 1000, entry.ReceiptHandle, queue.arn, now);
    if (changes === 0)
      throw new AwsError('MessageNotInflight', 'The specified message is not in flight.', 400);
    wake(queue);
  }

  function remove(queue: Queue, entry: any): undefined {
    requireReceipt(entry.ReceiptHandle);
    // A receipt that a later receive has replaced deletes nothing and is no error, as on AWS.
    sql.removeByReceipt.run(entry.ReceiptHandle, queue.arn);
  }

  function depth(queue: Queue) {
    const row = sql.depth.get({
      $now: clock.now(),
      $queue: queue.arn,
      $oldest: clock.now() - queue.retention * 1000,
    });
    return row as unknown as { visible: number; inFlight: number; delayed: number };
  }

  /** Seconds. */
  function oldest(queue: Queue): number {
    const now = clock.now();
    const { at } = sql.oldest.get(queue.arn, now - queue.retention * 1000) as { at: number | null };
    return at === null ? 0 : (now - at) / 1_000;
  }

  function moveTask(input: any, caller: Caller) {
    const from = find(input.SourceArn);
    iam.authorize(caller, 'sqs:StartMessageMoveTask', from.arn);
    const to = input.DestinationArn === undefined ? undefined : find(input.DestinationArn);
    if (to) iam.authorize(caller, 'sqs:SendMessage', to.arn);
    transaction(db, () => {
      for (const row of sql.all.all(from.arn) as unknown as MessageRow[]) {
        const target = to ?? (row.dead_letter_source === null ? undefined : find(row.dead_letter_source));
        if (target) moveMessage(row, target, null);
      }
    });
    return { TaskHandle: randomUUID() };
  }

  async function call(operation: string, input: any, caller: Caller): Promise<any> {
    switch (operation) {
      case 'ListQueueDepths':
        requireOperator(caller);
        return { items: queues.map((queue) => ({ name: queue.name, ...depth(queue) })) };
      case 'ListQueueAges':
        requireOperator(caller);
        return { items: queues.map((queue) => ({ name: queue.name, oldestSeconds: oldest(queue) })) };
      case 'ListQueues': {
        iam.authorize(caller, 'sqs:ListQueues', '*');
        const prefix = input.QueueNamePrefix ?? '';
        return { QueueUrls: queues.filter((one) => one.name.startsWith(prefix)).map((one) => one.url) };
      }
      case 'GetQueueUrl': {
        const queue = find(input.QueueName);
        iam.authorize(caller, 'sqs:GetQueueUrl', queue.arn);
        return { QueueUrl: queue.url };
      }
      case 'StartMessageMoveTask':
        return moveTask(input, caller);
    }
    const queue = find(input.QueueUrl);
    const authorize = (action: string) => iam.authorize(caller, `sqs:${action}`, queue.arn);
    switch (operation) {
      case 'SendMessage': {
        authorize('SendMessage');
        const sent = send(queue, input, caller);
        wake(queue);
        return sent;
      }
      case 'SendMessageBatch': {
        authorize('SendMessage');
        const bytes = (input.Entries ?? []).reduce((sum: number, one: any) => sum + messageBytes(one), 0);
        if (bytes > maxMessageBytes)
          throw new AwsError(
            'BatchRequestTooLong',
            `Batch requests cannot be longer than ${maxMessageBytes} bytes.`,
          );
        const answer = batch(input.Entries, (entry) => send(queue, entry, caller));
        wake(queue);
        return answer;
      }
      case 'ReceiveMessage':
        authorize('ReceiveMessage');
        return await receive(queue, input);
      case 'DeleteMessage':
        authorize('DeleteMessage');
        remove(queue, input);
        return {};
      case 'DeleteMessageBatch':
        authorize('DeleteMessage');
        return batch(input.Entries, (entry) => remove(queue, entry));
      case 'ChangeMessageVisibility':
        authorize('ChangeMessageVisibility');
        changeVisibility(queue, input);
        return {};
      case 'ChangeMessageVisibilityBatch':
        authorize('ChangeMessageVisibility');
        return batch(input.Entries, (entry) => changeVisibility(queue, entry));
      case 'GetQueueAttributes':
        authorize('GetQueueAttributes');
        return { Attributes: pick(queueAttributes(queue, depth(queue)), input.AttributeNames) };
      case 'PurgeQueue':
        authorize('PurgeQueue');
        sql.purge.run(queue.arn);
        return {};
      default:
        throw new AwsError('InvalidAction', `The embedded SQS has no operation ${operation}.`);
    }
  }

  /** Every entry for itself, in one transaction: an entry that is refused leaves the others standing. */
  function batch(entries: any[] | undefined, run: (entry: any) => object | undefined) {
    if (!entries || entries.length === 0)
      throw new AwsError('EmptyBatchRequest', "The batch request doesn't contain any entries.");
    if (entries.length > maxBatchEntries)
      throw new AwsError(
        'TooManyEntriesInBatchRequest',
        `Maximum number of entries per request are ${maxBatchEntries}.`,
      );
    if (new Set(entries.map((entry) => entry.Id)).size !== entries.length)
      throw new AwsError('BatchEntryIdsNotDistinct', 'Two or more batch entries have the same Id.');
    const successful: object[] = [];
    const failed: object[] = [];
    transaction(db, () => {
      for (const entry of entries) {
        try {
          successful.push({ Id: entry.Id, ...run(entry) });
        } catch (error) {
          if (!(error instanceof AwsError)) throw error;
          failed.push({ Id: entry.Id, Code: error.code, Message: error.message, SenderFault: true });
        }
      }
    });
    return { Successful: successful, ...(failed.length > 0 && { Failed: failed }) };
  }

  return {
    name: 'sqs',
    call: metered(runtime.meter, 'sqs', call, billOf),
    async stop() {
      stopped = true;
      for (const queue of queues) wake(queue);
    },
  };
}

function readQueue(resource: Resource): Queue {
  const { properties } = resource;
  if (properties.FifoQueue)
    throw new Error(`${resource.stack}/${resource.logicalId} AWS::SQS::Queue: FifoQueue is not emulated`);
  return {
    name: resource.arn.split(':').at(-1) as string,
    arn: resource.arn,
    url: resource.ref,
    visibilityTimeout: Number(properties.VisibilityTimeout ?? 30),
    delay: Number(properties.DelaySeconds ?? 0),
    retention: Number(properties.MessageRetentionPeriod ?? 345_600),
    receiveWait: Number(properties.ReceiveMessageWaitTimeSeconds ?? 0),
    maxBytes: Number(properties.MaximumMessageSize ?? maxMessageBytes),
    redrive: properties.RedrivePolicy && {
      deadLetterTargetArn: properties.RedrivePolicy.deadLetterTargetArn,
      maxReceiveCount: Number(properties.RedrivePolicy.maxReceiveCount),
    },
    waiting: new Set(),
  };
}

function render(row: MessageRow, receipt: string, now: number, input: any) {
  const system: Record<string, string> = {
    SenderId: row.sender,
    SentTimestamp: String(row.sent_at),
    ApproximateReceiveCount: String(row.receive_count + 1),
    ApproximateFirstReceiveTimestamp: String(row.first_received_at ?? now),
    ...(row.dead_letter_source !== null && { DeadLetterQueueSourceArn: row.dead_letter_source }),
  };
  const wanted = [...(input.AttributeNames ?? []), ...(input.MessageSystemAttributeNames ?? [])];
  const attributes = pick(system, wanted);
  const messageAttributes = pick(JSON.parse(row.attributes), input.MessageAttributeNames);
  return {
    MessageId: row.id,
    ReceiptHandle: receipt,
    Body: row.body,
    MD5OfBody: md5(row.body),
    ...(Object.keys(attributes).length > 0 && { Attributes: attributes }),
    ...(Object.keys(messageAttributes).length > 0 && { MessageAttributes: messageAttributes }),
  };
}

function queueAttributes(
  queue: Queue,
  depth: { visible: number; inFlight: number; delayed: number },
): Record<string, string> {
  return {
    QueueArn: queue.arn,
    ApproximateNumberOfMessages: String(depth.visible),
    ApproximateNumberOfMessagesNotVisible: String(depth.inFlight),
    ApproximateNumberOfMessagesDelayed: String(depth.delayed),
    VisibilityTimeout: String(queue.visibilityTimeout),
    DelaySeconds: String(queue.delay),
    MessageRetentionPeriod: String(queue.retention),
    MaximumMessageSize: String(queue.maxBytes),
    ReceiveMessageWaitTimeSeconds: String(queue.receiveWait),
    ...(queue.redrive && { RedrivePolicy: JSON.stringify(queue.redrive) }),
  };
}

/** The members of `all` that a request asked for by name, by `prefix.*` or by `All`. */
function pick<T>(all: Record<string, T>, names: readonly string[] | undefined): Record<string, T> {
  if (!names) return {};
  const wanted = (key: string) =>
    names.some(
      (name) =>
        name === 'All' ||
        name === '.*' ||
        name === key ||
        (name.endsWith('.*') && key.startsWith(name.slice(0, -1))),
    );
  return Object.fromEntries(Object.entries(all).filter(([key]) => wanted(key)));
}

function seconds(given: unknown, otherwise: number, most: number, name: string): number {
  const value = given ?? otherwise;
  if (typeof value !== 'number' || !(value >= 0 && value <= most))
    throw new AwsError('InvalidParameterValue', `Value ${value} for parameter ${name} is invalid.`);
  return value;
}

function messageBytes(entry: any): number {
  let bytes = Buffer.byteLength(String(entry.MessageBody ?? ''));
  for (const [name, value] of Object.entries<any>(entry.MessageAttributes ?? {}))
    bytes += Buffer.byteLength(name + value.DataType + (value.StringValue ?? value.BinaryValue ?? ''));
  return bytes;
}

function requireReceipt(receipt: unknown): void {
  if (typeof receipt !== 'string' || !/^[0-9a-f-]{36}$/.test(receipt))
    throw new AwsError('ReceiptHandleIsInvalid', `The input receipt handle "${receipt}" is not valid.`);
}

function nameOfUrl(url: string): string {
  return url.split('/').at(-1) as string;
}

function nameOfCaller(caller: Caller): string {
  if (caller.kind === 'role') return caller.roleArn;
  return caller.kind === 'service' ? caller.service : 'operator';
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

/**
 * Every call is a request, with a further one for each 64 KB of its messages. A poll that finds nothing is one as well,
 * counted apart because a queue's pollers ask all day long whatever is sold.
 */
function billOf(operation: string, input: any, output: any) {
  const bodies: string[] = [
    input.MessageBody,
    ...(input.Entries ?? []).map((one: any) => one.MessageBody),
    ...(output?.Messages ?? []).map((one: any) => one.Body),
  ].filter((body) => body !== undefined);
  const requests = chunksOf(bodies.reduce((sum, body) => sum + Buffer.byteLength(body), 0));
  const empty = operation === 'ReceiveMessage' && bodies.length === 0;
  return { resource: nameOf(String(input.QueueUrl)), counts: empty ? { emptyPolls: 1 } : { requests } };
}
