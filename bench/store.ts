import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dateIn } from '../functions/kernel/clock.ts';
import { configOf } from '../lib/config.ts';
import { type Cloud, startCloud } from '../local/cloud.ts';
import type { LimitOptions } from '../local/limits.ts';
import { synthesise } from '../local/synth.ts';

/** The assembly that proofs and store tests run; made again only when its sources have changed. */
export const assemblies = { local: '.build/proof-assembly', prod: '.build/production-assembly' };

/** Where the store's business dates begin and end. */
const { businessTimeZone } = configOf('local');

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON, or undefined. */
  readonly body: any;
  readonly text: string;
}

export interface RequestOptions {
  readonly token?: string;
  readonly json?: unknown;
  /** A raw body; set its content-type in `headers`. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Hangs up. */
  readonly signal?: AbortSignal;
}

/** A store of its own in the embedded cloud, spoken to over HTTP as its users do. */
export interface Store {
  readonly cloud: Cloud;
  readonly apiUrl: string;
  readonly home: string;
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>;
  /** A new account, signed in; in the given groups. */
  account(...groups: readonly string[]): Promise<{ email: string; token: string }>;
  /** The operator's token. */
  operator(): Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts an empty store.
 * @param options.contentionMs how long each write transaction stays in flight at least; conflicts as on AWS
 * @param options.environments execution environments of each function at most; 1 unless told
 * @param options.limits imposes AWS's documented limits, scaled by its factors
 * @param options.quiet keeps failures off standard error
 * @param options.home kept when given, otherwise a folder that `stop` removes
 * @param options.stage whose settings; `local` unless told
 */
export async function openStore(
  options: {
    contentionMs?: number;
    home?: string;
    environments?: number;
    limits?: LimitOptions;
    quiet?: boolean;
    stage?: keyof typeof assemblies;
    /** An edge cache before the API. */
    edge?: boolean;
  } = {},
): Promise<Store> {
  const { stage = 'local' } = options;
  const assembly = assemblies[stage];
  await synthesise({ assembly, stage });
  const home = options.home ?? (await mkdtemp(join(tmpdir(), 'floodgate-')));
  const cloud = await startCloud({
    assembly,
    home,
    port: 0,
    ...(options.edge && { edge: true }),
    ...(options.environments !== undefined && { environments: options.environments }),
    ...(options.quiet && { quiet: true }),
    ...(options.limits && { limits: options.limits }),
    ...(options.contentionMs !== undefined && { contention: { windowMs: options.contentionMs } }),
  });
  const client = clientOf(cloud.apiUrl);
  return {
    cloud,
    home,
    ...client,
    stop: async () => {
      await cloud.stop();
      if (options.home === undefined) await rm(home, { recursive: true, force: true });
    },
  };
}

/** The same over HTTP alone, for a store that runs elsewhere on this machine. */
export function clientOf(apiUrl: string): Omit<Store, 'cloud' | 'home' | 'stop'> {
  const request = async (method: string, path: string, options: RequestOptions = {}): Promise<Answer> => {
    const { token, json, text: raw, headers, signal } = options;
    const content = json === undefined ? raw : JSON.stringify(json);
    const until = AbortSignal.any([AbortSignal.timeout(60_000), ...(signal ? [signal] : [])]);
    for (;;) {
      const response = await fetch(new URL(path, apiUrl), {
        method,
        headers: {
          ...(json !== undefined && { 'content-type': 'application/json' }),
          ...(token && { authorization: `Bearer ${token}` }),
          ...headers,
        },
        ...(content !== undefined && { body: content }),
        signal: until,
      });
      const text = await response.text();
      const answer: Answer = { status: response.status, headers: response.headers, body: parse(text), text };
      // The gateway's own refusal: nobody has looked at the request, and it comes again as a client's would.
      if (answer.status !== 429 || answer.body?.message !== 'Too Many Requests') return answer;
      await new Promise((done) => setTimeout(done, 10 + Math.random() * 40));
    }
  };
  const account = async (...groups: readonly string[]) => {
    const email = `${randomUUID()}@example.com`;
    const { status, body, text } = await request('POST', '/_local/users', {
      json: { email, password: `Aa1-${randomUUID()}`, groups },
    });
    if (status !== 201) throw new Error(`no account: ${status} ${text}`);
    return { email, token: body.accessToken as string };
  };
  let operator: Promise<string> | undefined;
  return {
    apiUrl,
    request,
    account,
    operator: () => {
      operator ??= account('operators').then(({ token }) => token);
      return operator;
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export type Client = ReturnType<typeof clientOf>;

/**
 * Waits until `look` answers something. It looks again after 20 ms, and later the longer it has waited (a tenth of it,
 * 250 ms at most): a look is work for the store that is waited for. @throws Error saying what did not come about
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  withinMs = 60_000,
): Promise<T> {
  const begun = performance.now();
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    const waited = performance.now() - begun;
    if (waited > withinMs) throw new Error(`did not happen within ${withinMs} ms: ${what}`);
    await new Promise((done) => setTimeout(done, Math.min(Math.max(waited / 10, 20), 250)));
  }
}

export interface Queue {
  readonly name: string;
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
}

/** The queues that hold or hand out a message: none, and nothing is under way any more. */
export async function busyQueues(client: Client): Promise<readonly Queue[]> {
  const { body } = await client.request('GET', '/_local/queues');
  return (body.items as Queue[]).filter(({ visible, inFlight, delayed }) => visible + inFlight + delayed > 0);
}

/** Whether the queue keeps what was given up: it is nobody's work any more. */
export function keepsDeadLetters({ name }: Queue): boolean {
  return /dead/i.test(name);
}

export const address = {
  name: 'Kim Yuna',
  line1: '1 Sejong-daero',
  city: 'Seoul',
  postalCode: '04524',
  country: 'KW',
};

export interface Goods {
  readonly sku: string;
  readonly productId: string;
  readonly price: { readonly amount: number; readonly currency: string };
}

/** Puts a product on sale. Price in minor units. */
export async function sell(
  client: Client,
  product: { name?: string; amount?: number; currency?: string; stock: number; shards?: number },
): Promise<Goods> {
  const token = await client.operator();
  const { name = 'Celadon cup', amount = 1_999, currency = 'USD', stock, shards = 1 } = product;
  const created = await client.request('POST', '/v1/admin/products', {
    token,
    headers: { 'idempotency-key': randomUUID() },
    json: {
      name,
      description: 'Glazed by hand.',
      category: 'housewares',
      style: 'kitchen',
      variants: [{ attributes: {}, price: { amount, currency } }],
    },
  });
  if (created.status !== 201) throw new Error(`no product: ${created.status} ${created.text}`);
  const [{ sku, price }] = created.body.variants;
  const opened = await client.request('POST', '/v1/admin/stock/import', {
    token,
    headers: { 'content-type': 'text/csv' },
    text: `sku,available\n${sku},${stock}\n`,
  });
  if (opened.status !== 200 || opened.body.failed.length > 0) {
    throw new Error(`no stock: ${opened.status} ${opened.text}`);
  }
  if (shards > 1) {
    const raised = await client.request('PUT', `/v1/admin/stock/${sku}/shards`, {
      token,
      json: { count: shards },
    });
    if (raised.status !== 200) throw new Error(`no shards: ${raised.status} ${raised.text}`);
  }
  return { sku, productId: created.body.id, price };
}

/** What of a drop differs: all else is as `announceDrop` has it. Instants in milliseconds since the epoch. */
export interface DropTerms {
  readonly opensAt?: number;
  readonly closesAt: number;
  readonly perCustomerLimit?: number;
  readonly admission: { readonly rate: number };
  readonly fallbackPerSecond: number;
  readonly holdSeconds?: number;
  readonly arrivalShards?: number;
}

/** Announces a drop of a SKU, which opens as soon as it may unless told. */
export async function announceDrop(
  client: Client,
  sku: string,
  { opensAt, closesAt, ...terms }: DropTerms,
): Promise<{ readonly id: string; readonly opensAt: number }> {
  const instant = (at: number) => new Date(at).toISOString();
  const { status, body, text } = await client.request('POST', '/v1/admin/drops', {
    token: await client.operator(),
    headers: { 'idempotency-key': randomUUID() },
    json: {
      name: 'Moon jar',
      skus: [sku],
      perCustomerLimit: 1,
      ...terms,
      ...(opensAt !== undefined && { opensAt: instant(opensAt) }),
      closesAt: instant(closesAt),
    },
  });
  if (status !== 201) throw new Error(`no drop: ${status} ${text}`);
  return { id: body.id, opensAt: Date.parse(body.opensAt) };
}

/** Moves the embedded cloud's clock on to that moment (milliseconds since the epoch), if it lies ahead. */
export async function moveClockTo(client: Client, moment: number): Promise<void> {
  const advanceSeconds = (moment - (await timeOf(client))) / 1_000;
  if (advanceSeconds > 0) await client.request('POST', '/_local/clock', { json: { advanceSeconds } });
}

export interface Line {
  readonly sku: string;
  readonly quantity: number;
}

/** What the lines come to at the shopper's address, from a cart: minor units and currency. */
export async function totalOf(client: Client, lines: readonly Line[], country = address.country) {
  const merged = [...Map.groupBy(lines, ({ sku }) => sku)].map(([sku, same]) => ({
    sku,
    quantity: same.reduce((sum, { quantity }) => sum + quantity, 0),
  }));
  const cart = await client.request('POST', `/v1/carts?country=${country}`, { json: { lines: merged } });
  if (cart.status !== 201) throw new Error(`no cart: ${cart.status} ${cart.text}`);
  return cart.body.total as { amount: number; currency: string };
}

/** `POST /v1/orders` for lines, paid with the sandbox token `payWith`; null places it without a payment. */
export async function order(
  client: Client,
  buyer: {
    token: string;
    lines: readonly Line[];
    total: { amount: number; currency: string };
    key?: string;
    payWith?: string | null;
    country?: string;
    language?: string;
    /** Tokens of admissions to drops. */
    admission?: string;
    signal?: AbortSignal;
  },
): Promise<Answer> {
  const {
    token,
    lines,
    total,
    key = randomUUID(),
    payWith = 'tok_approve',
    country,
    language,
    admission,
    signal,
  } = buyer;
  return client.request('POST', '/v1/orders', {
    token,
    ...(signal && { signal }),
    headers: {
      'idempotency-key': key,
      ...(language && { 'accept-language': language }),
      ...(admission && { 'floodgate-admission': admission }),
    },
    json: {
      lines,
      shippingAddress: { ...address, ...(country && { country }) },
      expectedTotal: total,
      ...(payWith && { payment: { method: 'card', token: payWith } }),
    },
  });
}

/** Waits until the order has `status` (or a payment with `payment`), and answers it. */
export async function settled(
  client: Client,
  token: string,
  orderId: string,
  wanted: { status?: string; payment?: string },
  withinMs?: number,
): Promise<any> {
  return until(
    `order ${orderId} is ${JSON.stringify(wanted)}`,
    async () => {
      const { body } = await client.request('GET', `/v1/orders/${orderId}`, { token });
      const there =
        (wanted.status === undefined || body?.status === wanted.status) &&
        (wanted.payment === undefined || body?.payment?.status === wanted.payment);
      return there && body;
    },
    withinMs,
  );
}

/** The provider's own book. */
export async function charges(client: Client): Promise<any[]> {
  const { status, body, text } = await client.request('GET', '/_local/psp/charges');
  if (status !== 200) throw new Error(`no book: ${status} ${text}`);
  return body.items;
}

/** Units of a SKU that are left, over all shards. */
export async function left(client: Client, sku: string): Promise<number> {
  const { status, body, text } = await client.request('GET', `/v1/admin/stock/${sku}`, {
    token: await client.operator(),
  });
  if (status !== 200) throw new Error(`no stock: ${status} ${text}`);
  return body.available;
}

/**
 * Runs a schedule by its name, as if it came due at `time` (now unless told), and answers what came of it.
 * @throws Error when it does not end well
 */
export async function runSchedule(client: Client, name: string, time?: string): Promise<any> {
  const { status, body, text } = await client.request('POST', `/_local/schedules/${name}/run`, {
    json: { ...(time && { time }) },
  });
  if (status !== 200 || body.status !== 'SUCCEEDED')
    throw new Error(`${name} did not run: ${status} ${text}`);
  return body.output;
}

/** The store's time, in milliseconds since the epoch. */
export async function timeOf(client: Client): Promise<number> {
  return Date.parse((await client.request('GET', '/_local')).body.now);
}

/** Moves the clock to three hours after the midnight that ends the store's business date, which it answers. */
export async function endBusinessDay(client: Client): Promise<string> {
  const now = await timeOf(client);
  const date = dateIn(businessTimeZone, now);
  let next = now;
  while (dateIn(businessTimeZone, next) === date) next += 15 * 60_000;
  // An audit is an hour behind, and looks at what was placed up to a quarter of an hour before.
  const advanceSeconds = (next - now) / 1_000 + 3 * 3_600;
  await client.request('POST', '/_local/clock', { json: { advanceSeconds } });
  return date;
}

/** Lets the business day end, has it audited and exported, and downloads the export. */
export async function exportToday(
  client: Client,
): Promise<{ date: string; manifest: any; files: ReadonlyMap<string, string> }> {
  await endBusinessDay(client);
  const { date } = await until('the day is exported', async () => {
    const done = await runExport(client, await timeOf(client));
    return done.state !== 'waiting' && done;
  });
  const { token } = await client.account('finance');
  const { body } = await client.request('GET', `/v1/finance/exports/${date}`, { token });
  const files = new Map<string, string>();
  for (const { name, url } of body.links) files.set(name, await (await fetch(url)).text());
  return { date, manifest: body.manifest, files };
}

/** Has the auditor and then the export run, as of `time`; the export's manifest, or its plan while it waits. */
export async function runExport(client: Client, time: number): Promise<any> {
  await runSchedule(client, 'audit-events');
  return runSchedule(client, 'finance-export', new Date(time).toISOString());
}
