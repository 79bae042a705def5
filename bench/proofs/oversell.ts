import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  charges,
  type Line,
  left,
  openStore,
  order,
  runSchedule,
  type Store,
  sell,
  settled,
  totalOf,
} from '../store.ts';

export interface OversellCase {
  readonly name: string;
  readonly shoppers: number;
  readonly stock: number;
  readonly shards: number;
  /** What each shopper wants of the one SKU. */
  readonly quantities: readonly number[];
  /** Units that one shopper holds without paying until everybody else was answered; then they come back for others. */
  readonly heldBack?: number;
  /** Whether the SKU gets more shards by heat while it sells. */
  readonly grows?: true;
}

export interface OversellFigures {
  readonly case: OversellCase;
  /** Requests, those that came after the units had come back included. */
  readonly asked: number;
  readonly unitsSold: number;
  readonly accepted: number;
  readonly outOfStock: number;
  readonly other: Readonly<Record<string, number>>;
  /** Answers 503, after which the shopper came again: nobody gets one unless the machine is too slow for the crowd. */
  readonly cameAgain: number;
  /** Orders whose payment is captured, and what they come to in minor units. */
  readonly captured: number;
  readonly capturedAmount: number;
  /** The provider's own book: charges captured, and holds that nobody gave up. */
  readonly charged: number;
  readonly chargedAmount: number;
  readonly holdsLeft: number;
  readonly stockLeft: number;
  /** Shards at the end. */
  readonly shards: number;
  /** Actions on stock, refused ones included, for each order accepted. */
  readonly stockWritesPerSale: number;
  /** Whether the latch was closed when the crowd was answered, and what it cost in stock writes to be refused by it. */
  readonly latched: boolean;
  readonly writesWhileLatched: number;
  /** Of the units that came back, how many were sold again. */
  readonly soldAgain: number;
}

/** Each ends with exactly `stock` units sold, whoever gets them. */
export const oversellCases: readonly OversellCase[] = [
  { name: 'one shard', shoppers: 200, stock: 50, shards: 1, quantities: [1] },
  { name: 'eight shards', shoppers: 200, stock: 50, shards: 8, quantities: [1] },
  { name: 'two lines on one SKU', shoppers: 200, stock: 50, shards: 8, quantities: [1, 1] },
  { name: 'lines larger than a shard', shoppers: 200, stock: 50, shards: 8, quantities: [10] },
  // Nobody may be turned away: a false "sold out" would show here.
  { name: 'a unit for everybody, one shard', shoppers: 50, stock: 50, shards: 1, quantities: [1] },
  { name: 'a unit for everybody, eight shards', shoppers: 50, stock: 50, shards: 8, quantities: [1] },
  {
    name: 'units come back after the latch closed',
    shoppers: 100,
    stock: 50,
    shards: 8,
    quantities: [1],
    heldBack: 10,
  },
  {
    name: 'one shard that grows by heat',
    shoppers: 200,
    stock: 50,
    shards: 1,
    quantities: [1],
    grows: true,
  },
];

/** Of the clock while the crowd buys: how long a buyer is kept waiting must not depend on the machine. */
const pace = 0.25;

/** A store whose functions run in several environments, so that they conflict with each other as they do on AWS. */
export class Crowd {
  readonly store: Store;
  readonly #shoppers: Promise<Shopper>[] = [];

  private constructor(store: Store) {
    this.store = store;
  }

  static async gather(): Promise<Crowd> {
    return new Crowd(await openStore({ environments: 4 }));
  }

