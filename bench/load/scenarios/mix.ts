import { type Goods, type Line, sell } from '../../store.ts';
import { openLoop, poisson } from '../arrivals.ts';
import { criteriaOf, type Observations, type Sums } from '../criteria.ts';
import type { Ground, Scenario } from '../ground.ts';
import type { HttpAnswer } from '../http-client.ts';
import { checkInvariants } from '../invariants.ts';
import { between, ranks, weighted } from '../random.ts';

/** The parts of the transactions, as the benchmark has them in percent. */
const parts = [
  ['checkout', 30.7],
  ['dashboard', 5],
  ['price update', 3],
  ['product replace', 2],
  ['delivery update', 59.4],
] as const;

const products = 50;
const unitsEach = 1_000_000;
const mostLines = 10;
const mostUnits = 3;
/** Entries of a page of the dashboard, and how many of them are held against their order. */
const entries = 20;
const looked = 3;

interface Slot {
  goods: Goods;
  /** Somebody changes it: one operator at a time. */
  busy: boolean;
}

/** Moments on the clock of the load. */
interface Timed {
  readonly answer: HttpAnswer;
  readonly from: number;
  readonly until: number;
}

/** The benchmark "Online Marketplace": its transactions, and its criteria. */
export const mix: Scenario = async (ground) => {
  const { client, options, random } = ground;
  const operator = await client.operator();
  const slots: Slot[] = [];
  for (let number = 0; number < products; number++) {
    const goods = await sell(client, {
      name: `Celadon cup no. ${number}`,
      stock: unitsEach,
      amount: 1_000_000,
    });
    slots.push({ goods, busy: false });
  }
  const arrivals = poisson([{ seconds: options.seconds, rate: options.rate }], random);
  const tokens = await ground.shoppers(Math.min(1_000, Math.max(1, arrivals.length)));
  const market = new Market(ground, slots, operator);
  return {
    run: () =>
      openLoop(ground.clock, arrivals, (index, due) => {
        const token = tokens[index % tokens.length]!;
        return market.transaction(weighted(random, parts), index, token, due);
      }),
    conclude: async () => {
      const { checks, orders } = await checkInvariants(ground, market.stock);
      await readHistories(ground, market.seen);
      const actual = sumsOf(orders.map(({ status, total }) => ({ status, total })));
      market.seen.sums = { dashboard: await dashboardSums(ground, operator, actual), orders: actual };
      return {
        figures: { distribution: options.distribution, ...market.figures() },
        checks: [...criteriaOf(market.seen), ...checks],
      };
    },
  };
};

/** Goods, shoppers and operators, and all that they have seen. */
class Market {
  readonly seen: { -readonly [Name in keyof Observations]: Observations[Name] } = {
    writes: [],
    reads: [],
    checkouts: [],
    replacements: [],
    histories: [],
    dashboard: [],
    sums: undefined,
  };
  /** Units at the start, by SKU. */
  readonly stock = new Map<string, number>();
  readonly #ground: Ground;
  readonly #slots: readonly Slot[];
  readonly #operator: string;
  readonly #choose: () => number;
  readonly #undelivered: string[] = [];
  readonly #counts = new Map<string, number>();
  /** No price is set twice: a read tells which one it saw. */
  #nextPrice = 1_000_001;

  constructor(ground: Ground, slots: readonly Slot[], operator: string) {
    this.#ground = ground;
    this.#slots = slots;
    this.#operator = operator;
    this.#choose = ranks(ground.random, slots.length, ground.options.distribution);
    const now = ground.clock.now();
    for (const { goods } of slots) this.#opened(goods, now, now);
  }

  async transaction(
    kind: (typeof parts)[number][0],
    session: number,
    token: string,
    due: number,
  ): Promise<void> {
    const done = await this.#run(kind, session, token, due);
    this.#count(`${kind}: ${done ? 'done' : 'nothing to do, or refused'}`);
  }

  figures(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #run(kind: (typeof parts)[number][0], session: number, token: string, due: number): Promise<boolean> {
    switch (kind) {
      case 'checkout':
        return this.#checkout(session, token, due);
      case 'dashboard':
        return this.#dashboard(due);
      case 'price update':
        return this.#changed((slot) => this.#setPrice(slot, due));
      case 'product replace':
        return this.#changed((slot) => this.#replace(slot, due));
      case 'delivery update':
        return this.#deliver(due);
    }
  }

  /** A cart of one to ten lines, and its order. */
  async #checkout(session: number, token: string, due: number): Promise<boolean> {
    const { random } = this.#ground;
    const skus = new Set<string>();
    for (let lines = between(random, 1, mostLines); lines > 0; lines--) {
      skus.add(this.#slots[this.#choose()]!.goods.sku);
    }
    const lines: Line[] = [...skus].map((sku) => ({ sku, quantity: between(random, 1, mostUnits) }));
    const made = await this.#timed('POST /v1/carts', '/v1/carts?country=KW', { token, json: { lines }, due });
    if (made.answer.status !== 201) return false;
    const cart = JSON.parse(made.answer.body);
    this.#saw(session, cart.lines, made);
    const from = this.#ground.clock.now();
    const bought = await this.#ground.buy(token, { lines, cartId: cart.id }, cart.total, from);
    const until = this.#ground.clock.now();
    const placed = bought.order?.lines.map(({ sku, quantity }: Line) => ({ sku, quantity }));
    this.seen.checkouts.push({ asked: lines, placed, from, until });
    if (!bought.order) return false;
    this.#saw(session, bought.order.lines, { answer: bought, from, until });
    this.#undelivered.push(bought.order.id);
    return true;
  }

