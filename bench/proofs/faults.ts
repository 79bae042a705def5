import { randomUUID } from 'node:crypto';
import { fold, type Order, type OrderEvent } from '../../functions/order/domain/order.ts';
import type { LimitOptions } from '../../local/limits.ts';
import type { Caller, FaultRule, FaultsView } from '../../local/types.ts';
import {
  busyQueues,
  charges,
  type Goods,
  keepsDeadLetters,
  openStore,
  order,
  type Store,
  sell,
  totalOf,
  until,
} from '../store.ts';

export interface FaultSoakFigures {
  readonly purchases: number;
  /** Shoppers who were answered 201 in the end; they repeat their request, as an app does. */
  readonly accepted: number;
  readonly requests: number;
  readonly faults: number;
  /** Orders by status and what became of their money. */
  readonly ends: Readonly<Record<string, number>>;
  /** E-mails that came twice: SES sends again what it was not known to have sent. */
  readonly mailsTwice: number;
  readonly seconds: number;
}

export interface FaultSoak {
  readonly figures: FaultSoakFigures;
  readonly hits: FaultsView['hits'];
  /** Refusals by a limit, by service. */
  readonly throttles: Readonly<Record<string, number>>;
  /** What does not hold; nothing when all is well. */
  readonly wrong: readonly string[];
}

interface Shopper {
  readonly email: string;
  readonly token: string;
  readonly key: string;
}

const operator: Caller = { kind: 'operator' };
const stock = 100_000;
/**
 * Every limit of bench/limits.json, each so small that a few purchases meet it: what a crowd meets in a whole account.
 * Those of Lambda stay larger, or nobody would come to the others.
 */
export const smallAccount: LimitOptions = {
  factors: {
    '*': 0.0005,
    apigateway: 0.005,
    dynamodb: 0.02,
    lambda: 0.3,
    'provider.rate': 0.02,
    s3: 1,
    scheduler: 1,
    'ses.sendRate': 0.1,
    sqs: 1,
    'cognito-idp': 1,
  },
};
/** Whose refusals a proof of it must have met: a limit that nobody meets shows nothing. */
export const limitedServices = ['apigateway', 'dynamodb', 'events', 'lambda', 'provider', 'ses', 'states'];

/** How often a shopper repeats a request before giving up, and where limits make everybody wait. */
const patience = { plain: 12, limited: 300 };

/** Purchases in a store whose crossings can fail, and what its books say when all has come to rest. */
export class FaultyStore {
  readonly store: Store;
  readonly #goods: Goods;
  readonly #total: { amount: number; currency: string };
  readonly #invited: Shopper[] = [];
  readonly #shoppers: Shopper[] = [];
  readonly #accepted = new Map<string, Shopper>();
  readonly #patience: number;
  requests = 0;

  private constructor(
    store: Store,
    goods: Goods,
    total: { amount: number; currency: string },
    attempts: number,
  ) {
    this.store = store;
    this.#goods = goods;
    this.#total = total;
    this.#patience = attempts;
  }

  static async open(options: Parameters<typeof openStore>[0] = {}): Promise<FaultyStore> {
    const store = await openStore(options);
    const goods = await sell(store, { stock, shards: 4 });
    const total = await totalOf(store, [{ sku: goods.sku, quantity: 1 }]);
    return new FaultyStore(store, goods, total, options.limits ? patience.limited : patience.plain);
  }

  get faults() {
    return this.store.cloud.runtime.boundary.faults;
  }

  get accepted(): number {
    return this.#accepted.size;
  }

  get purchases(): number {
    return this.#shoppers.length;
  }

