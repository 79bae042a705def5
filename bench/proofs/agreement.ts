import '../simulation/quiet.ts';
import { quote } from '../../functions/cart/published.ts';
import { skuKey } from '../../functions/catalog/keys.ts';
import { exportedDates } from '../../functions/finance/adapters/exported-dates.ts';
import { addEntry, countOf, entriesOf } from '../../functions/finance/adapters/journal-table.ts';
import { lastReconciled } from '../../functions/finance/adapters/reconciled-days.ts';
import { exportJournal } from '../../functions/finance/app/export-journal.ts';
import { writeManifest } from '../../functions/finance/app/export-manifest.ts';
import { fetchSettlement } from '../../functions/finance/app/fetch-settlement.ts';
import { matchSettlement } from '../../functions/finance/app/match-settlement.ts';
import { planExport } from '../../functions/finance/app/plan-export.ts';
import { postSettlement } from '../../functions/finance/app/post-settlement.ts';
import { addDays } from '../../functions/finance/domain/business-date.ts';
import { fileKey } from '../../functions/finance/domain/export-keys.ts';
import { journalCsv } from '../../functions/finance/domain/journal-csv.ts';
import { differencesKey } from '../../functions/finance/domain/settlement.ts';
import { headerKey, shardKey } from '../../functions/inventory/keys.ts';
import { dateIn } from '../../functions/kernel/clock.ts';
import { type Currency, currency as currencySchema } from '../../functions/kernel/contract.ts';
import type { PlaceOrderBody } from '../../functions/order/contract.ts';
import { fold, type OrderEvent } from '../../functions/order/domain/order.ts';
import { dynamoBook } from '../../functions/sandbox/adapters/dynamo-book.ts';
import { settlementFile } from '../../functions/sandbox/app/settlement.ts';
import { viewOf } from '../../functions/sandbox/domain/charge.ts';
import { randomOf } from '../../local/random.ts';
import { type Agreement, moneyEventOf, verifyDay } from '../finance-verify.ts';
import { Actors, isFor } from '../simulation/actors.ts';
import { eventsOf, put } from '../simulation/given.ts';
import { Gate, type Step } from '../simulation/steps.ts';
import { noon, World } from '../simulation/world.ts';

export interface AgreementFigures {
  readonly orders: number;
  /** Orders by how they stand in the end: status and what became of their money. */
  readonly ends: Readonly<Record<string, number>>;
  readonly events: number;
  readonly entries: number;
  readonly emails: number;
  /** Of every business date that was exported. */
  readonly books: readonly (Agreement & { readonly date: string })[];
  /** SKUs whose shards do not hold what was not sold. */
  readonly stockDrift: number;
  /** Orders that are not at an end. */
  readonly unsettled: number;
  /** Differences from the provider's settlements. */
  readonly differences: number;
  /** Minor units of any currency on the clearing account when everything has been settled. */
  readonly unsettledClearing: number;
  /** What consumers gave up. */
  readonly deadLetters: number;
}

const timeZone = 'Asia/Seoul';
const shards = 3;
const unitsAShard = 20_000;

/** Every card, ordinary ones more often. */
const tokens: readonly (readonly [token: string, weight: number])[] = [
  ['tok_approve', 60],
  ['tok_decline', 6],
  ['tok_insufficient_funds', 4],
  ['tok_capture_fails', 4],
  ['tok_capture_fails_once', 4],
  ['tok_slow', 4],
  ['tok_requires_action', 4],
  ['tok_timeout_then_approved', 3],
  ['tok_timeout_then_declined', 3],
];
const countries = ['KR', 'JP', 'US', 'GB', 'DE', 'KW'];
/** About list prices, in minor units. */
const prices: Readonly<Record<Currency, readonly number[]>> = {
  KRW: [9_900, 33_333, 128_000],
  JPY: [777, 2_980, 19_800],
  USD: [999, 3_333, 12_999],
  EUR: [1_095, 2_499, 8_901],
  GBP: [899, 2_001, 7_777],
  KWD: [1_250, 4_505, 19_999],
};

/** Steps are taken as they come: one thing at a time, for volume. */
class AtOnce extends Gate {
  override async call<T>(step: Omit<Step, 'id'>): Promise<T> {
    return (await step.run()) as T;
  }
}

