import { randomUUID } from 'node:crypto';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { isoInstant } from '../../kernel/clock.ts';
import type { Ports } from '../app/send-mail.ts';
import { mailKey } from '../keys.ts';

/**
 * The mail log in the notification table: one item an event, with `state` `sending` (until `leaseUntil`, epoch
 * milliseconds), `sent` or `no-recipient`.
 */
export function mailLog(documents: DynamoDBDocumentClient, table: string): Ports['mailLog'] {
  /** Whether the item was changed; when not, what stands in its way. */
  async function update(
    eventId: string,
    change: { set: Record<string, unknown>; condition?: string; values?: Record<string, unknown> },
  ): Promise<{ done: true } | { done: false; state: unknown }> {
    const names = Object.keys(change.set);
    try {
      await documents.send(
        new UpdateCommand({
          TableName: table,
          Key: mailKey(eventId),
          UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
          ConditionExpression: change.condition,
          // `#state` and `#owner` are reserved words.
          ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
          ExpressionAttributeValues: {
            ...Object.fromEntries(names.map((name) => [`:${name}`, change.set[name]])),
            ...change.values,
          },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
      return { done: true };
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return { done: false, state: error.Item?.state?.S };
    }
  }

  return {
    async claim({ eventId, orderId, type }, now, until) {
      const owner = randomUUID();
      const result = await update(eventId, {
        set: { state: 'sending', leaseUntil: until, owner, orderId, type },
        condition: 'attribute_not_exists(pk) OR (#state = :state AND #leaseUntil <= :now)',
        values: { ':now': now },
      });
      if (result.done) return { state: 'claimed', owner };
      return { state: result.state === 'sending' ? 'leased' : 'done' };
    },
    async release(eventId, owner) {
      await update(eventId, {
        set: { leaseUntil: 0, owner },
        condition: '#owner = :owner',
      });
    },
    // Whoever has the lease by now: it was sent, and that must not be forgotten.
    async markSent(eventId, messageId, at) {
      await update(eventId, { set: { state: 'sent', messageId, settledAt: isoInstant(at) } });
    },
    async markNoRecipient(eventId, at) {
      await update(eventId, { set: { state: 'no-recipient', settledAt: isoInstant(at) } });
    },
  };
}
