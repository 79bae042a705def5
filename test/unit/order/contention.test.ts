import { describe, expect, it } from 'vitest';
import { shippingFee } from '../../../functions/cart/domain/rates.ts';
import { isDomainError } from '../../../functions/kernel/errors.ts';
import {
  type Committed,
  type Placement,
  type Ports,
  placeOrder,
} from '../../../functions/order/app/place-order.ts';
import { noon, shippingAddress, traceparent } from './given.ts';

/** Time that stands still while anybody works, and then jumps to whoever wakes first. */
class VirtualTime {
  now = noon;
  readonly #sleepers: { at: number; wake: () => void }[] = [];

  sleep = (ms: number): Promise<void> =>
    new Promise((wake) => void this.#sleepers.push({ at: this.now + ms, wake }));

  async run(): Promise<void> {
    for (;;) {
      // Everybody who is awake goes on until they sleep.
      await new Promise((done) => setImmediate(done));
      const next = this.#sleepers.sort((a, b) => a.at - b.at).shift();
      if (!next) return;
      this.now = next.at;
      next.wake();
    }
  }
}

/** A generator with a seed (mulberry32): the same run each time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const sku = 'sku_hot';
const price = 10_000;

/** As on AWS: a transaction is in flight for a while, and another that touches its items is cancelled. */
function world(shards: number[], seed: number) {
  const time = new VirtualTime();
  const random = seeded(seed);
  const inFlight = new Set<number>();
  const read = async () => {
    await time.sleep(4);
    return shards.map((available, shard) => ({ shard, available, rev: 0 }));
  };
  const commit = async ({ draws }: Placement): Promise<Committed> => {
    const contended = draws.filter(({ shard }) => inFlight.has(shard));
    if (contended.length > 0) {
      await time.sleep(6);
      return { result: 'refused', dry: [], contended, cart: false, event: false };
    }
    for (const { shard } of draws) inFlight.add(shard);
    await time.sleep(12);
    for (const { shard } of draws) inFlight.delete(shard);
    const dry = draws
      .filter(({ shard, quantity }) => shards[shard]! < quantity)
      .map(({ shard }) => ({ sku, shard, available: shards[shard]! }));
    if (dry.length > 0) return { result: 'refused', dry, contended: [], cart: false, event: false };
    for (const { shard, quantity } of draws) shards[shard]! -= quantity;
    return { result: 'placed' };
  };
  const ports: Ports = {
    findPlaced: async () => undefined,
    dropsOf: async () => [],
    fallbackSlot: async () => undefined,
    readCart: async () => undefined,
    readPrices: async () =>
      new Map([
        [
          sku,
          {
            sku,
            productId: 'prd_hot',
            name: 'Hot',
            price: { amount: price, currency: 'KRW' },
            purchasable: true,
          },
        ],
      ]),
    hintShards: async () => new Map([[sku, await read()]]),
    snapshot: read,
    consolidate: async () => {},
    commit,
    now: () => time.now,
    sleep: time.sleep,
    random,
  };
  return { time, ports };
}

async function rush(shards: number[], quantities: readonly number[], seed: number) {
  const { time, ports } = world(shards, seed);
  const goods = price * quantities.reduce((a, b) => a + b, 0);
  const answers = Array.from({ length: 200 }, (_, shopper) =>
    placeOrder(ports)({
      customerId: `customer-${shopper}`,
      idempotencyKey: 'key',
      body: {
        lines: quantities.map((quantity) => ({ sku, quantity })),
        shippingAddress,
        shippingMethod: 'standard',
        expectedTotal: { amount: goods + shippingFee('KRW', 'standard', goods), currency: 'KRW' },
      },
      locale: 'ko',
      traceparent,
    }).then(
      () => 'placed',
      (error) => (isDomainError(error) ? error.code : String(error)),
    ),
  );
  await time.run();
  const codes = await Promise.all(answers);
  return {
    placed: codes.filter((code) => code === 'placed').length,
    outOfStock: codes.filter((code) => code === 'out-of-stock').length,
    left: shards.reduce((a, b) => a + b, 0),
    seconds: (time.now - noon) / 1_000,
  };
}

describe.each([1, 2, 3])('200 environments at once for 50 units, seed %i', (seed) => {
  it.each([
    ['one shard', [50], [1], 50],
    ['eight shards', [7, 7, 6, 6, 6, 6, 6, 6], [1], 50],
    ['two lines on one SKU', [7, 7, 6, 6, 6, 6, 6, 6], [1, 1], 25],
    ['lines larger than a shard', [7, 7, 6, 6, 6, 6, 6, 6], [10], 5],
  ] as const)(
    '%s: everything is sold, and everybody else is told so',
    async (_name, shards, quantities, placed) => {
      const result = await rush([...shards], quantities, seed);
      expect(result).toMatchObject({ placed, outOfStock: 200 - placed, left: 0 });
      expect(result.seconds).toBeLessThan(10);
    },
  );
});
