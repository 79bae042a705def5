import {
  busyQueues,
  type Goods,
  keepsDeadLetters,
  order,
  type Store,
  settled,
  totalOf,
  until,
} from '../../../bench/store.ts';
import type { Caller } from '../../../local/types.ts';

const operator: Caller = { kind: 'operator' };

/** A table's item in DynamoDB's typed JSON, without its keys' order. */
export type Item = Record<string, any>;

/** What the tests of the outbox look at and break, in a store that runs. */
export function outboxOf(store: Store) {
  const { runtime } = store.cloud;
  const call = (service: string, operation: string, input: object) =>
    runtime.call(service, operation, input, operator);
  const tableName = (name: string) =>
    runtime
      .resources('AWS::DynamoDB::Table')
      .find(({ logicalId }) => logicalId.toLowerCase().startsWith(`${name}table`))!.ref;
  const scan = async (name: string): Promise<Item[]> => {
    const items: Item[] = [];
    for (let start: Item | undefined; ; ) {
      const page = await call('dynamodb', 'Scan', {
        TableName: tableName(name),
        ConsistentRead: true,
        ...(start && { ExclusiveStartKey: start }),
      });
      items.push(...page.Items);
      start = page.LastEvaluatedKey;
      if (!start) return items;
    }
  };

  /** Moves the clock, which makes schedules run that come due. */
  const advance = (seconds: number) =>
    store.request('POST', '/_local/clock', { json: { advanceSeconds: seconds } });
  const isQuiet = async (): Promise<boolean> => {
    return (await busyQueues(store)).every(keepsDeadLetters);
  };

  return {
    call,
    tableName,
    scan,
    put: (name: string, Item: Item) => call('dynamodb', 'PutItem', { TableName: tableName(name), Item }),
    remove: (name: string, { pk, sk }: Item) =>
      call('dynamodb', 'DeleteItem', { TableName: tableName(name), Key: { pk, sk } }),
    /** Journal entries of an order. */
    entries: async (orderId: string) =>
      (await scan('finance')).filter((item) => item.orderId?.S === orderId && item.sk.S.startsWith('ENTRY#')),
    /** The mail log's items of an order. */
    marks: async (orderId: string) =>
      (await scan('notification')).filter((item) => item.orderId?.S === orderId),
    /** The order's row in the operators' list. */
    row: async (orderId: string) =>
      (await scan('reporting')).find(({ pk, sk }) => pk.S === `ORDER#${orderId}` && sk.S === 'ROW'),
    mails: async (email: string): Promise<unknown[]> =>
      (await store.request('GET', `/_local/messages?to=${encodeURIComponent(email)}`)).body.items,
    advance,
    /** Waits until no queue holds or hands out a message, dead letters aside. */
    quiet: () => until('the queues are empty', isQuiet),
    /** The same, while the clock moves on: what a consumer fails at comes back until it is given up. */
    settle: () =>
      until('the queues are empty in the end', async () => {
        if (await isQuiet()) return true;
        await advance(300);
        return false;
      }),
    deadLetters: async (consumer: RegExp): Promise<number> => {
      const { items } = (await store.request('GET', '/_local/queues')).body;
      return items
        .filter((queue: any) => consumer.test(queue.name) && keepsDeadLetters(queue))
        .reduce((sum: number, { visible }: any) => sum + visible, 0);
    },
  };
}

/** A shopper who buys one unit, and what came of it. */
export async function purchase(
  store: Store,
  goods: Goods,
  options: { payWith?: string; whilePending?: (orderId: string) => void | Promise<void> } = {},
) {
  const { email, token } = await store.account();
  const lines = [{ sku: goods.sku, quantity: 1 }];
  const total = await totalOf(store, lines);
  const placed = await order(store, {
    token,
    lines,
    total,
    ...(options.payWith && { payWith: options.payWith }),
  });
  if (placed.status !== 201) throw new Error(`not placed: ${placed.status} ${placed.text}`);
  await options.whilePending?.(placed.body.id);
  await settled(store, token, placed.body.id, { payment: 'captured' });
  return { email, token, orderId: placed.body.id as string };
}
