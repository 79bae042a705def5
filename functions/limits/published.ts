import { type DynamoDBDocumentClient, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { accessTokenSeconds } from '../kernel/contract.ts';
import type { Ending } from '../kernel/ended-sessions.ts';
import { endedKey, pressureKey } from '../kernel/limits-table.ts';

/**
 * Has every function refuse the access tokens that are still about: within the five seconds that an environment
 * trusts what it read. The ending is there before anybody is told to look for it.
 */
export async function endSessions(
  documents: DynamoDBDocumentClient,
  table: string,
  ending: Ending,
): Promise<void> {
  const expiresAt = Math.ceil(ending.at / 1_000) + 2 * accessTokenSeconds;
  await documents.send(new PutCommand({ TableName: table, Item: { ...endedKey(ending), expiresAt } }));
  await documents.send(
    new UpdateCommand({
      TableName: table,
      Key: pressureKey,
      UpdateExpression: 'SET endedAt = :at ADD endings :one',
      ExpressionAttributeValues: { ':at': ending.at, ':one': 1 },
    }),
  );
}
