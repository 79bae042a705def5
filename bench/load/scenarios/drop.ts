import { randomUUID } from 'node:crypto';
import { announceDrop, type Goods, left, moveClockTo, sell, timeOf, totalOf } from '../../store.ts';
import { openLoop, within } from '../arrivals.ts';
import { readMeter, unitsOfATransactionalWrite } from '../cost.ts';
import { type DropFacts, dropChecks, type Told } from '../drop-checks.ts';
import type { Ground, Scenario } from '../ground.ts';
import { Histogram } from '../histogram.ts';
import type { HttpAnswer } from '../http-client.ts';
import { checkInvariants } from '../invariants.ts';
import { inMs } from '../report.ts';

/** Shoppers who try to buy without an admission first, and who open several tabs. */
const gatecrashers = 0.02;
const manyTabs = 0.03;
const tabs = 3;

const admissionsPerSecond = 50;
const holdSeconds = 30;
const shards = 10;
/** Seconds until the next try where no answer says when, doubled with each failure. */
const backoff = { first: 2, longest: 20 };
/** How long a drop stays open after the last arrival at most. */
const patienceSeconds = 600;
/** Seconds before the opening to which the embedded cloud's clock is moved: who conducts the drop must have seen it. */
const seenBeforeSeconds = 8;

type End = 'bought' | 'sold out' | 'abandoned' | 'closed' | 'gave up';

interface Ticket {
  readonly id: string;
  readonly state: string;
  readonly arrivedAt: string;
  readonly position?: number;
  readonly pollAfterSeconds: number;
  readonly admission?: { readonly token: string };
}

interface PublicDrop {
  readonly serving: number;
  readonly soldOut: boolean;
  readonly pollAfterSeconds: number;
  readonly state: string;
}

/** A crowd for a few units of one SKU, through the waiting room. */
export const drop: Scenario = async (ground) => {
  const { client, options, random } = ground;
  const goods = await sell(client, { name: 'Moon jar', stock: options.units, shards });
  const total = await totalOf(client, [{ sku: goods.sku, quantity: 1 }]);
  const tokens = await ground.shoppers(options.shoppers);
  const arrivals = within(options.shoppers, options.seconds, random);
  const ends = new Map<End, number>();
  const facts: DropFacts = {
    units: options.units,
    tickets: [],
    told: [],
    gatecrashers: [],
    tabs: [],
    placed: [],
  };
  const untilTicket = new Histogram();
  const untilEnd = new Histogram();
  const { id: dropId, opensAt } = await announceDrop(client, goods.sku, {
    closesAt: (await storeNow(ground)) + 7_200_000,
    admission: { rate: admissionsPerSecond },
    fallbackPerSecond: 5,
    holdSeconds,
  });
  /** Milliseconds by which the store's clock is ahead of the load's. */
  let ahead = 0;

  const shopper = async (index: number, due: number): Promise<void> => {
    const visit = new Visit(ground, { goods, total, token: tokens[index]!, dropId, facts, random, ahead });
    const end = await visit.run(due, untilTicket);
    if (end !== 'abandoned') untilEnd.add(ground.clock.now() - due);
    ends.set(end, (ends.get(end) ?? 0) + 1);
  };

  return {
    run: async () => {
      if (ground.embedded) await moveClockTo(client, opensAt - seenBeforeSeconds * 1_000);
      ahead = (await storeNow(ground)) - ground.clock.now();
      const over = new AbortController();
      conduct(ground, over.signal);
      await ground.clock.until(opensAt + 500 - ahead);
      await openLoop(ground.clock, arrivals, shopper).finally(() => over.abort());
    },
    conclude: async () => {
      const unsold = await left(client, goods.sku);
      const { checks, orders } = await checkInvariants(ground, new Map([[goods.sku, options.units]]));
      const sold = orders
        .filter(({ status }) => status !== 'expired' && status !== 'cancelled')
        .reduce((sum, { lines }) => sum + lines.reduce((units, { quantity }) => units + quantity, 0), 0);
      const writes = ground.embedded
        ? (await readMeter(client)).stockWriteUnits / unitsOfATransactionalWrite / Math.max(1, sold)
        : undefined;
      const accepted = ground.recorder.steps.get('POST /v1/orders')?.accepted ?? new Histogram();
      return {
        figures: {
          shoppers: options.shoppers,
          'units sold': `${sold} of ${options.units}, ${unsold} left`,
          ...Object.fromEntries([...ends].map(([end, count]) => [`shoppers: ${end}`, count])),
          'stock writes per sale': writes?.toFixed(3) ?? '–',
          'accepted orders: p50, p99': `${inMs(accepted.percentile(50))}, ${inMs(accepted.percentile(99))}`,
          'arrival to ticket: p50, p99': `${inMs(untilTicket.percentile(50))}, ${inMs(untilTicket.percentile(99))}`,
          'arrival to end: p50, p99': `${inMs(untilEnd.percentile(50))}, ${inMs(untilEnd.percentile(99))}`,
        },
        checks: [
          ...checks,
          ...dropChecks(facts, {
            shoppers: options.shoppers,
            ended: [...ends].filter(([end]) => end !== 'gave up').reduce((sum, [, count]) => sum + count, 0),
            sold,
            unsold,
            faults: ground.recorder.total('failed'),
            stockWritesPerSale: writes,
          }),
        ],
      };
    },
  };
};

