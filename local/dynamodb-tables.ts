import type { BackendAnswer } from './dynoxide.ts';
import type { Resource } from './types.ts';

/** The input of CreateTable, as far as the backend acts on it. */
export interface TableDefinition {
  readonly TableName: string;
  readonly BillingMode: 'PAY_PER_REQUEST';
  readonly AttributeDefinitions: readonly unknown[];
  readonly KeySchema: readonly unknown[];
  readonly GlobalSecondaryIndexes?: readonly IndexDefinition[];
  readonly StreamSpecification?: { readonly StreamEnabled: true; readonly StreamViewType: string };
  /** Not part of CreateTable: the attribute by which items expire. */
  readonly timeToLive: string | undefined;
}

interface IndexDefinition {
  readonly IndexName: string;
  readonly KeySchema: readonly unknown[];
  readonly Projection: { readonly ProjectionType: string; readonly NonKeyAttributes?: readonly string[] };
}

type Send = (target: string, body: string) => Promise<BackendAnswer>;

export function tableDefinition(resource: Resource): TableDefinition {
  const { properties } = resource;
  const stream = properties.StreamSpecification;
  const timeToLive = properties.TimeToLiveSpecification;
  return {
    TableName: resource.ref,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: properties.AttributeDefinitions,
    KeySchema: properties.KeySchema,
    ...(properties.GlobalSecondaryIndexes && {
      GlobalSecondaryIndexes: properties.GlobalSecondaryIndexes.map((index: IndexDefinition) => ({
        IndexName: index.IndexName,
        KeySchema: index.KeySchema,
        Projection: index.Projection,
      })),
    }),
    ...(stream && { StreamSpecification: { StreamEnabled: true, StreamViewType: stream.StreamViewType } }),
    timeToLive: timeToLive?.Enabled === true ? timeToLive.AttributeName : undefined,
  };
}

/**
 * Creates the table, or brings one kept from an earlier run to the template's definition. Returns the backend's ARN
 * of its stream, if it has one.
 * @throws Error telling to start afresh where keys, an index or the stream's view changed.
 */
export async function prepareTable(send: Send, definition: TableDefinition): Promise<string | undefined> {
  const { timeToLive, ...input } = definition;
  const { TableName } = definition;
  const described = await send('DynamoDB_20120810.DescribeTable', JSON.stringify({ TableName }));
  const table =
    described.status === 200
      ? await extendTable(send, definition)
      : (await ask(send, 'CreateTable', input)).TableDescription;
  const { TimeToLiveDescription } = await ask(send, 'DescribeTimeToLive', { TableName });
  if (timeToLive && TimeToLiveDescription.TimeToLiveStatus === 'DISABLED') {
    const TimeToLiveSpecification = { AttributeName: timeToLive, Enabled: true };
    await ask(send, 'UpdateTimeToLive', { TableName, TimeToLiveSpecification });
  }
  return table.LatestStreamArn;
}

async function extendTable(send: Send, definition: TableDefinition): Promise<any> {
  const { TableName, AttributeDefinitions, StreamSpecification } = definition;
  let { Table: table } = await ask(send, 'DescribeTable', { TableName });
  const change = async (input: object) => {
    table = (await ask(send, 'UpdateTable', { TableName, ...input })).TableDescription;
  };
  requireSame(TableName, 'key schema', table.KeySchema, definition.KeySchema);
  const existing: IndexDefinition[] = table.GlobalSecondaryIndexes ?? [];
  const wanted = definition.GlobalSecondaryIndexes ?? [];
  for (const { IndexName } of existing) {
    if (wanted.some((index) => index.IndexName === IndexName)) continue;
    await change({ GlobalSecondaryIndexUpdates: [{ Delete: { IndexName } }] });
  }
  for (const index of wanted) {
    const same = existing.find(({ IndexName }) => IndexName === index.IndexName);
    if (same) requireSame(TableName, `index ${index.IndexName}`, shapeOf(same), shapeOf(index));
    else await change({ AttributeDefinitions, GlobalSecondaryIndexUpdates: [{ Create: index }] });
  }
  if (StreamSpecification && table.StreamSpecification?.StreamEnabled) {
    const { StreamViewType } = table.StreamSpecification;
    requireSame(TableName, "stream's view", StreamViewType, StreamSpecification.StreamViewType);
  } else if (StreamSpecification) {
    await change({ StreamSpecification });
  }
  return table;
}

async function ask(send: Send, operation: string, input: unknown): Promise<any> {
  const { status, body } = await send(`DynamoDB_20120810.${operation}`, JSON.stringify(input));
  if (status !== 200) throw new Error(`DynamoDB refused ${operation}: ${body.toString()}`);
  return JSON.parse(body.toString());
}

function shapeOf({ KeySchema, Projection }: IndexDefinition): unknown {
  const { ProjectionType, NonKeyAttributes = [] } = Projection;
  return { KeySchema, ProjectionType, NonKeyAttributes: [...NonKeyAttributes].sort() };
}

function requireSame(table: string, part: string, before: unknown, now: unknown): void {
  if (JSON.stringify(sorted(before)) === JSON.stringify(sorted(now))) return;
  throw new Error(
    `The ${part} of the table ${table} is not what it was when the local data was written; ` +
      'start with --fresh to begin with empty tables.',
  );
}

/** The same value with the members of objects in one order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