  /** Makes accounts for that many purchases to come, before faults are added: signing in runs a function too. */
  async invite(count: number): Promise<void> {
    while (this.#invited.length < count)
      this.#invited.push({ ...(await this.store.account()), key: randomUUID() });
  }

  /** Places orders of those who are invited, `width` at a time. */
  async buy(count: number, width = 8): Promise<void> {
    const waiting = this.#invited.splice(0, count);
    if (waiting.length < count) throw new Error(`${count} purchases, and ${waiting.length} are invited`);
    this.#shoppers.push(...waiting);
    const shop = async (): Promise<void> => {
      for (let next = waiting.shift(); next; next = waiting.shift()) await this.#place(next);
    };
    await Promise.all(Array.from({ length: width }, shop));
  }

  /** Repeats the request until it is answered, whatever came before. */
  async #place(shopper: Shopper): Promise<void> {
    const lines = [{ sku: this.#goods.sku, quantity: 1 }];
    for (let attempt = 0; attempt < this.#patience; attempt++) {
      this.requests++;
      const answer = await order(this.store, { ...shopper, lines, total: this.#total }).catch(
        () => undefined,
      );
      if (answer?.status === 201) {
        this.#accepted.set(answer.body.id, shopper);
        return;
      }
      // A page that nobody had an answer to is tried again; a clear no would be a defect here.
      if (answer && answer.status < 500 && answer.status !== 429)
        throw new Error(`refused: ${answer.status} ${answer.text}`);
      await new Promise((done) => setTimeout(done, 100));
    }
  }

  /**
   * Waits until no queue holds or hands out a message, dead letters aside. The clock is moved only when nothing happens
   * any more without it: what is merely slow must not come back, or its reservation end, for that.
   */
  async rest(): Promise<void> {
    let seen = '';
    let since = performance.now();
    for (let moves = 0; moves < 20; ) {
      const busy = (await busyQueues(this.store)).filter((queue) => !keepsDeadLetters(queue));
      if (busy.length === 0) return;
      const state = JSON.stringify([busy, this.#work()]);
      if (state !== seen) since = performance.now();
      seen = state;
      if (performance.now() - since > 1_500) {
        await this.#advance(90);
        moves++;
        since = performance.now();
      }
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  /** Refusals by a limit so far, by service. */
  throttles(): Record<string, number> {
    const throttles: Record<string, number> = {};
    for (const { service, counts } of this.store.cloud.runtime.meter.read().lines)
      if (counts.throttles) throttles[service] = (throttles[service] ?? 0) + counts.throttles;
    return throttles;
  }

  /** What functions have asked of the cloud so far. */
  #work(): number {
    const { lines } = this.store.cloud.runtime.meter.read();
    // Pollers ask all day long.
    const own = lines.filter(({ operation }) => operation !== 'ReceiveMessage');
    return own.flatMap(({ counts }) => Object.values(counts)).reduce((sum, count) => sum + count, 0);
  }

  #advance(advanceSeconds: number) {
    return this.store.request('POST', '/_local/clock', { json: { advanceSeconds } });
  }

  /** Waits until what is under way has ended, moving the clock so that what waits comes back. */
  async settle(): Promise<void> {
    const run = (schedule: string) =>
      this.store.request('POST', `/_local/schedules/${schedule}/run`, { json: {} });
    await until(
      'every order has ended',
      async () => {
        await this.#advance(120);
        await run('sweep-due');
        await this.rest();
        const orders = await this.#orders();
        return orders.every(({ status, open, wish }) => status !== 'placed' && !open && !wish);
      },
      150_000,
    );
    // The auditor looks at what is an hour old, and sends again what a consumer lost.
    for (let hour = 0; hour < 3; hour++) {
      await this.#advance(3_600);
      await run('audit-events');
      await this.rest();
    }
  }

  /** Everything that does not hold, in words. */
  async wrongs(): Promise<{ wrong: string[]; ends: Record<string, number>; mailsTwice: number }> {
    const wrong: string[] = [];
    const orders = await this.#orders();
    const byId = new Map(orders.map((one) => [one.id, one]));
    const book = await charges(this.store);
    const ends: Record<string, number> = {};
    for (const one of orders) {
      const end = `${one.status}, ${one.captured ? 'captured' : (one.settled ?? 'not paid')}`;
      ends[end] = (ends[end] ?? 0) + 1;
      if ((one.status === 'paid') !== (one.captured !== undefined)) wrong.push(`${one.id} is ${end}`);
      if (one.status === 'placed' || one.open || one.wish) wrong.push(`${one.id} has not ended`);
      const captures = book.filter(({ orderId, status }) => orderId === one.id && status === 'captured');
      if (captures.length !== (one.captured ? 1 : 0))
        wrong.push(`${one.id} was charged ${captures.length} times`);
      const holds = book.filter(({ orderId, status }) => orderId === one.id && status === 'authorized');
      if (holds.length > 0) wrong.push(`${one.id}: money is still held`);
    }
    for (const id of this.#accepted.keys())
      if (!byId.has(id)) wrong.push(`${id} was answered 201 and is lost`);
    const ordersOf = Map.groupBy(orders, ({ placed }) => placed.customerId);
    for (const [customer, own] of ordersOf)
      if (own.length > 1) wrong.push(`${customer} has ${own.length} orders`);
    for (const { orderId, status } of book)
      if (status === 'captured' && !byId.has(orderId)) wrong.push(`${orderId} was charged and is no order`);
    const sold = orders.filter(({ status }) => status === 'paid').length;
    const there = (await this.#scan('inventory'))
      .filter(({ sku, shard }) => sku === this.#goods.sku && shard !== undefined)
      .reduce((sum, { available }) => sum + available, 0);
    if (there !== stock - sold) wrong.push(`${there} units are left of ${stock}, ${sold} sold`);
    await this.#checkJournal(orders, wrong);
    const mailsTwice = await this.#checkMails(byId, wrong);
    return { wrong, ends, mailsTwice };
  }

  /** Each captured order is entered once, and every entry is balanced. */
  async #checkJournal(orders: readonly Order[], wrong: string[]): Promise<void> {
    const entries = (await this.#scan('finance')).filter(({ sk }) => String(sk).startsWith('ENTRY#'));
    for (const { sk, postings } of entries) {
      const sum = (postings ?? []).reduce(
        (total: number, { debit, credit }: any) => total + debit - credit,
        0,
      );
      if (sum !== 0) wrong.push(`${sk} is not balanced`);
    }
    const captures = entries.filter(({ postings }) => postings.some(({ kind }: any) => kind === 'capture'));
    const byOrder = Map.groupBy(captures, ({ orderId }) => orderId);
    for (const { id, captured } of orders) {
      const count = byOrder.get(id)?.length ?? 0;
      if (count !== (captured ? 1 : 0)) wrong.push(`${id} was entered ${count} times in the journal`);
    }
  }

  /** Each shopper who has paid was told so; twice only if SES did not say that it had sent. */
  async #checkMails(byId: ReadonlyMap<string, Order>, wrong: string[]): Promise<number> {
    let twice = 0;
    const { items } = (await this.store.request('GET', '/_local/messages')).body;
    for (const [id, { email }] of this.#accepted) {
      if (byId.get(id)?.status !== 'paid') continue;
      const mails = items.filter(({ to }: any) => to.includes(email)).length;
      if (mails === 0) wrong.push(`${id} is paid, and nobody was told`);
      if (mails > 1) twice += mails - 1;
    }
    return twice;
  }

  async #orders(): Promise<Order[]> {
    const items = (await this.#scan('order')).filter(({ sk }) => String(sk).startsWith('EVENT#'));
    const events = items as unknown as OrderEvent[];
    return [...Map.groupBy(events, ({ orderId }) => orderId).values()].map((own) =>
      fold(own.toSorted((a, b) => a.seq - b.seq)),
    );
  }

  async #scan(table: string): Promise<Record<string, any>[]> {
    const { runtime } = this.store.cloud;
    const tables = runtime.resources('AWS::DynamoDB::Table');
    const TableName = tables.find(({ logicalId }) =>
      logicalId.toLowerCase().startsWith(`${table}table`),
    )!.ref;
    const items: Record<string, any>[] = [];
    for (let start: unknown; ; ) {
      const input = {
        TableName,
        ConsistentRead: true,
        ...(start !== undefined && { ExclusiveStartKey: start }),
      };
      const page = await runtime.call('dynamodb', 'Scan', input, operator);
      items.push(...page.Items.map((item: any) => plain({ M: item })));
      start = page.LastEvaluatedKey;
      if (!start) return items;
    }
  }
}

/**
 * Purchases under faults that a seed chooses, anywhere, and under AWS's limits where they are given. The same seed asks
 * for the same faults in the same order.
 */
export async function faults({
  purchases = 200,
  seed = 1,
  probability = 0.01,
  limits,
  log = (_: string) => {},
}: {
  purchases?: number;
  seed?: number;
  probability?: number;
  limits?: LimitOptions;
  log?: (line: string) => void;
} = {}): Promise<FaultSoak> {
  const begun = performance.now();
  const faulty = await FaultyStore.open({ contentionMs: 2, quiet: true, ...(limits && { limits }) });
  try {
    await faulty.invite(purchases);
    const rule: FaultRule = { at: {}, fault: 'any', probability, seed };
    // Jumps of a minute each would let every reservation expire.
    // A throttle that is a fault would look like one of a limit.
    faulty.faults.add({ ...rule, except: ['clock-jump', ...(limits ? (['throttle'] as const) : [])] });
    faulty.faults.add({ at: {}, fault: 'clock-jump', probability: probability / 50, seed, delayMs: 5_000 });
    for (let done = 0; done < purchases; done += 50) {
      await faulty.buy(Math.min(50, purchases - done));
      log(`${Math.min(purchases, done + 50)}/${purchases} purchases`);
    }
    await new Promise((done) => setTimeout(done, 2_000));
    const { hits } = faulty.faults.view();
    faulty.faults.clear();
    log('settling');
    await faulty.settle();
    const { wrong, ends, mailsTwice } = await faulty.wrongs();
    const figures = {
      purchases: faulty.purchases,
      accepted: faulty.accepted,
      requests: faulty.requests,
      faults: hits.reduce((sum, { count }) => sum + count, 0),
      ends,
      mailsTwice,
      seconds: Math.round((performance.now() - begun) / 1000),
    };
    return { figures, hits, throttles: faulty.throttles(), wrong };
  } finally {
    await faulty.store.stop();
  }
}

/** A value of DynamoDB's typed JSON. */
function plain(typed: Record<string, any>): any {
  const [type, value] = Object.entries(typed)[0]!;
  switch (type) {
    case 'N':
      return Number(value);
    case 'M':
      return Object.fromEntries(Object.entries<any>(value).map(([name, inner]) => [name, plain(inner)]));
    case 'L':
      return value.map(plain);
    default:
      return value;
  }
}
