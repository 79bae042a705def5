import { randomUUID } from 'node:crypto';
import { charges, left, openStore, order, type Store, sell, settled, totalOf, until } from '../store.ts';

export interface IdempotencyFigures {
  readonly requests: number;
  readonly statuses: readonly number[];
  readonly differentBodies: number;
  readonly orders: number;
  readonly charges: number;
  readonly unitsTaken: number;
  readonly otherBodyStatus: number;
  readonly otherBodyProblem: string;
  /** The last unit is bought, the answer is lost, and the shopper asks again. */
  readonly lastUnitRetryStatus: number;
  readonly lastUnitRetryReplayed: string | null;
  readonly lastUnitForOthers: number;
}

/** The same `POST /v1/orders` many times at once, and then the key with another body. */
export async function idempotency(requests = 100, contentionMs = 5): Promise<IdempotencyFigures> {
  // Several environments, so that they conflict with each other as they do on AWS.
  const store = await openStore({ environments: 4 });
  try {
    const { sku } = await sell(store, { stock: 500, shards: 4 });
    const lines = [{ sku, quantity: 1 }];
    const total = await totalOf(store, lines);
    const { token } = await store.account();
    const key = randomUUID();
    store.cloud.setContention(contentionMs);
    const answers = await Promise.all(
      Array.from({ length: requests }, () => order(store, { token, lines, total, key })),
    );
    store.cloud.setContention(undefined);
    await settled(store, token, answers[0]!.body.id, { payment: 'captured' });
    const other = await order(store, { token, lines: [{ sku, quantity: 2 }], total, key });
    const list = await store.request('GET', '/v1/orders?limit=100', { token });
    const book = await charges(store);
    const last = await lastUnit(store);
    return {
      requests,
      statuses: [...new Set(answers.map(({ status }) => status))],
      differentBodies: new Set(answers.map(({ text }) => text)).size,
      orders: list.body.items.length,
      charges: book.length,
      unitsTaken: 500 - (await left(store, sku)),
      otherBodyStatus: other.status,
      otherBodyProblem: other.body.type,
      ...last,
    };
  } finally {
    await store.stop();
  }
}

async function lastUnit(store: Store) {
  const { sku } = await sell(store, { stock: 1 });
  const lines = [{ sku, quantity: 1 }];
  const total = await totalOf(store, lines);
  const { token } = await store.account();
  const key = randomUUID();
  const lost = new AbortController();
  const first = order(store, { token, lines, total, key, signal: lost.signal }).catch(() => undefined);
  // Hang up once the unit is taken, most often before the answer is there.
  await until('the unit is taken', async () => (await left(store, sku)) === 0);
  lost.abort();
  await first;
  const retry = await order(store, { token, lines, total, key });
  const other = await order(store, { token: (await store.account()).token, lines, total });
  return {
    lastUnitRetryStatus: retry.status,
    lastUnitRetryReplayed: retry.headers.get('idempotent-replayed'),
    lastUnitForOthers: other.status,
  };
}
