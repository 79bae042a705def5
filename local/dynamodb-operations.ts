import { AwsError } from './types.ts';

/** One permission that an operation needs, and the item it is about where it names one. */
export interface Touch {
  readonly action: string;
  readonly table: string;
  readonly index?: string;
  /** The whole key of the item; absent for Query and Scan. */
  readonly key?: Readonly<Record<string, unknown>>;
}

/** A key attribute's name and its typed value, such as `{"S": "ord_1"}`. */
type AttributeMap = Record<string, unknown>;

/** The names of a table's key attributes, partition key first. */
type KeyNames = (table: string) => readonly string[];

type Describe = (input: any, keyNames: KeyNames) => Touch[];

const onKey =
  (action: string): Describe =>
  (input) => [{ action, table: input.TableName, key: input.Key }];

const onTable =
  (action: string): Describe =>
  (input) => [{ action, table: input.TableName, ...(input.IndexName ? { index: input.IndexName } : {}) }];

const transactionActions: Readonly<Record<string, string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
};

/**
 * The operations that are served, and the permissions that DynamoDB asks for each (Service Authorization Reference,
 * "Actions for Amazon DynamoDB").
 */
const operations: Readonly<Record<string, Describe>> = {
  GetItem: onKey('GetItem'),
  PutItem: (input, keyNames) => [
    { action: 'PutItem', table: input.TableName, key: keyOf(input.Item, input.TableName, keyNames) },
  ],
  UpdateItem: onKey('UpdateItem'),
  DeleteItem: onKey('DeleteItem'),
  Query: onTable('Query'),
  Scan: onTable('Scan'),
  DescribeTable: onTable('DescribeTable'),
  DescribeTimeToLive: onTable('DescribeTimeToLive'),
  BatchGetItem: (input) =>
    Object.entries<any>(input.RequestItems ?? {}).flatMap(([table, request]) =>
      (request.Keys ?? []).map((key: AttributeMap) => ({ action: 'BatchGetItem', table, key })),
    ),
  BatchWriteItem: (input, keyNames) =>
    Object.entries<any>(input.RequestItems ?? {}).flatMap(([table, requests]) =>
      requests.map((request: any) => ({
        action: 'BatchWriteItem',
        table,
        key: request.DeleteRequest?.Key ?? keyOf(request.PutRequest?.Item, table, keyNames),
      })),
    ),
  TransactGetItems: (input) =>
    (input.TransactItems ?? []).map(({ Get }: any) => ({
      action: 'GetItem',
      table: Get.TableName,
      key: Get.Key,
    })),
  TransactWriteItems: (input, keyNames) =>
    (input.TransactItems ?? []).map((item: Record<string, any>) => {
      const [kind, request] = Object.entries(item)[0] ?? [];
      const action = transactionActions[kind ?? ''];
      if (!action) throw new AwsError('ValidationException', `${kind} is not an action of a transaction`);
      const key = request.Key ?? keyOf(request.Item, request.TableName, keyNames);
      return { action, table: request.TableName, key };
    }),
};

const SINGLE_WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem']);

export function isSingleWrite(operation: string): boolean {
  return SINGLE_WRITES.has(operation);
}

/**
 * What an operation touches, in the order of its input.
 * @throws AwsError `UnknownOperationException` for operations that are not served: tables are made from the template.
 */
export function touchesOf(operation: string, input: unknown, keyNames: KeyNames): Touch[] {
  const describe = operations[operation];
  if (!describe) throw new AwsError('UnknownOperationException', `dynamodb:${operation} is not served here`);
  return describe(input, keyNames);
}

function keyOf(item: AttributeMap | undefined, table: string, keyNames: KeyNames): AttributeMap {
  return Object.fromEntries(keyNames(table).map((name) => [name, item?.[name]]));
}
