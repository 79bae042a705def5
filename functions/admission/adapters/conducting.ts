import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, PutCommand, paginateQuery } from '@aws-sdk/lib-dynamodb';
import { readShards, snapshot, unitsIn } from '../../inventory/published.ts';
import { endpointFromEnvironment, refusalOf, sendSigned } from '../../kernel/aws-request.ts';
import { systemNow, systemSleep } from '../../kernel/clock.ts';
import { errorName } from '../../kernel/errors.ts';
import { log } from '../../kernel/log.ts';
import type { Ports } from '../app/conduct-drops.ts';
import { expiryOf } from '../domain/drop.ts';
import { claimPartition, claimShards, claimSortKey, servingKey } from '../keys.ts';
import { dropTable } from './drop-table.ts';
import { loadStanding } from './standing.ts';
import { arrivalCounters } from './waiting-room.ts';

interface Environment {
  readonly ADMISSION_TABLE: string;
  readonly INVENTORY_TABLE: string;
  readonly CHECKOUT_QUEUE_URL: string;
}

/** A drop is conducted from a minute before it opens, until what it admitted last has run out (900 s at most). */
const earlyMs = 60_000;
const lateMs = 960_000;

export function conductorPorts(documents: DynamoDBDocumentClient, env: Environment): Ports {
  const { ADMISSION_TABLE: table, INVENTORY_TABLE: inventory, CHECKOUT_QUEUE_URL: queueUrl } = env;
  return {
    now: systemNow,
    sleep: systemSleep,
    ...arrivalCounters(documents, table),
    liveDrops: (now) => dropTable(documents, table, systemNow).openBy(now + earlyMs, now - lateMs),
    load: (dropId) => loadStanding(documents, table, dropId, { consistent: true }),
    claims: async (dropId, from, to) => {
      const shards = Math.min(claimShards, Math.max(0, to - from));
      const found = await Promise.all(
        Array.from({ length: shards }, (_, index) =>
          claimsIn(documents, table, claimPartition(dropId, (from + 1 + index) % claimShards), from, to),
        ),
      );
      return found.flat();
    },
    remaining: async (skus) => {
      const stock = await readShards(documents, inventory, skus, { consistent: true });
      const units = [...stock.values()].reduce((sum, { shards }) => sum + unitsIn(shards), 0);
      if (units > 0) return units;
      // Units that move from shard to shard while these are read may be seen nowhere.
      const until = systemNow() + 1_000;
      const exact = await Promise.all(
        skus.map((sku) => snapshot(documents, inventory, sku, { now: systemNow, until })),
      );
      return exact.reduce((sum, one) => sum + unitsIn(one?.shards ?? []), 0);
    },
    backlog: async () => {
      try {
        return await checkoutBacklog(queueUrl);
      } catch (error) {
        log.warn('checkout backlog unknown', { error: errorName(error) });
        return undefined;
      }
    },
    saveServing: async (drop, serving) => {
      try {
        await documents.send(
          new PutCommand({
            TableName: table,
            Item: { ...servingKey(drop.id), ...serving, expiresAt: expiryOf(drop) },
            ConditionExpression: 'version = :before',
            ExpressionAttributeValues: { ':before': serving.version - 1 },
          }),
        );
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },
  };
}

async function claimsIn(
  documents: DynamoDBDocumentClient,
  table: string,
  partition: string,
  from: number,
  to: number,
): Promise<{ position: number; units: number }[]> {
  const claims: { position: number; units: number }[] = [];
  const pages = paginateQuery(
    { client: documents },
    {
      TableName: table,
      KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
      ExpressionAttributeValues: {
        ':pk': partition,
        ':from': claimSortKey(from + 1),
        ':to': claimSortKey(to),
      },
    },
  );
  for await (const { Items = [] } of pages) {
    claims.push(...Items.map(({ position, units }) => ({ position, units })));
  }
  return claims;
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html */
async function checkoutBacklog(queueUrl: string): Promise<{ waiting: number; inFlight: number }> {
  const AttributeNames = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'];
  const response = await sendSigned(
    {
      service: 'sqs',
      method: 'POST',
      url: new URL(endpointFromEnvironment('SQS') ?? queueUrl),
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'AmazonSQS.GetQueueAttributes',
      },
      body: JSON.stringify({ QueueUrl: queueUrl, AttributeNames }),
    },
    1_000,
  );
  if (!response.ok) throw await refusalOf(response);
  const { Attributes = {} } = (await response.json()) as { Attributes?: Record<string, string> };
  return {
    waiting: Number(Attributes.ApproximateNumberOfMessages ?? 0),
    inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
  };
}
