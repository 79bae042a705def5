import { parseArgs } from 'node:util';
import type { Deployment } from './deployment.ts';
import { type Lever, UsageError } from './lever.ts';

interface Dead {
  readonly name: string;
  readonly arn: string;
  readonly messages: number;
  /** The queue whose messages end here; undefined for those of pipes and schedules. */
  readonly source?: { readonly name: string; readonly arn: string };
}

/** Sends what a consumer gave up back to its queue. */
export const redrive: Lever = {
  summary: 'sends the messages of a dead-letter queue back to the consumer that gave them up',
  usage: '[<part of the queue’s name>]   without a name: every dead-letter queue with what waits in it',
  async plan(deployment, args) {
    const { positionals } = parseArgs({ args: [...args], allowPositionals: true });
    const [part] = positionals;
    const dead = await deadLetterQueues(deployment);
    if (part === undefined) {
      const waiting = dead.filter(({ messages }) => messages > 0);
      return {
        says:
          waiting.length === 0
            ? [`Nothing waits in any of the ${dead.length} dead-letter queues.`]
            : waiting.map((one) => `${one.name}: ${waitingIn(one)}`),
      };
    }
    const found = dead.filter(({ name }) => name.toLowerCase().includes(part.toLowerCase()));
    if (found.length !== 1)
      throw new UsageError(
        `${found.length} dead-letter queues have ${part} in their names: ${found.map(({ name }) => name).join(', ')}`,
      );
    const [one] = found as [Dead];
    const says = [`${one.name}: ${waitingIn(one)}`];
    const { source } = one;
    if (one.messages === 0 || !source) return { says };
    return {
      says: [...says, `would move them to ${source.name}`],
      go: async () => {
        // With its destination: what a rule could not deliver to the queue never was in it.
        const input = { SourceArn: one.arn, DestinationArn: source.arn };
        await deployment.aws('sqs', 'StartMessageMoveTask', input);
        return [`${one.messages} messages are on their way to ${source.name}.`];
      },
    };
  },
};

function waitingIn({ messages, source }: Dead): string {
  if (source || messages === 0) return `${messages} messages`;
  return `${messages} messages that say what failed, not what to repeat: see docs/runbooks/dead-letter-queue.md`;
}

async function deadLetterQueues(deployment: Deployment): Promise<readonly Dead[]> {
  const queues = await Promise.all(
    deployment.resources('AWS::SQS::Queue').map(async ({ ref: QueueUrl }) => {
      const input = { QueueUrl, AttributeNames: ['All'] };
      const { Attributes } = await deployment.aws('sqs', 'GetQueueAttributes', input);
      return Attributes as Record<string, string>;
    }),
  );
  const sources = new Map(
    queues.flatMap(({ QueueArn = '', RedrivePolicy }) =>
      RedrivePolicy ? [[JSON.parse(RedrivePolicy).deadLetterTargetArn as string, QueueArn] as const] : [],
    ),
  );
  return queues
    .filter(({ RedrivePolicy }) => !RedrivePolicy)
    .map(({ QueueArn = '', ApproximateNumberOfMessages }) => {
      const source = sources.get(QueueArn);
      return {
        name: nameOf(QueueArn),
        arn: QueueArn,
        messages: Number(ApproximateNumberOfMessages),
        ...(source && { source: { name: nameOf(source), arn: source } }),
      };
    })
    .sort((a, b) => a.name.localeCompare(b.name));
}

function nameOf(arn: string): string {
  return arn.slice(arn.lastIndexOf(':') + 1);
}