class QuickWorld extends World {
  override readonly gate = new AtOnce(() => new Error('nothing is lost here'));
}

/**
 * Generated orders through the product's use cases over tables in memory: all cards, currencies and destinations, with
 * cancellations, refunds in parts, second cards and expiries, over three days. Afterwards orders, stock, ledger,
 * exports, settlements and the provider's book are compared to the unit.
 */
export async function agreement(count = 10_000, seed = 1): Promise<AgreementFigures> {
  const world = new QuickWorld();
  const actors = new Actors(world);
  const random = randomOf(seed);
  const store = new Store(world, actors, random);
  store.open();
  const step = Math.floor((3 * 86_400_000) / count);
  for (let index = 0; index < count; index++) {
    world.now = Math.max(world.now, noon + index * step);
    await store.shopper(index);
    if (index % 500 === 499) await store.sweep();
  }
  await store.end();
  return store.compare(count);
}

class Store {
  readonly #world: World;
  readonly #actors: Actors;
  readonly #random: () => number;
  readonly #sold = new Map<string, number>();
  #delivered = 0;
  #deadLetters = 0;

  constructor(world: World, actors: Actors, random: () => number) {
    this.#world = world;
    this.#actors = actors;
    this.#random = random;
  }

  /** Puts three SKUs of each currency on sale. */
  open(): void {
    for (const currency of currencySchema.options) {
      for (const [index, amount] of prices[currency].entries()) {
        const sku = skuOf(currency, index);
        put(this.#world, 'catalog', {
          ...skuKey(sku),
          sku,
          productId: sku.replace('sku', 'prd'),
          name: sku,
          price: { amount, currency },
          purchasable: true,
        });
        put(this.#world, 'inventory', { ...headerKey(sku), sku, shards });
        for (let shard = 0; shard < shards; shard++) {
          put(this.#world, 'inventory', {
            ...shardKey(sku, shard),
            sku,
            shard,
            available: unitsAShard,
            rev: 0,
          });
        }
      }
    }
  }

  /** One shopper's order, and what the shopper or an operator does about it afterwards. */
  async shopper(index: number): Promise<void> {
    const actor = `shopper ${index}`;
    const chance = this.#random();
    const token = chance < 0.1 ? undefined : this.#token();
    const placed = await this.#actors.place(actor, `key-${index}`, this.#request(token));
    const orderId = placed.order.id;
    if (this.#random() < 0.03) await this.#allowed(() => this.#actors.cancel(actor, orderId));
    await this.deliver();
    await this.#confirm(orderId);

    const order = fold(eventsOf(this.#world, orderId));
    const whim = this.#random();
    if (order.status === 'placed' && !order.open && whim < 0.4) {
      await this.#allowed(() => this.#actors.pay(actor, orderId, 'tok_approve', `again-${index}`));
    } else if (whim < 0.06) {
      await this.#allowed(() => this.#actors.cancel(actor, orderId));
    } else if (order.captured && whim < 0.25) {
      for (let part = 0; part < 1 + Math.floor(this.#random() * 3); part++) {
        const amount = {
          amount: 1 + Math.floor(this.#random() * order.captured.amount * 0.6),
          currency: order.placed.currency,
        };
        const request = this.#random() < 0.3 ? { reason: 'all' } : { amount, reason: 'a part' };
        await this.#allowed(() => this.#actors.refund(actor, orderId, request, `refund-${index}-${part}`));
        await this.deliver();
      }
    }
    await this.deliver();
  }

  /** The shopper goes to the bank's page, and confirms more often than not. */
  async #confirm(orderId: string): Promise<void> {
    const { open } = fold(eventsOf(this.#world, orderId));
    if (!open) return;
    const deed = this.#random() < 0.7 ? 'confirm' : 'fail';
    await this.#world.act('shopper', `${orderId}-${open.number}`, deed);
    await this.deliver();
  }

  async sweep(): Promise<void> {
    await this.#actors.sweep('sweep');
    await this.deliver();
  }

  /** Every reservation ends, every message comes back, every schedule goes round. */
  async end(): Promise<void> {
    for (let round = 0; round < 6; round++) {
      this.#world.now += 20 * 60_000;
      await this.sweep();
    }
    this.#world.now += 3 * 86_400_000;
    await this.sweep();
    await this.deliver();
  }

  /** Every event to every consumer; what fails comes back at once, a few times. */
  async deliver(): Promise<void> {
    for (; this.#delivered < this.#world.outbox.length; this.#delivered++) {
      const event = this.#world.outbox[this.#delivered]!;
      for (const [name, consumer] of Object.entries(this.#actors.consumers)) {
        if (!isFor(consumer.spec, event)) continue;
        for (let receives = 1; ; receives++) {
          const done = await consumer.consume(`${name} ${event.id}`, event, receives).then(
            () => true,
            () => false,
          );
          if (done) break;
          if (receives < 20) continue;
          this.#deadLetters++;
          break;
        }
      }
    }
  }

  async compare(orders: number): Promise<AgreementFigures> {
    const world = this.#world;
    const all = world.tables.all('order');
    const byOrder = Map.groupBy(
      all.filter(({ sk }) => sk.startsWith('EVENT#')) as unknown as OrderEvent[],
      ({ orderId }) => orderId,
    );
    const folded = [...byOrder.values()].map((events) => fold([...events].sort((a, b) => a.seq - b.seq)));
    const ends: Record<string, number> = {};
    for (const order of folded) {
      const refunded = order.refunds.some(({ status }) => status === 'completed');
      const money = order.captured ? (refunded ? 'refunded' : 'captured') : (order.settled ?? 'not paid');
      const end = `${order.status}, ${money}`;
      ends[end] = (ends[end] ?? 0) + 1;
      if (order.status === 'cancelled' || order.status === 'expired') continue;
      for (const { sku, quantity } of order.placed.draws) {
        this.#sold.set(sku, (this.#sold.get(sku) ?? 0) + quantity);
      }
    }
    const finance = await this.#finance();
    return {
      orders,
      ends: Object.fromEntries(Object.entries(ends).sort()),
      events: all.filter(({ sk }) => sk.startsWith('EVENT#')).length,
      emails: world.letters.length,
      stockDrift: this.#stockDrift(),
      unsettled:
        folded.filter(
          ({ status, open, wish, refunds }) =>
            status === 'placed' || open || wish || refunds.some((refund) => refund.status === 'pending'),
        ).length + Math.abs(orders - folded.length),
      deadLetters: this.#deadLetters,
      ...finance,
    };
  }

  #stockDrift(): number {
    const skus = currencySchema.options.flatMap((currency) =>
      prices[currency].map((_, index) => skuOf(currency, index)),
    );
    return skus.filter((sku) => {
      let left = 0;
      for (let shard = 0; shard < shards; shard++) {
        const { pk, sk } = shardKey(sku, shard);
        left += this.#world.tables.item('inventory', pk, sk)!.available;
      }
      return left !== shards * unitsAShard - (this.#sold.get(sku) ?? 0);
    }).length;
  }

  /** Settles, reconciles and exports every day, as the schedules do; then looks at all of it. */
  async #finance() {
    const world = this.#world;
    const bucket = memoryBucket();
    const documents = world.documents();
    const journal = { entriesOf: entriesOf(documents, 'finance'), countOf: countOf(documents, 'finance') };
    const book = dynamoBook(documents, 'sandbox', world.clock);
    const ports = {
      timeZone,
      ...bucket,
      ...journal,
      ...exportedDates(bucket),
      add: addEntry(documents, 'finance'),
      lastReconciled: lastReconciled(bucket),
      settlementOf: async (date: string) => Buffer.from(await settlementFile(book, date, world.now)),
      // The auditor has its own tests; here every event has been delivered.
      journalledUpTo: async () => new Date(world.now).toISOString(),
    };
    let differences = 0;
    const first = new Date(noon).toISOString().slice(0, 10);
    const last = addDays(new Date(world.now).toISOString().slice(0, 10), -1);
    for (let day = first; day <= last; day = addDays(day, 1)) {
      const plan = await fetchSettlement(ports)({ time: `${addDays(day, 1)}T03:00:00Z` });
      await matchSettlement(ports)(await postSettlement(ports)(plan));
      const found = JSON.parse(Buffer.from((await bucket.read(differencesKey(day)))!).toString());
      // What was on its way over midnight has been told, and resolved.
      differences += found.differences.filter(({ type }: { type: string }) => type !== 'timing').length;
    }
    const dates: string[] = [];
    const files: Uint8Array[] = [];
    for (
      let date = dateIn(timeZone, noon);
      date <= dateIn(timeZone, world.now - 86_400_000);
      date = addDays(date, 1)
    ) {
      const plan = await planExport(ports)({ date });
      const manifest = await writeManifest(ports)(await exportJournal(ports)(plan));
      const file = manifest.files.find(({ name }) => name === journalCsv)!;
      dates.push(date);
      files.push((await bucket.read(fileKey(manifest, file)))!);
    }

    const items = world.tables.all('order');
    const events = items.flatMap((item) => moneyEventOf(item as Parameters<typeof moneyEventOf>[0]) ?? []);
    const { charges } = await book.page(Number.MAX_SAFE_INTEGER);
    const entries = await Promise.all(dates.map((date) => journal.entriesOf(date)));
    const books = dates.flatMap((date, index) =>
      verifyDay({
        date,
        timeZone,
        entries: entries[index]!,
        exported: files.slice(index),
        events,
        charges: charges.map(viewOf),
      }).map((line) => ({ date, ...line })),
    );
    const clearing = new Map<Currency, number>();
    for (const { account, currency, debit, credit } of entries.flat().flatMap(({ postings }) => postings)) {
      if (account === 'payment-clearing') {
        clearing.set(currency, (clearing.get(currency) ?? 0) + debit - credit);
      }
    }
    const unsettledClearing = [...clearing.values()].reduce((sum, left) => sum + Math.abs(left), 0);
    return { books, differences, unsettledClearing, entries: entries.flat().length };
  }

  #request(token: string | undefined): PlaceOrderBody {
    const currency = this.#pick(currencySchema.options);
    const country = this.#pick(countries);
    const shippingMethod = this.#random() < 0.8 ? 'standard' : 'express';
    const chosen = [0, 1, 2].filter((index) => index === 0 || this.#random() < 0.4);
    const lines = chosen.map((index) => ({
      sku: skuOf(currency, index),
      productId: '',
      name: '',
      quantity: 1 + Math.floor(this.#random() * 3),
      price: { amount: prices[currency][index]!, currency },
    }));
    const { total } = quote(lines, { country, shippingMethod });
    return {
      lines: lines.map(({ sku, quantity }) => ({ sku, quantity })),
      shippingAddress: { name: 'Kim Yuna', line1: '1 Road', city: 'City', postalCode: '04524', country },
      shippingMethod,
      expectedTotal: total,
      ...(token && { payment: { method: 'card', token } }),
    } as PlaceOrderBody;
  }

  #token(): string {
    let mark = this.#random() * tokens.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [token, weight] of tokens) {
      mark -= weight;
      if (mark < 0) return token;
    }
    return 'tok_approve';
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)]!;
  }

  /** What the order's state does not allow is refused, and that is right. */
  async #allowed(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if ((error as Error).name !== 'order-state') throw error;
    }
  }
}

function skuOf(currency: Currency, index: number): string {
  return `sku_${currency}${index}`;
}

/** An export bucket in memory. */
function memoryBucket() {
  const objects = new Map<string, Uint8Array>();
  const read = async (key: string) => objects.get(key);
  return {
    read,
    write: async (key: string, content: Uint8Array) => {
      objects.set(key, content);
    },
    create: async (key: string, content: Uint8Array) => {
      if (objects.has(key)) return false;
      objects.set(key, content);
      return true;
    },
    manifestAt: async (key: string) => {
      const content = await read(key);
      return content && JSON.parse(Buffer.from(content).toString());
    },
    folders: async (prefix: string, after: string, limit: number) => {
      const inside = [...objects.keys()].filter((key) => key.startsWith(prefix));
      const folders = new Set(inside.map((key) => `${prefix}${key.slice(prefix.length).split('/')[0]}/`));
      return [...folders]
        .filter((folder) => folder > after)
        .sort()
        .slice(0, limit);
    },
  };
}
