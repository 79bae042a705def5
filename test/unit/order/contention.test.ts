import { describe, expect, it } from 'vitest';
import { shippingFee } from '../../../functions/cart/domain/rates.ts';
import { judge } from '../../../functions/inventory/domain/heat.ts';
import { isDomainError } from '../../../functions/kernel/errors.ts';
import { stockMemory } from '../../../functions/order/adapters/stock-memory.ts';
import {
  type Committed,
  type Placement,
  type Ports,
  placeOrder,
} from '../../../functions/order/app/place-order.ts';
import { randomOf } from '../../../local/random.ts';
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

const sku = 'sku_hot';
const price = 10_000;

/** As on AWS: a transaction is in flight for a while, and another that touches its items is cancelled. */
function world(shards: number[], seed: number) {
  const time = new VirtualTime();
  const random = randomOf(seed);
  const inFlight = new Set<number>();
  const revs = shards.map(() => 0);
  const told = { writes: 0, closings: 0, soldOut: false };
  const content = () => shards.map((available, shard) => ({ shard, available, rev: revs[shard]! }));
  const count = async () => {
    await time.sleep(8);
    return { shards: content(), soldOut: told.soldOut, opened: 0 };
  };
  /** Half of the replicas are this late. */
  const staleMs = 20;
  const hint = async () => {
    const seen = { shards: content(), soldOut: told.soldOut };
    await time.sleep(random() < 0.5 ? staleMs : 4);
    return seen;
  };
  const commit = async ({ draws }: Placement): Promise<Committed> => {
    told.writes += draws.length;
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
      .map(({ shard }) => ({ sku, shard, available: shards[shard]!, rev: revs[shard]! }));
    if (dry.length > 0) return { result: 'refused', dry, contended: [], cart: false, event: false };
    for (const { shard, quantity } of draws) {
      shards[shard]! -= quantity;
      revs[shard]!++;
    }
    return { result: 'placed' };
  };
  const ports: Ports = {
    findPlaced: async () => undefined,
    fallbackSlot: async () => undefined,
    readCart: async () => undefined,
    onSale: async () => {
      const sold = { price: { amount: price, currency: 'KRW' as const }, purchasable: true };
      return { prices: new Map([[sku, { sku, productId: 'prd_hot', name: 'Hot', ...sold }]]), drops: [] };
    },
    hintShards: async () => new Map([[sku, await hint()]]),
    readShards: async () => {
      await time.sleep(4);
      return new Map([[sku, { shards: content(), soldOut: told.soldOut }]]);
    },
    soldOutAmong: async () => {
      await time.sleep(4);
      return new Set(told.soldOut ? [sku] : []);
    },
    snapshot: count,
    closeLatch: async () => {
      told.closings++;
      await time.sleep(5);
      told.soldOut = true;
    },
    heat: () => 0,
    consolidate: async () => {},
    commit,
    now: () => time.now,
    sleep: time.sleep,
    random,
  };
  return { time, ports, told };
}

interface Reported {
  readonly at: number;
  readonly conflicts: number;
}

/** The ports of one execution environment, with what it remembers; it reports heat as the deployed one does. */
function environment(ports: Ports, reported: Reported[]): Ports {
  const memory = stockMemory(ports.now);
  return {
    ...ports,
    heat: memory.heat,
    hintShards: (skus) => memory.hints(skus, ports.hintShards, () => true),
    readShards: (skus) => memory.hints(skus, ports.readShards, () => true),
    commit: async (placement) => {
      const committed = await ports.commit(placement);
      memory.learn(placement, committed);
      for (const { conflicts } of memory.takeHeat()) reported.push({ at: ports.now(), conflicts });
      return committed;
    },
  };
}

/** Shoppers arrive at these moments, in milliseconds; each environment serves one at a time. */
async function rush(
  shards: number[],
  quantities: readonly number[],
  seed: number,
  arrivals: readonly number[] = Array(200).fill(0),
) {
  const { time, ports, told } = world(shards, seed);
  const goods = price * quantities.reduce((a, b) => a + b, 0);
  const idle: Ports[] = [];
  const reported: Reported[] = [];
  const serve = async (at: number, shopper: number): Promise<string> => {
    await time.sleep(at);
    const own = idle.pop() ?? environment(ports, reported);
    const answer = await placeOrder(own)({
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
    );
    idle.push(own);
    return answer;
  };
  const answers = arrivals.map(serve);
  await time.run();
  const codes = await Promise.all(answers);
  const placed = codes.filter((code) => code === 'placed').length;
  return {
    placed,
    outOfStock: codes.filter((code) => code === 'out-of-stock').length,
    left: shards.reduce((a, b) => a + b, 0),
    seconds: (time.now - noon) / 1_000,
    writesPerSale: (told.writes + told.closings) / placed,
    environments: idle.length,
    reported,
  };
}

/** Looks every two seconds, as the schedule does while something is hot; answers after how many seconds shards grow. */
function growsAfter(reported: readonly Reported[]): number | undefined {
  let heat = { sku, conflicts: 0, judged: 0, judgedAt: 0, streak: 0 };
  for (let seconds = 2; seconds <= 60; seconds += 2) {
    const now = noon + seconds * 1_000;
    const known = reported.filter(({ at }) => at <= now);
    const look = judge({ ...heat, conflicts: known.reduce((sum, one) => sum + one.conflicts, 0) }, now)!;
    if (look.grow) return seconds;
    heat = look.next;
  }
  return undefined;
}

describe.each([1, 2, 3])('heat, seed %i', (seed) => {
  const arrivals = (perSecond: number) =>
    Array.from({ length: perSecond * 6 }, (_, shopper) => (shopper * 1_000) / perSecond);

  it('of a shard that many want is reported for long enough to grow it', async () => {
    const { reported } = await rush([2_000], [1], seed, arrivals(100));
    expect(growsAfter(reported)).toBeLessThanOrEqual(4);
  });

  it('of one that few want grows nothing', async () => {
    const { reported, placed } = await rush([2_000], [1], seed, arrivals(5));
    expect(placed).toBe(30);
    expect(growsAfter(reported)).toBeUndefined();
  });
});

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

describe.each([1, 2, 3])('a drop of 500 units on 90 shards, seed %i', (seed) => {
  const even = Array.from({ length: 90 }, (_, shard) => (shard < 50 ? 6 : 5));

  it('333 shoppers a second: every unit is sold, with at most 1.3 stock writes a sale', async () => {
    const arrivals = Array.from({ length: 2_000 }, (_, shopper) => shopper * 3);
    const random = randomOf(seed + 100);
    const result = await rush(
      even,
      [1],
      seed,
      arrivals.map((at) => at + random() * 100),
    );

    expect(result).toMatchObject({ placed: 500, outOfStock: 1_500, left: 0 });
    expect(result.writesPerSale).toBeLessThanOrEqual(1.3);
  });
});
