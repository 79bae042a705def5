import { endpointFromEnvironment, refusalOf, sendSigned } from './aws-request.ts';
import type { Ended, Ending } from './ended-sessions.ts';
import type { Pressure } from './pressure.ts';
import type { SharedCount } from './quota.ts';

/*
 * The table `limits`, as every function with a route uses it: without the SDK, which some of them do not have, and
 * with little patience, as a request waits for it. `functions/limits/keys.ts` has the chart.
 */

export const pressureKey = { pk: 'PRESSURE', sk: 'NOW' } as const;
export const quotaPartitionPrefix = 'QUOTA#';
const endedPartition = 'ENDED';

/** Milliseconds. */
const answerWithin = 300;

/**
 * @param within milliseconds
 * @throws Error when it cannot be read in time
 */
export async function readPressure(table: string, within = answerWithin): Promise<Pressure> {
  const { Item } = await call('GetItem', { TableName: table, Key: stringKey(pressureKey) }, within);
  return pressureOf(Item ?? {});
}

/** The item of the pressure with its attributes as DynamoDB writes them. Each part is there with its time, or not at all. */
function pressureOf(item: Record<string, { N?: string } | undefined>): Pressure {
  const number = (name: string) => Number(item[name]?.N);
  return {
    ...(item.measuredAt && { measured: { level: number('measuredLevel'), at: number('measuredAt') } }),
    ...(item.orderedUntil && { ordered: { level: number('orderedLevel'), until: number('orderedUntil') } }),
    ...(item.quotasUntil && { quotas: { factor: number('quotaFactor'), until: number('quotasUntil') } }),
    ...(item.endings && { endings: { count: number('endings'), at: number('endedAt') } }),
  };
}

/** Endings sort by their time: milliseconds in thirteen digits, as they have until the year 2286. */
export function endedKey({ ended, at }: Ending): { pk: string; sk: string } {
  const [kind, id] = 'session' in ended ? ['SESSION', ended.session] : ['CUSTOMER', ended.customer];
  return { pk: endedPartition, sk: `${String(at).padStart(13, '0')}#${kind}#${id}` };
}

function endingOf(sk: string): Ending {
  const [at, kind, id = ''] = sk.split('#');
  const ended: Ended = kind === 'SESSION' ? { session: id } : { customer: id };
  return { ended, at: Number(at) };
}

/**
 * The sessions that ended since then.
 * @param since milliseconds since the epoch
 * @param within milliseconds, for each page
 * @throws Error when they cannot be read in time
 */
export async function readEndings(
  table: string,
  since: number,
  within = answerWithin,
): Promise<readonly Ending[]> {
  const endings: Ending[] = [];
  let from: object | undefined;
  do {
    const query = {
      TableName: table,
      KeyConditionExpression: 'pk = :ended AND sk >= :since',
      ExpressionAttributeValues: {
        ':ended': { S: endedPartition },
        ':since': { S: String(since).padStart(13, '0') },
      },
      ConsistentRead: true,
      ...(from && { ExclusiveStartKey: from }),
    };
    const { Items, LastEvaluatedKey } = await call('Query', query, within);
    endings.push(...(Items as { sk: { S: string } }[]).map(({ sk }) => endingOf(sk.S)));
    from = LastEvaluatedKey;
  } while (from);
  return endings;
}

/** Counts requests of a caller in one item a window, which DynamoDB deletes some time after it. */
export function sharedCount(table: string): SharedCount {
  return async ({ name, caller, window, endsAt }, requests) => {
    const { Attributes } = await call('UpdateItem', {
      TableName: table,
      Key: stringKey({ pk: `${quotaPartitionPrefix}${name}#${caller}`, sk: String(window) }),
      UpdateExpression: 'ADD requests :requests SET expiresAt = :expiresAt',
      ExpressionAttributeValues: {
        ':requests': { N: String(requests) },
        ':expiresAt': { N: String(Math.ceil(endsAt) + 3_600) },
      },
      ReturnValues: 'UPDATED_NEW',
    });
    return Number(Attributes?.requests?.N);
  };
}

function stringKey({ pk, sk }: { readonly pk: string; readonly sk: string }) {
  return { pk: { S: pk }, sk: { S: sk } };
}

async function call(operation: string, input: object, within = answerWithin): Promise<any> {
  const response = await sendSigned(
    {
      service: 'dynamodb',
      method: 'POST',
      url: new URL(
        endpointFromEnvironment('DYNAMODB') ?? `https://dynamodb.${process.env.AWS_REGION}.amazonaws.com/`,
      ),
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `DynamoDB_20120810.${operation}`,
      },
      body: JSON.stringify(input),
    },
    within,
  );
  if (!response.ok) throw await refusalOf(response);
  return response.json();
}
