import { randomUUID } from 'node:crypto';
import { CreateTableCommand, DeleteTableCommand, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/** A table with the keys of all our tables, without their indexes and streams. */
export async function createPlainTable(documents: DynamoDBDocumentClient, TableName: string): Promise<void> {
  await documents.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
  await waitUntilTableExists({ client: documents, maxWaitTime: 300, minDelay: 1 }, { TableName });
}

/** Runs `work` with an empty table beside each live one, and deletes them afterwards. */
export async function withShadows<T>(
  documents: DynamoDBDocumentClient,
  live: readonly string[],
  work: (shadows: readonly string[]) => Promise<T>,
): Promise<T> {
  const shadows = live.map((name) => `${name.slice(0, 200)}-shadow-${randomUUID()}`);
  try {
    for (const shadow of shadows) await createPlainTable(documents, shadow);
    return await work(shadows);
  } finally {
    await Promise.allSettled(
      shadows.map((TableName) => documents.send(new DeleteTableCommand({ TableName }))),
    );
  }
}
