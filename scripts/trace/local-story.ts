import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Client } from '../../bench/store.ts';
import { entryKey } from '../../functions/finance/keys.ts';
import { dateIn } from '../../functions/kernel/clock.ts';
import { traceIdOf } from '../../functions/kernel/trace.ts';
import { eventPrefix, orderPartition } from '../../functions/order/keys.ts';
import { configOf } from '../../lib/config.ts';
import { functionId } from '../../lib/constructs/bundle.ts';
import { pascalCase } from '../../lib/constructs/service-function.ts';
import { functions } from '../../lib/stacks/specs.ts';
import type { Run, Story } from './story.ts';

/** Lines from the end of each function's log; what is older is not found. */
const newestLines = 5_000;

/**
 * Gathers an order's story from a running embedded store: its events and journal entries from the tables, the rest
 * from `/_local`.
 * @throws Error when there is no such order
 */
export async function localStory(client: Client, orderId: string): Promise<Story> {
  const get = async (path: string) => (await client.request('GET', path)).body;
  const local = await get('/_local');
  const tables = tablesIn(local);
  const stored = await eventsOf(tables.documents, tables.order, orderId);
  const [first] = stored;
  if (!first) throw new Error(`there is no order ${orderId}`);
  const traceId = traceIdOf(first.traceparent) ?? '';
  const lines = await linesOf(get, local.resources, traceId);
  const events = stored.map(({ id, seq, type, at }) => ({ id, seq, type, at: Date.parse(at) }));
  return {
    orderId,
    traceId,
    events,
    consumers: consumersByType(),
    requests: lines.filter(({ trail }) => trail === 'answered') as never,
    calls: lines.filter(({ trail }) => trail === 'called') as never,
    receipts: lines.flatMap(({ took, at, by }) =>
      ((took ?? []) as { id: string; receives?: number; trace: string }[])
        .filter(({ trace, receives }) => trace === traceId && receives === undefined)
        .map(({ id }) => ({ at: at as number, consumer: by as string, eventId: id })),
    ),
    runs: await runsOf(get, orderId),
    entries: await entriesOf(tables.documents, tables.finance, stored),
    mails: (await get('/_local/messages')).items
      .filter(({ tags }: any) => tags?.order === orderId && tags.trace === traceId)
      .map(({ at, subject, tags }: any) => ({
        at: Date.parse(at),
        subject,
        event: tags.event.replace('_', '.'),
      })),
  };
}

interface StoredHere {
  readonly id: string;
  readonly seq: number;
  readonly type: string;
  readonly at: string;
  readonly traceparent: string;
}

function tablesIn(local: any) {
  const credentials = { accessKeyId: 'LOCALOPERATOR', secretAccessKey: 'local' };
  const client = new DynamoDBClient({ endpoint: local.awsEndpoint, region: local.region, credentials });
  const named = (prefix: string): string =>
    local.resources.find(
      ({ type, logicalId }: any) => type === 'AWS::DynamoDB::Table' && logicalId.startsWith(prefix),
    ).ref;
  const documents = DynamoDBDocumentClient.from(client);
  return { documents, order: named('OrderTable'), finance: named('FinanceTable') };
}

async function eventsOf(
  documents: DynamoDBDocumentClient,
  table: string,
  orderId: string,
): Promise<StoredHere[]> {
  const { Items = [] } = await documents.send(
    new QueryCommand({
      TableName: table,
      KeyConditionExpression: 'pk = :order AND begins_with(sk, :events)',
      ExpressionAttributeValues: { ':order': orderPartition(orderId), ':events': eventPrefix },
      ConsistentRead: true,
    }),
  );
  return Items as StoredHere[];
}

async function entriesOf(
  documents: DynamoDBDocumentClient,
  table: string,
  events: readonly StoredHere[],
): Promise<Story['entries']> {
  const { businessTimeZone } = configOf('local');
  const found = await Promise.all(
    events.map(async ({ id, at }) => {
      const businessDate = dateIn(businessTimeZone, at);
      const { Item } = await documents.send(
        new GetCommand({ TableName: table, Key: entryKey(businessDate, id), ConsistentRead: true }),
      );
      return Item ? [{ eventId: id, businessDate, postings: (Item.postings ?? []).length as number }] : [];
    }),
  );
  return found.flat();
}

/** The lines in the functions' logs that name the trace, each with the function that wrote it. */
async function linesOf(
  get: (path: string) => Promise<any>,
  resources: readonly { type: string; logicalId: string; ref: string }[],
  traceId: string,
): Promise<Record<string, unknown>[]> {
  const deployed = resources.filter(({ type }) => type === 'AWS::Lambda::Function');
  const logs = await Promise.all(
    functions.map(async (spec) => {
      const named = new RegExp(`^${pascalCase(spec.name)}Function[0-9A-F]{8}$`);
      const fn = deployed.find(({ logicalId }) => named.test(logicalId));
      if (!fn) return [];
      const { items } = await get(`/_local/logs/${fn.ref}?tail=${newestLines}`);
      return (items as string[])
        .filter((line) => line.startsWith('{') && line.includes(traceId))
        .map((line) => JSON.parse(line))
        .map((line) => ({ ...line, at: line.at ?? line._aws?.Timestamp, by: functionId(spec) }));
    }),
  );
  return logs.flat().sort((a, b) => a.at - b.at);
}

/** The runs of the checkout workflow that bear the order's id, in the order of their start. */
async function runsOf(get: (path: string) => Promise<any>, orderId: string): Promise<Run[]> {
  const { items } = await get('/_local/executions');
  const own = items.filter(({ name }: any) => name.startsWith(`${orderId}-`));
  const runs = await Promise.all(
    own.map(async ({ id, name, status, startedAt, stoppedAt }: any): Promise<Run> => {
      const { history } = await get(`/_local/executions/${encodeURIComponent(id)}`);
      return {
        name,
        status,
        from: Date.parse(startedAt),
        to: stoppedAt && Date.parse(stoppedAt),
        states: statesIn(history),
      };
    }),
  );
  return runs.sort((a, b) => a.from - b.from);
}

function statesIn(history: readonly any[]): Run['states'] {
  const states: { name: string; from: number; to: number | undefined }[] = [];
  for (const { type, timestamp, ...details } of history) {
    if (/StateEntered$/.test(type)) {
      states.push({ name: details.stateEnteredEventDetails.name, from: timestamp * 1000, to: undefined });
    }
    const current = states.at(-1);
    if (/StateExited$/.test(type) && current) current.to = timestamp * 1000;
  }
  return states;
}

/** From the specs, which are what the deployed rules are made of. */
function consumersByType(): Record<string, string[]> {
  const consumers: Record<string, string[]> = {};
  for (const spec of functions) {
    if (!('events' in spec.trigger)) continue;
    for (const { type } of spec.trigger.events) {
      consumers[type] = [...(consumers[type] ?? []), functionId(spec)];
    }
  }
  return consumers;
}
