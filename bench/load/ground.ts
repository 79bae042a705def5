import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { randomOf } from '../../local/random.ts';
import {
  address,
  busyQueues,
  type Client,
  charges,
  clientOf,
  keepsDeadLetters,
  type RequestOptions,
  until,
} from '../store.ts';
import { LoadClock } from './clock.ts';
import { type HttpAnswer, HttpClient } from './http-client.ts';
import type { LoadOptions } from './options.ts';
import type { Random } from './random.ts';
import { outcomeOf, Recorder } from './recorder.ts';

/** Milliseconds. */
const longestAnswer = 60_000;

/** Milliseconds: no function of the API is given less. */
const shortestTimeout = 5_000;

/** How long nothing may happen until the clock is moved, and how far: well below what a reservation lasts. */
const quietMs = 3_000;
const advanceSeconds = 30;

/** A statement about the run that holds or does not. */
export interface Check {
  readonly name: string;
  /** Undefined: it could not be looked at here. */
  readonly holds: boolean | undefined;
  readonly detail: string;
}

/** What a scenario has to say at its end. */
export interface Findings {
  readonly figures: Readonly<Record<string, string | number>>;
  readonly checks: readonly Check[];
}

/** A scenario, after everything that it needs has been put in place. */
export interface Prepared {
  /** Sends the load, and comes back when everybody has been answered. */
  run(): Promise<void>;
  /** Looks at what it has come to, once the store has come to rest. */
  conclude(): Promise<Findings>;
}

export type Scenario = (ground: Ground) => Promise<Prepared>;

export interface Request {
  readonly token?: string;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** When it is due, on the clock of the load. */
  readonly due: number;
  /** It is what the whole is about: an order. */
  readonly good?: boolean;
}

/** An order that the store has said yes to. */
export interface Accepted {
  readonly id: string;
  readonly token: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
}

/** What every scenario stands on: the store, its accounts, and what is written down. */
export class Ground {
  readonly options: LoadOptions;
  /** For setting up and looking after: not part of the load. */
  readonly client: Client;
  readonly random: Random;
  /** Whether the store runs in the embedded cloud, where its provider's book and its meter can be read. */
  readonly embedded: boolean;
  readonly accepted: Accepted[] = [];
  readonly clock: LoadClock;
  recorder: Recorder;
  /** Requests that were answered from the edge cache, by its word. */
  readonly cache = new Map<string, number>();
  readonly #http: HttpClient;
  /** Orders of which nobody knows whether they were placed. */
  readonly #unresolved: { request: RequestOptions & { token: string }; lines: Accepted['lines'] }[] = [];

  constructor(options: LoadOptions, apiUrl: string, embedded: boolean) {
    this.options = options;
    this.embedded = embedded;
    const client = clientOf(apiUrl);
    this.client = options.tokens
      ? { ...client, operator: async () => tokensIn(options.tokens!).operator }
      : client;
    this.random = randomOf(options.seed);
    this.clock = new LoadClock(options.pace);
    this.recorder = new Recorder(this.clock);
    this.#http = new HttpClient(apiUrl, options.connections, longestAnswer / options.pace);
  }

  /** Time begins now: what was sent before does not count. */
  begin(): void {
    this.recorder = new Recorder(this.clock);
    this.accepted.length = 0;
    this.cache.clear();
  }

  /** Sends a request that is part of the load. @param step its route, under which it is counted */
  async send(step: string, path: string, request: Request): Promise<HttpAnswer> {
    const { token, json, headers, due, good } = request;
    this.recorder.started(due);
    const method = step.slice(0, step.indexOf(' '));
    const answer = await this.#http.request(
      method,
      path,
      {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      json === undefined ? undefined : JSON.stringify(json),
    );
    this.recorder.answered(step, answer, due, good);
    const cache = answer.headers['x-cache'];
    if (cache) this.cache.set(cache, (this.cache.get(cache) ?? 0) + 1);
    return answer;
  }

