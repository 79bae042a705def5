import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { CreateTableCommand, DynamoDBClient, type KeySchemaElement } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { TableName, TableSpec } from '../../lib/constructs/function-spec.ts';

/** A DynamoDB of one test file: in memory, on a port of its own. */
export interface TestDynamo {
  readonly endpoint: string;
  readonly documents: DynamoDBDocumentClient;
  /** The physical name of a table; also in `<NAME>_TABLE` of the environment. */
  table(name: TableName): string;
  stop(): Promise<void>;
}

/**
 * Starts a DynamoDB with the tables of `specs`. The environment is set so that `documents` of the kernel and
 * `environment('<NAME>_TABLE')` reach it too. Use: `beforeAll(async () => { dynamo = await startDynamo(…) })`,
 * `afterAll(() => dynamo?.stop())`.
 */
export async function startDynamo(...specs: readonly TableSpec[]): Promise<TestDynamo> {
  const { endpoint, stop } = await listening();
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_DYNAMODB: endpoint,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  });
  const client = new DynamoDBClient();
  for (const spec of specs) {
    await client.send(new CreateTableCommand(tableOf(spec)));
    process.env[`${spec.name.toUpperCase()}_TABLE`] = physicalName(spec.name);
  }
  return {
    endpoint,
    documents: DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } }),
    table: physicalName,
    stop: async () => {
      client.destroy();
      await stop();
    },
  };
}

const physicalName = (name: TableName) => `test-${name}`;

function tableOf(spec: TableSpec) {
  const indexes = spec.indexes ?? [];
  const names = new Set(['pk', 'sk', ...indexes.flatMap((index) => [index.partitionKey, index.sortKey])]);
  const keys = (hash: string, range: string): KeySchemaElement[] => [
    { AttributeName: hash, KeyType: 'HASH' },
    { AttributeName: range, KeyType: 'RANGE' },
  ];
  return {
    TableName: physicalName(spec.name),
    BillingMode: 'PAY_PER_REQUEST' as const,
    AttributeDefinitions: [...names].map((name) => ({ AttributeName: name, AttributeType: 'S' as const })),
    KeySchema: keys('pk', 'sk'),
    ...(indexes.length > 0 && {
      GlobalSecondaryIndexes: indexes.map(({ name, partitionKey, sortKey, projection }) => ({
        IndexName: name,
        KeySchema: keys(partitionKey, sortKey),
        Projection:
          typeof projection === 'string'
            ? { ProjectionType: projection }
            : { ProjectionType: 'INCLUDE' as const, NonKeyAttributes: [...projection] },
      })),
    }),
    ...(spec.events && {
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' as const },
    }),
  };
}

/** A port that is free now may be taken a moment later: then another is tried. */
async function listening(): Promise<{ endpoint: string; stop: () => Promise<void> }> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const port = await freePort();
    const guard = launch(port);
    const endpoint = `http://127.0.0.1:${port}`;
    if (await answers(endpoint, guard)) return { endpoint, stop: () => end(guard) };
    await end(guard);
  }
  throw new Error('dynoxide does not start');
}

/** A shell that ends the database when this process is gone, however it went: its standard input then closes. */
function launch(port: number): ChildProcess {
  const script = '"$0" "$@" & child=$!; cat > /dev/null; kill $child; wait $child';
  const serve = ['serve', '--host', '127.0.0.1', '--port', String(port)];
  return spawn('/bin/sh', ['-c', script, binary(), ...serve], { stdio: ['pipe', 'ignore', 'ignore'] });
}

/** The platform's package, or a `dynoxide` on the PATH. */
function binary(): string {
  const { resolve } = createRequire(import.meta.url);
  try {
    const manifest = resolve(`@dynoxide/${process.platform}-${process.arch}/package.json`);
    return manifest.replace(/package\.json$/, 'dynoxide');
  } catch {
    return 'dynoxide';
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function answers(endpoint: string, guard: ChildProcess): Promise<boolean> {
  const limit = Date.now() + 10_000;
  while (Date.now() < limit && guard.exitCode === null) {
    const response = await fetch(endpoint).catch(() => undefined);
    if (response?.headers.has('x-dynoxide-version')) return true;
    await new Promise((done) => setTimeout(done, 20));
  }
  return false;
}

async function end(guard: ChildProcess): Promise<void> {
  if (guard.exitCode !== null) return;
  const ended = once(guard, 'exit');
  guard.stdin?.end();
  await ended;
}