/** Of a store in the embedded cloud the clock can have been moved. */
async function storeNow({ client, embedded }: Ground): Promise<number> {
  return embedded ? timeOf(client) : Date.now();
}

/** The schedule that conducts drops begins a minute after the store: until then it is run by hand. */
function conduct({ client, embedded }: Ground, signal: AbortSignal): void {
  if (!embedded) return;
  client.request('POST', '/_local/schedules/conduct-drops/run', { json: {}, signal }).catch(() => undefined);
}

interface Shared {
  readonly goods: Goods;
  readonly total: { readonly amount: number; readonly currency: string };
  readonly token: string;
  readonly dropId: string;
  readonly facts: DropFacts;
  readonly random: () => number;
  /** Milliseconds by which the store's clock is ahead of the load's. */
  readonly ahead: number;
}

/** One shopper in the drop: a ticket, the wait for its turn, the order. */
class Visit {
  readonly #ground: Ground;
  readonly #shared: Shared;
  /** On end. */
  #failures = 0;

  constructor(ground: Ground, shared: Shared) {
    this.#ground = ground;
    this.#shared = shared;
  }

  async run(due: number, untilTicket: Histogram): Promise<End> {
    const { random, facts } = this.#shared;
    const abandons = random() < this.#ground.options.abandon;
    if (random() < gatecrashers) facts.gatecrashers.push((await this.#order(due, undefined)).status);
    const ticket = random() < manyTabs ? await this.#ticketFromTabs(due) : await this.#takeTicket(due);
    if (typeof ticket === 'string') return ticket;
    untilTicket.add(this.#ground.clock.now() - due);
    return this.#wait(ticket, abandons);
  }

  async #ticketFromTabs(due: number): Promise<Ticket | End> {
    const answers = await Promise.all(Array.from({ length: tabs }, () => this.#askForTicket(due)));
    // Only these are compared: much later a tab would be given the place after a turn that has passed.
    const given = answers
      .filter(({ status }) => status === 201)
      .map(({ body }) => JSON.parse(body) as Ticket);
    this.#shared.facts.tabs.push(new Set(given.map(({ id }) => id)).size);
    return given[0] ?? this.#takeTicket(await this.#later(this.#backoff(answers[0])));
  }

  #askForTicket(due: number): Promise<HttpAnswer> {
    const { dropId, token } = this.#shared;
    const path = `/v1/drops/${dropId}/tickets`;
    return this.#ground.send('POST /v1/drops/{dropId}/tickets', path, { token, due });
  }

  /** Comes back when it is told to: nobody is left without an answer. */
  async #takeTicket(first: number): Promise<Ticket | End> {
    for (let due = first; ; ) {
      const answer = await this.#askForTicket(due);
      if (answer.status === 201) {
        this.#failures = 0;
        return JSON.parse(answer.body);
      }
      if (answer.status === 409 && /drop-closed/.test(answer.body)) return 'closed';
      due = await this.#later(this.#backoff(answer));
      if (due - first > patienceSeconds * 1_000) return 'gave up';
    }
  }

  async #wait(given: Ticket, abandons: boolean): Promise<End> {
    const { facts, dropId, token } = this.#shared;
    const begin = this.#ground.clock.now();
    let ticket = given;
    let seconds = ticket.pollAfterSeconds;
    for (;;) {
      const due = await this.#later(seconds);
      if (due - begin > patienceSeconds * 1_000) return 'gave up';
      const serving = await this.#look(due);
      if (serving) this.#failures = 0;
      if (serving?.soldOut) {
        this.#tell('drop', due);
        return 'sold out';
      }
      if (serving?.state === 'closed') return 'closed';
      const known = ticket.position !== undefined;
      if (known && (!serving || serving.serving < ticket.position!)) {
        seconds = serving ? pollAfter(ticket, serving) : this.#backoff(undefined);
        continue;
      }
      const path = `/v1/drops/${dropId}/tickets/${ticket.id}`;
      const answer = await this.#ground.send('GET /v1/drops/{dropId}/tickets/{ticketId}', path, {
        token,
        due,
      });
      if (answer.status !== 200) {
        seconds = this.#backoff(answer);
        continue;
      }
      ticket = JSON.parse(answer.body);
      seconds = ticket.pollAfterSeconds;
      if (!known && ticket.position !== undefined) {
        facts.tickets.push({
          id: ticket.id,
          position: ticket.position,
          arrivedAt: Date.parse(ticket.arrivedAt),
        });
      }
      if (ticket.state === 'closed') return 'closed';
      if (ticket.state === 'sold_out') {
        this.#tell('ticket', due);
        return 'sold out';
      }
      if (ticket.admission) {
        if (abandons) return 'abandoned';
        const end = await this.#buy(ticket.admission.token);
        if (end !== 'lapsed') return end;
      }
      if (ticket.state === 'lapsed' || ticket.admission) {
        const renewed = await this.#takeTicket(this.#ground.clock.now());
        if (typeof renewed === 'string') return renewed;
        ticket = renewed;
        seconds = ticket.pollAfterSeconds;
      }
    }
  }

  /** An answer that says "not now" is asked again with the same key; an admission may have run out meanwhile. */
  async #buy(admission: string): Promise<End | 'lapsed'> {
    const key = randomUUID();
    const first = this.#ground.clock.now();
    for (let due = first; ; ) {
      const answer = await this.#order(due, admission, key);
      if (answer.status === 201) {
        const { createdAt } = JSON.parse(answer.body);
        this.#shared.facts.placed.push({ units: 1, at: Date.parse(createdAt) });
        return 'bought';
      }
      if (answer.status === 409 && /out-of-stock/.test(answer.body)) {
        this.#tell('order', due);
        return 'sold out';
      }
      if (answer.status === 403 && /admission-invalid/.test(answer.body)) return 'lapsed';
      if (answer.status < 500 && answer.status !== 429 && answer.status !== 0) return 'gave up';
      due = await this.#later(this.#backoff(answer));
      if (due - first > holdSeconds * 1_000) return 'gave up';
    }
  }

  /** Seconds. What the gateway refuses by itself says nothing of when to come back. */
  #backoff(answer: HttpAnswer | undefined): number {
    const told = Number(answer?.headers['retry-after']);
    this.#failures++;
    return told || Math.min(backoff.longest, backoff.first * 2 ** (this.#failures - 1));
  }

  #order(due: number, admission: string | undefined, key = randomUUID()): Promise<HttpAnswer> {
    const { goods, total, token } = this.#shared;
    const headers = admission === undefined ? {} : { 'floodgate-admission': admission };
    return this.#ground.buy(token, { lines: [{ sku: goods.sku, quantity: 1 }] }, total, due, {
      key,
      headers,
    });
  }

  async #look(due: number): Promise<PublicDrop | undefined> {
    const { dropId } = this.#shared;
    const answer = await this.#ground.send('GET /v1/drops/{dropId}', `/v1/drops/${dropId}`, { due });
    return answer.status === 200 ? JSON.parse(answer.body) : undefined;
  }

  #tell(by: Told['by'], due: number): void {
    const { facts, ahead } = this.#shared;
    facts.told.push({ by, from: due + ahead, until: this.#ground.clock.now() + ahead });
  }

  /** Nobody comes back at the same moment as everybody else. */
  async #later(seconds: number): Promise<number> {
    const due = this.#ground.clock.now() + seconds * 1_000 * (0.9 + 0.2 * this.#shared.random());
    await this.#ground.clock.until(due);
    return due;
  }
}

/** Seconds: what the ticket said, in proportion to how much nearer its turn has come. */
function pollAfter(
  { position = 0, pollAfterSeconds }: Ticket,
  { serving, pollAfterSeconds: least }: PublicDrop,
) {
  const ahead = Math.max(0, position - serving);
  return Math.max(least, Math.min(pollAfterSeconds, Math.ceil(ahead / (4 * admissionsPerSecond))));
}