  /** Tokens of that many shoppers, minted before the start. */
  async shoppers(count: number): Promise<string[]> {
    if (this.options.tokens) {
      const { shoppers } = tokensIn(this.options.tokens);
      if (shoppers.length < count) throw new Error(`${count} shoppers are needed, not ${shoppers.length}`);
      return shoppers.slice(0, count);
    }
    const tokens: string[] = [];
    while (tokens.length < count) {
      const batch = Math.min(1_000, count - tokens.length);
      const { status, body, text } = await this.client.request('POST', '/_local/shoppers', {
        json: { count: batch },
      });
      if (status !== 201) throw new Error(`no shoppers: ${status} ${text}`);
      tokens.push(...body.items);
    }
    return tokens;
  }

  /** Buys at once, and pays with the sandbox token. */
  async buy(
    token: string,
    basket: { readonly lines: Accepted['lines']; readonly cartId?: string },
    total: { readonly amount: number; readonly currency: string },
    due: number,
    given: { readonly key?: string; readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<HttpAnswer & { readonly order?: any }> {
    const { lines, cartId } = basket;
    const request = {
      token,
      headers: { 'idempotency-key': given.key ?? randomUUID(), ...given.headers },
      json: {
        ...(cartId === undefined ? { lines } : { cartId }),
        shippingAddress: address,
        expectedTotal: total,
        payment: { method: 'card', token: 'tok_approve' },
      },
    };
    const sent = performance.now();
    const answer = await this.send('POST /v1/orders', '/v1/orders', { ...request, due, good: true });
    // Where no function was free nothing has run; one that was given up would be answered for much later.
    const refusedAtOnce = answer.status === 503 && performance.now() - sent < shortestTimeout;
    if (outcomeOf(answer) === 'failed' && !refusedAtOnce) this.#unresolved.push({ request, lines });
    if (answer.status !== 201) return answer;
    const order = JSON.parse(answer.body);
    this.accepted.push({ id: order.id, token, lines });
    return { ...answer, order };
  }

  /** Whoever was left without an answer asks again with the same key, and so learns whether there is an order. */
  async resolve(): Promise<void> {
    for (const { request, lines } of this.#unresolved.splice(0)) {
      const { status, body } = await this.client.request('POST', '/v1/orders', request);
      if (status === 201) this.accepted.push({ id: body.id, token: request.token, lines });
    }
  }

  /**
   * Waits until nothing is under way any more, where that can be seen. The clock is moved when nothing happens any more:
   * what a limit has refused comes back after minutes.
   */
  async rest(withinMs: number): Promise<void> {
    if (!this.embedded) return;
    let seen = '';
    let since = performance.now();
    await until(
      'all queues are empty',
      async () => {
        const busy = (await busyQueues(this.client)).filter((queue) => !keepsDeadLetters(queue));
        const state = JSON.stringify(busy);
        if (state !== seen) since = performance.now();
        seen = state;
        if (busy.length > 0 && performance.now() - since > quietMs) {
          await this.client.request('POST', '/_local/clock', { json: { advanceSeconds } });
          since = performance.now();
        }
        return busy.length === 0;
      },
      withinMs,
    );
  }

  /** What consumers have given up; not looked at where queues cannot be. */
  async givenUp(): Promise<Check> {
    const dead = this.embedded ? (await busyQueues(this.client)).filter(keepsDeadLetters) : undefined;
    const inEach = dead?.map(({ name, visible }) => `${name}: ${visible}`).join(', ');
    return {
      name: 'no message is given up',
      holds: dead && dead.length === 0,
      detail: inEach === undefined ? 'not looked at' : inEach || 'nothing in dead-letter queues',
    };
  }

  /** The provider's own book, where it can be read. */
  async book(): Promise<any[] | undefined> {
    return this.embedded ? charges(this.client) : undefined;
  }

  close(): void {
    this.#http.close();
  }
}

/** `{"operator": "…", "shoppers": ["…", …]}`: access tokens of accounts of the store. */
function tokensIn(file: string): { operator: string; shoppers: string[] } {
  return JSON.parse(readFileSync(file, 'utf8'));
}
