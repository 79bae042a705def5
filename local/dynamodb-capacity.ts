/*
 * Request units of DynamoDB's on-demand tables, by its rules
 * (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html and
 * .../read-write-operations.html): a write unit for each KB of the larger of the item before and after, a read unit for
 * each 4 KB read strongly consistently, half of one eventually consistently, twice of either in a transaction; the items of a
 * batch each for itself, those of a query together; an index as an item of its own size, and only when what it holds
 * changes.
 *
 * Successful requests are answered with their units by the backend. What it does not answer is worked out here:
 * failed conditions (the KBs of the item that is there, one at least), cancelled transactions (what they would have
 * cost) and conflicts. AWS's documents do not say whether a transaction's writes to an index count twice as well;
 * here they do, so that the figure is an upper bound.
 */

const WRITE_BYTES = 1024;
const WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem', 'TransactWriteItems']);
const READS = new Set(['GetItem', 'BatchGetItem', 'Query', 'Scan', 'TransactGetItems']);

/** What one request to one table or index is billed as. */
export interface Capacity {
  readonly table: string;
  readonly counts: {
    readonly readUnits?: number;
    readonly writeUnits?: number;
    readonly indexWriteUnits?: number;
  };
}

/** Whether an operation costs request units. */
export function isBilled(operation: string): boolean {
  return WRITES.has(operation) || READS.has(operation);
}

/** The units of a successful answer. @param consumed its `ConsumedCapacity`, asked for with `INDEXES` */
export function capacityOf(operation: string, consumed: any): Capacity[] {
  const tables: any[] = Array.isArray(consumed) ? consumed : [consumed];
  return tables.map(({ TableName: table, CapacityUnits: units, GlobalSecondaryIndexes = {} }) => {
    if (READS.has(operation)) return { table, counts: { readUnits: units } };
    const ofIndexes = Object.values<any>(GlobalSecondaryIndexes).reduce(
      (sum, one) => sum + one.CapacityUnits,
      0,
    );
    const indexWriteUnits = operation === 'TransactWriteItems' ? 2 * ofIndexes : ofIndexes;
    return {
      table,
      counts: {
        writeUnits: units - ofIndexes + indexWriteUnits,
        // Part of the above.
        ...(indexWriteUnits > 0 && { indexWriteUnits }),
      },
    };
  });
}

/** The units of a request that failed its conditions or met another write; none for any other failure. */
export function capacityOfFailure(
  operation: string,
  input: any,
  error: { code: string; members: any },
): Capacity[] {
  const { code, members } = error;
  if (code === 'ConditionalCheckFailedException' || code === 'TransactionConflictException') {
    return [{ table: input.TableName, counts: { writeUnits: unitsOf(members.Item) } }];
  }
  if (code !== 'TransactionCanceledException') return [];
  const reasons: any[] = members.CancellationReasons ?? [];
  return (input.TransactItems ?? []).map((action: Record<string, any>, index: number) => {
    const [request] = Object.values(action);
    if (operation === 'TransactGetItems') return { table: request.TableName, counts: { readUnits: 2 } };
    // An item that is updated or deleted and was not shown is taken to be no larger than 1 KB.
    const units = Math.max(unitsOf(request.Item), unitsOf(reasons[index]?.Item));
    return { table: request.TableName, counts: { writeUnits: 2 * units } };
  });
}

function unitsOf(item: Record<string, any> | undefined): number {
  return Math.max(1, Math.ceil(itemBytes(item ?? {}) / WRITE_BYTES));
}

/**
 * The size of an item as it is billed.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function itemBytes(item: Record<string, any>): number {
  return Object.entries(item).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value),
    0,
  );
}

function valueBytes(value: Record<string, any>): number {
  const [type, content] = Object.entries(value)[0] ?? [];
  switch (type) {
    case 'S':
      return Buffer.byteLength(content);
    case 'N':
      return numberBytes(content);
    case 'B':
      return Buffer.from(content, 'base64').length;
    case 'SS':
      return content.reduce((sum: number, one: string) => sum + Buffer.byteLength(one), 0);
    case 'NS':
      return content.reduce((sum: number, one: string) => sum + numberBytes(one), 0);
    case 'M':
      return 3 + Object.keys(content).length + itemBytes(content);
    case 'L':
      return 3 + content.reduce((sum: number, one: any) => sum + 1 + valueBytes(one), 0);
    default:
      return 1;
  }
}

/** One byte for two significant digits, and one more. */
function numberBytes(text: string): number {
  const digits = text
    .replace(/e.*$/i, '')
    .replace(/[-+.]/g, '')
    .replace(/^0+|0+$/g, '');
  return Math.ceil(digits.length / 2) + 1;
}