  /** The newest orders, and whether entries are what their orders were. */
  async #dashboard(due: number): Promise<boolean> {
    const token = this.#operator;
    const { answer } = await this.#timed('GET /v1/admin/orders', `/v1/admin/orders?limit=${entries}`, {
      token,
      due,
    });
    if (answer.status !== 200) return false;
    const { items } = JSON.parse(answer.body);
    for (const { id, status, total, seq } of items.slice(0, looked)) {
      const one = await this.#timed('GET /v1/admin/orders/{orderId}', `/v1/admin/orders/${id}`, {
        token,
        due: this.#ground.clock.now(),
      });
      if (one.answer.status !== 200) continue;
      const { order, events } = JSON.parse(one.answer.body);
      this.seen.dashboard.push({
        orderId: id,
        status,
        total: total.amount,
        seq,
        order: { total: order.total.amount, events },
      });
    }
    return true;
  }

  async #changed(change: (slot: Slot) => Promise<boolean>): Promise<boolean> {
    const slot = this.#slots[this.#choose()]!;
    if (slot.busy) return false;
    slot.busy = true;
    try {
      return await change(slot);
    } finally {
      slot.busy = false;
    }
  }

  async #setPrice({ goods }: Slot, due: number): Promise<boolean> {
    const price = this.#nextPrice++;
    const { sku, productId } = goods;
    const variants = [{ sku, attributes: {}, price: { amount: price, currency: 'USD' } }];
    const { answer, from, until } = await this.#patch(productId, { variants }, due);
    // Whether an answer that was no success has changed the price nobody knows: from its sending on it may be shown.
    const told = answer.status === 200 ? until : Number.POSITIVE_INFINITY;
    if (answer.status < 400 || answer.status >= 500) this.seen.writes.push({ sku, price, from, until: told });
    return answer.status === 200;
  }

  /** The old one goes off sale, then a new one takes its place. */
  async #replace(slot: Slot, due: number): Promise<boolean> {
    const { sku, productId } = slot.goods;
    const { answer, from, until } = await this.#patch(productId, { status: 'removed' }, due);
    if (answer.status !== 200) return false;
    this.seen.replacements.push({ sku, from, until });
    const begun = this.#ground.clock.now();
    const amount = this.#nextPrice++;
    slot.goods = await sell(this.#ground.client, { name: 'Celadon cup, new', stock: unitsEach, amount });
    this.#opened(slot.goods, begun, this.#ground.clock.now());
    return true;
  }

  /** The oldest order that is paid goes to the carrier and arrives. */
  async #deliver(due: number): Promise<boolean> {
    const orderId = this.#undelivered.shift();
    if (orderId === undefined) return false;
    const token = this.#operator;
    const step = async (verb: 'fulfil' | 'deliver', at: number) => {
      const path = `/v1/admin/orders/${orderId}/${verb}`;
      const { answer } = await this.#timed(`POST /v1/admin/orders/{orderId}/${verb}`, path, {
        token,
        due: at,
      });
      return answer.status === 200;
    };
    if ((await step('fulfil', due)) && (await step('deliver', this.#ground.clock.now()))) return true;
    this.#undelivered.push(orderId);
    return false;
  }

  #patch(productId: string, change: object, due: number): Promise<Timed> {
    return this.#timed('PATCH /v1/admin/products/{productId}', `/v1/admin/products/${productId}`, {
      token: this.#operator,
      json: change,
      headers: { 'if-match': '*' },
      due,
    });
  }

  async #timed(step: string, path: string, request: Parameters<Ground['send']>[2]): Promise<Timed> {
    const from = this.#ground.clock.now();
    const answer = await this.#ground.send(step, path, request);
    return { answer, from, until: this.#ground.clock.now() };
  }

  #saw(session: number, lines: readonly any[], { from, until }: Timed): void {
    for (const { sku, unitPrice } of lines) {
      if (unitPrice) this.seen.reads.push({ session, sku, price: unitPrice.amount, from, until });
    }
  }

  #opened({ sku, price }: Goods, from: number, until: number): void {
    this.seen.writes.push({ sku, price: price.amount, from, until });
    this.stock.set(sku, unitsEach);
  }

  #count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }
}

async function readHistories({ client, accepted }: Ground, seen: Market['seen']): Promise<void> {
  for (const { id, token } of accepted) {
    const { status, body } = await client.request('GET', `/v1/orders/${id}/events`, { token });
    if (status === 200) seen.histories.push({ orderId: id, events: body.items });
  }
}

/** The dashboard follows by seconds: it is looked at until it agrees, or for half a minute. */
async function dashboardSums({ client, accepted }: Ground, token: string, wanted: Sums): Promise<Sums> {
  const ours = new Set(accepted.map(({ id }) => id));
  for (let look = 0; ; look++) {
    const rows: { status: string; total: number }[] = [];
    for (let cursor = ''; ; ) {
      const { body } = await client.request('GET', `/v1/admin/orders?limit=100${cursor}`, { token });
      rows.push(
        ...body.items
          .filter(({ id }: { id: string }) => ours.has(id))
          .map((row: any) => ({ status: row.status, total: row.total.amount })),
      );
      if (!body.next) break;
      cursor = `&cursor=${encodeURIComponent(body.next)}`;
    }
    const sums = sumsOf(rows);
    if (look === 30 || JSON.stringify(sums) === JSON.stringify(wanted)) return sums;
    await new Promise((done) => setTimeout(done, 1_000));
  }
}

function sumsOf(orders: readonly { readonly status: string; readonly total: number }[]): Sums {
  const byStatus = [...Map.groupBy(orders, ({ status }) => status)].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    byStatus.map(([status, same]) => [
      status,
      { orders: same.length, total: same.reduce((sum, { total }) => sum + total, 0) },
    ]),
  );
}
