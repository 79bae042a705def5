import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, paginateListTables } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { configOf } from '../../lib/config.ts';
import { startDynamoDb } from '../../local/dynoxide.ts';
import { OPERATOR_ACCESS_KEY } from '../../local/iam.ts';
import { documentsAt } from './generated-store.ts';
import type { Store } from './rebuild.ts';

/**
 * Runs `work` with the store of the embedded cloud at `apiUrl`. Its DynamoDB has the template's tables only, so the
 * shadows are made in another one, which ends with `work`.
 * @throws Error when no embedded cloud answers there
 */
export async function withEmbeddedStore<T>(apiUrl: string, work: (store: Store) => Promise<T>): Promise<T> {
  const overview = await fetch(`${apiUrl}/_local`).catch(() => undefined);
  if (!overview?.ok) throw new Error(`no store answers at ${apiUrl}: npm start runs one`);
  const { awsEndpoint, resources } = (await overview.json()) as {
    awsEndpoint: string;
    resources: readonly { type: string; logicalId: string; ref: string }[];
  };
  const found = resources
    .filter(({ type }) => type === 'AWS::DynamoDB::Table')
    .map(({ logicalId, ref }) => [logicalId, ref] as const);
  const home = await mkdtemp(join(tmpdir(), 'floodgate-rebuild-'));
  const backend = await startDynamoDb(home);
  const documents = documentsAt(awsEndpoint, OPERATOR_ACCESS_KEY);
  const shadows = documentsAt(backend.endpoint, 'local');
  try {
    const { businessTimeZone: timeZone } = configOf('local');
    return await work({ documents, shadows, tables: tablesAmong(found), timeZone });
  } finally {
    documents.destroy();
    shadows.destroy();
    await backend.stop();
    await rm(home, { recursive: true, force: true });
  }
}

/** Runs `work` with the store of a stage on AWS, by the credentials and the region of the environment. */
export async function withDeployedStore<T>(stage: string, work: (store: Store) => Promise<T>): Promise<T> {
  const { businessTimeZone: timeZone } = configOf(stage);
  const client = new DynamoDBClient({ maxAttempts: 10 });
  const documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  try {
    // CloudFormation names a table `<stack>-<logical id>-<random>`.
    const prefix = `Floodgate-${stage}-Data-`;
    const found: (readonly [logicalId: string, name: string])[] = [];
    for await (const { TableNames = [] } of paginateListTables({ client }, {})) {
      for (const name of TableNames) {
        if (name.startsWith(prefix)) found.push([name.slice(prefix.length), name]);
      }
    }
    return await work({ documents, shadows: documents, tables: tablesAmong(found), timeZone });
  } finally {
    documents.destroy();
  }
}

/** @throws Error naming a table that is missing, or that there are several of */
function tablesAmong(found: readonly (readonly [logicalId: string, name: string])[]): Store['tables'] {
  const named = (logicalId: string): string => {
    const names = found.filter(([id]) => id.startsWith(logicalId) && !id.includes('-shadow-'));
    if (names.length !== 1) throw new Error(`there are ${names.length} tables for ${logicalId}, not one`);
    return names[0]![1];
  };
  return { order: named('OrderTable'), reporting: named('ReportingTable'), finance: named('FinanceTable') };
}