  /** Shoppers with accounts: the same ones for every case, from the `from`-th on. */
  shoppers(count: number, from = 0): Promise<Shopper[]> {
    while (this.#shoppers.length < from + count) this.#shoppers.push(this.store.account());
    return Promise.all(this.#shoppers.slice(from, from + count));
  }

  stop(): Promise<void> {
    return this.store.stop();
  }
}

type Shopper = Awaited<ReturnType<Store['account']>>;

/**
 * All shoppers at once, with transactions in conflict as on AWS: how many units were sold, what everybody was
 * answered, and whether the provider's book and the stock agree.
 */
export async function oversell(crowd: Crowd, one: OversellCase, contentionMs = 5): Promise<OversellFigures> {
  const { store } = crowd;
  try {
    const goods = await sell(store, { stock: one.stock, shards: one.shards });
    const lines: Line[] = one.quantities.map((quantity) => ({ sku: goods.sku, quantity }));
    const total = await totalOf(store, lines);
    const chargedBefore = new Set((await charges(store)).map(({ id }) => id));
    const shoppers = await crowd.shoppers(one.shoppers);
    // Those who come after the crowd, and again; the last one holds units.
    const latecomers = 2 * (one.heldBack ?? 0);
    const later = await crowd.shoppers(latecomers, one.shoppers);
    const again = await crowd.shoppers(latecomers, one.shoppers + latecomers);
    if (one.heldBack) {
      const held = [{ sku: goods.sku, quantity: one.heldBack }];
      const [holder] = await crowd.shoppers(1, one.shoppers + 2 * latecomers);
      const { token } = holder!;
      const placed = await order(store, {
        token,
        lines: held,
        total: await totalOf(store, held),
        payWith: null,
      });
      if (placed.status !== 201) throw new Error(`nothing is held: ${placed.status} ${placed.text}`);
    }
    await store.request('DELETE', '/_local/meter');
    store.cloud.setContention(contentionMs);
    await store.cloud.runtime.clock.run(pace);
    let cameAgain = 0;
    const patiently = async (token: string) => {
      for (const key = randomUUID(); ; cameAgain++) {
        const answer = await order(store, { token, lines, total, key });
        if (answer.status !== 503) return answer;
        await pause(1_000 * Number(answer.headers.get('retry-after')) * Math.random());
      }
    };
    const everybody = (crowd: typeof shoppers) => Promise.all(crowd.map(({ token }) => patiently(token)));
    const growing = one.grows ? keepGrowing(store) : undefined;
    const answers = await everybody(shoppers);
    await growing?.stop();
    const stockWrites = await stockWritesOf(store);
    const sales = answers.filter(({ status }) => status === 201).length;
    const latched = (await stockOf(store, goods.sku)).soldOut;
    let writesWhileLatched = 0;
    let soldAgain = 0;
    if (one.heldBack) {
      answers.push(...(await everybody(later)));
      writesWhileLatched = (await stockWritesOf(store)) - stockWrites;
      // Who has paid keeps what they bought; the held units expire.
      await Promise.all(
        answers.map(({ status, body }, index) =>
          status === 201
            ? settled(store, shoppers[index]!.token, body.id, { payment: 'captured' }, 120_000)
            : undefined,
        ),
      );
      await store.request('POST', '/_local/clock', { json: { advanceSeconds: 16 * 60 } });
      await runSchedule(store, 'sweep-due');
      shoppers.push(...later);
      const answersAgain = await everybody(again);
      shoppers.push(...again);
      answers.push(...answersAgain);
      soldAgain = answersAgain.filter(({ status }) => status === 201).length;
    }

    const accepted = answers.flatMap(({ status, body }, index) =>
      status === 201 ? [{ id: body.id as string, token: shoppers[index]!.token }] : [],
    );
    const paid = await Promise.all(
      accepted.map(({ id, token }) => settled(store, token, id, { payment: 'captured' }, 120_000)),
    );
    const refusals = answers.filter(({ status }) => status !== 201);
    const outOfStock = refusals.filter(
      ({ status, body }) => status === 409 && body.type.endsWith('/out-of-stock'),
    );
    const book = (await charges(store)).filter(({ id }) => !chargedBefore.has(id));
    const captured = book.filter(({ status }) => status === 'captured');
    return {
      case: one,
      asked: answers.length,
      unitsSold: accepted.length * one.quantities.reduce((a, b) => a + b, 0),
      accepted: accepted.length,
      outOfStock: outOfStock.length,
      other: tally(
        refusals.filter((answer) => !outOfStock.includes(answer)).map(({ status }) => String(status)),
      ),
      cameAgain,
      captured: paid.length,
      capturedAmount: sumOf(paid.map(({ payment }) => payment.amountCaptured.amount)),
      charged: captured.length,
      chargedAmount: sumOf(captured.map(({ amount }) => amount.amount)),
      holdsLeft: book.filter(({ status }) => status === 'authorized').length,
      stockLeft: await left(store, goods.sku),
      shards: (await stockOf(store, goods.sku)).shards.length,
      stockWritesPerSale: Math.round((100 * stockWrites) / sales) / 100,
      latched,
      writesWhileLatched,
      soldAgain,
    };
  } finally {
    store.cloud.setContention(undefined);
    await store.cloud.runtime.clock.run(1);
  }
}

async function stockOf(store: Store, sku: string) {
  const { body } = await store.request('GET', `/v1/admin/stock/${sku}`, { token: await store.operator() });
  return body as { soldOut: boolean; shards: unknown[] };
}

/** Actions of orders on stock since the meter was reset. A write in a transaction costs two units. */
async function stockWritesOf(store: Store): Promise<number> {
  const { body } = await store.request('GET', '/_local/meter');
  const lines = body.lines as {
    service: string;
    resource: string;
    by: string;
    counts: Record<string, number>;
  }[];
  return sumOf(
    lines
      .filter(
        ({ service, resource, by }) =>
          service === 'dynamodb' && /inventory/i.test(resource) && /place-?order/i.test(by),
      )
      .map(({ counts }) => (counts.writeUnits ?? 0) / 2),
  );
}

/** Looks for heat over and over, as the schedule does, until it is stopped. */
function keepGrowing(store: Store) {
  let on = true;
  const done = (async () => {
    while (on) {
      await runSchedule(store, 'grow-shards');
      await new Promise((next) => setTimeout(next, 100));
    }
  })();
  return {
    stop: () => {
      on = false;
      return done;
    },
  };
}

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function sumOf(amounts: readonly number[]): number {
  return amounts.reduce((sum, amount) => sum + amount, 0);
}
