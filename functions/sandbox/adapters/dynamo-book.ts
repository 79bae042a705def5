import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  ScanCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb';
import type { Now } from '../../kernel/clock.ts';
import { decodeCursor, encodeCursor } from '../../kernel/cursor.ts';
import type { Book, KeptAnswer } from '../domain/book.ts';
import type { Charge } from '../domain/charge.ts';
import type { PaymentKey } from '../domain/payment-key.ts';
import { answerKey, chargeKey, chargeSort, paymentKeyKey, webhookKey } from '../keys.ts';
import { webhookEvent } from './webhook-event.ts';

/** Seconds that an answer is kept for its idempotency key, a payment key for its shopper, a webhook for its log. */
const keptFor = 24 * 60 * 60;

export function dynamoBook(documents: DynamoDBDocumentClient, table: string, now: Now): Book {
  const seconds = () => Math.floor(now() / 1000);

  const keyPut = (idempotencyKey: string, answer: KeptAnswer) => ({
    TableName: table,
    Item: { ...answerKey(idempotencyKey), ...answer, expiresAt: seconds() + keptFor },
    // DynamoDB deletes expired items within days, not at once.
    ConditionExpression: 'attribute_not_exists(pk) OR expiresAt <= :now',
    ExpressionAttributeValues: { ':now': seconds() },
  });

  const chargePut = (charge: Charge) => ({
    TableName: table,
    Item: { ...chargeKey(charge.id), ...charge },
    ...(charge.version === 1
      ? { ConditionExpression: 'attribute_not_exists(pk)' }
      : {
          ConditionExpression: 'version = :before',
          ExpressionAttributeValues: { ':before': charge.version - 1 },
        }),
  });

  /** The outbox: written with the change, and so neither lost nor sent for nothing. */
  const webhookPut = (charge: Charge) => ({
    TableName: table,
    Item: {
      ...webhookKey(charge.id, charge.version),
      ...webhookEvent(charge, now()),
      expiresAt: seconds() + keptFor,
    },
  });

  const usePut = (paymentKey: PaymentKey) => ({
    TableName: table,
    Item: { ...paymentKeyKey(paymentKey.id), ...paymentKey, expiresAt: seconds() + keptFor },
    ConditionExpression: 'attribute_exists(pk) AND attribute_not_exists(usedFor)',
  });

  const item = async (Key: { pk: string; sk: string }) => {
    const { Item } = await documents.send(new GetCommand({ TableName: table, Key, ConsistentRead: true }));
    return Item;
  };

  return {
    charge: async (id) => lineOf(await item(chargeKey(id))),

    answer: async (idempotencyKey) => {
      const kept = await item(answerKey(idempotencyKey));
      return kept && kept.expiresAt > seconds() ? (kept as unknown as KeptAnswer) : undefined;
    },

    paymentKey: async (id) => (await item(paymentKeyKey(id))) as PaymentKey | undefined,

    offer: async (paymentKey) => {
      const expiresAt = seconds() + keptFor;
      const Item = { ...paymentKeyKey(paymentKey.id), ...paymentKey, expiresAt };
      await documents.send(new PutCommand({ TableName: table, Item }));
    },

    commit: async (idempotencyKey, answer, charge, uses) => {
      const put = keyPut(idempotencyKey, answer);
      try {
        if (charge) {
          const puts = [put, chargePut(charge), webhookPut(charge), ...(uses ? [usePut(uses)] : [])];
          const TransactItems = puts.map((Put) => ({ Put }));
          await documents.send(new TransactWriteCommand({ TransactItems }));
        } else {
          await documents.send(new PutCommand(put));
        }
        return true;
      } catch (error) {
        if (lost(error)) return false;
        throw error;
      }
    },

    note: async (charge) => {
      try {
        await documents.send(new PutCommand(chargePut(charge)));
        return true;
      } catch (error) {
        if (lost(error)) return false;
        throw error;
      }
    },

    page: async (limit, cursor) => {
      const charges: Charge[] = [];
      let start = cursor === undefined ? undefined : (decodeCursor(cursor, table) as Record<string, unknown>);
      // A page of the scan may hold nothing but kept answers.
      do {
        const page = await documents.send(
          new ScanCommand({
            TableName: table,
            ConsistentRead: true,
            FilterExpression: 'sk = :charge',
            ExpressionAttributeValues: { ':charge': chargeSort },
            Limit: limit - charges.length,
            ExclusiveStartKey: start,
          }),
        );
        charges.push(...(page.Items ?? []).flatMap((found) => lineOf(found) ?? []));
        start = page.LastEvaluatedKey;
      } while (start && charges.length < limit);
      return { charges, next: start && encodeCursor(start, table) };
    },
  };
}

function lineOf(item: Record<string, unknown> | undefined): Charge | undefined {
  if (!item) return undefined;
  const { pk: _pk, sk: _sk, ...charge } = item;
  return charge as unknown as Charge;
}

/** Somebody else wrote first, or is writing now. */
const losses = [
  'ConditionalCheckFailedException',
  'TransactionConflictException',
  'TransactionInProgressException',
];

function lost(error: unknown): boolean {
  if (!(error instanceof TransactionCanceledException)) {
    return error instanceof Error && losses.includes(error.name);
  }
  const harmless = ['None', 'ConditionalCheckFailed', 'TransactionConflict'];
  return (error.CancellationReasons ?? []).every(({ Code = 'None' }) => harmless.includes(Code));
}
