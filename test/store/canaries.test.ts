import { randomUUID } from 'node:crypto';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Answer,
  address,
  endBusinessDay,
  openStore,
  runExport,
  type Store,
  settled,
  timeOf,
  until,
} from '../../bench/store.ts';
import type { Route } from '../../functions/kernel/contract.ts';
import { cardNumber, everythingWritten, keepPassing, writtenAnyhow } from './support/canaries.ts';
import { outboxOf } from './support/outbox.ts';
import { publicRoutes } from './support/public-routes.ts';
import { send, type Wire, wireOf } from './support/requests.ts';
import { type RouteId, rows } from './support/route-samples.ts';
import { type Scene, setScene, shoppers } from './support/scene.ts';

/** Numbers that nothing else here can hold by chance. */
const cards = ['492917365028481', '55170934861277', '37164820593716'].map(cardNumber);
const spelt = (card: string) => [
  card,
  card.replace(/(\d{4})(?=\d)/g, '$1 '),
  card.replace(/(\d{4})(?=\d)/g, '$1-'),
];

const person = {
  name: 'Canary Wharfinger',
  line1: '77 Canarystreet',
  line2: 'Canaryfloor 9',
  city: 'Canarytown',
  postalCode: 'CNRY771',
  phone: '+965 7712 4471',
};
const strayWords = 'canary-in-a-stray-place';

/**
 * Where personal data may be, and nowhere else. Everything here is encrypted at rest; `confidential` never leaves its
 * table, as the pipe to the bus takes named attributes only.
 */
const kept = {
  name: ['table order: confidential'],
  line1: ['table order: confidential'],
  line2: ['table order: confidential'],
  city: ['table order: confidential'],
  postalCode: ['table order: confidential'],
  phone: ['table order: confidential'],
  // The user pool owns it; the only other place is the envelope of the mail to its owner.
  email: ['service cognito: users', 'service ses: messages'],
  // The workflow carries it to the provider. On AWS an express run is kept by its log alone, which holds no data.
  token: ['service states: executions', 'table order: confidential'],
};

let store: Store;
let scene: Scene;
let buyer: { email: string; token: string };
const token = `tok_canary${randomUUID().replaceAll('-', '')}`;
const answers: Answer[] = [];

beforeAll(async () => {
  store = await openStore();
  keepPassing(store);
  scene = await setScene(store);
  buyer = await store.account();
});
afterAll(() => store?.stop());

async function tokenFor({ id, audience }: Route): Promise<string | undefined> {
  if (rows[id as RouteId].ends) return (await shoppers(store, 1))[0];
  if (audience === 'operators') return scene.operator.token;
  if (audience === 'finance') return scene.finance.token;
  return audience === 'shopper' ? scene.shopper.token : undefined;
}

/** A good request with `text` put into one place after the other; by the place. */
function tainted(route: Route, good: Wire, text: string): [place: string, Wire][] {
  const wires: [string, Wire][] = [
    ['query', { ...good, query: [...good.query, ['note', text]] }],
    ['name of a query', { ...good, query: [...good.query, [text, '1']] }],
  ];
  for (const name of Object.keys(good.params)) {
    wires.push([`path ${name}`, { ...good, params: { ...good.params, [name]: text } }]);
  }
  if (route.body === undefined) return wires;
  const { content = '{}' } = good;
  if (route.body === 'text') return [...wires, ['body', { ...good, content: `${content}${text}\n` }]];
  const json = JSON.parse(content);
  for (const name of [...Object.keys(json), 'note']) {
    wires.push([`body ${name}`, { ...good, content: JSON.stringify({ ...json, [name]: text }) }]);
  }
  wires.push(['body, deep', { ...good, content: JSON.stringify({ ...json, note: [{ note: [text] }] }) }]);
  return wires;
}

const headerNames = ['x-request-id', 'idempotency-key', 'if-match', 'if-none-match', 'user-agent', 'referer'];
const moreNames = ['cookie', 'accept-language', 'traceparent', 'tracestate', 'x-forwarded-for', 'x-note'];

describe('a card number is refused and leaves no trace', () => {
  it.each(publicRoutes.map((route) => [route.id, route] as const))('%s', async (id, route) => {
    const [sample] = await rows[id as RouteId].samples(
      scene,
      route.audience === 'guest' ? undefined : scene.shopper,
    );
    const good = wireOf(route, sample);
    for (const [index, card] of cards.entries()) {
      for (const [place, wire] of tainted(route, good, spelt(card)[index]!)) {
        const answer = await send(store, route, wire, await tokenFor(route));
        answers.push(answer);
        expect(answer.body?.type, `${place}: ${answer.status} ${answer.text}`).toMatch(
          /\/card-number-refused$/,
        );
      }
    }
    for (const name of [...headerNames, ...moreNames]) {
      const wire = { ...good, headers: { ...good.headers, [name]: cards[0]! } };
      answers.push(await send(store, route, wire, await tokenFor(route)));
    }
  });

  it('nor does one in a path that no route takes, in a bad token, or at the provider’s door', async () => {
    for (const card of cards.flatMap(spelt)) {
      answers.push(await store.request('GET', `/v1/nowhere/${encodeURIComponent(card)}`));
      answers.push(
        await store.request('POST', '/v1/orders', { token: card.replaceAll(' ', '.'), json: { card } }),
      );
      answers.push(
        await store.request('POST', `/v1/carts`, {
          text: `{"card": "${card}"`,
          headers: { 'content-type': 'application/json' },
        }),
      );
    }
  });

  it('no answer repeats one', () => {
    for (const { text, headers } of answers) {
      const whole = `${text} ${JSON.stringify([...headers])}`;
      for (const card of cards) expect(whole).not.toMatch(writtenAnyhow(card));
    }
  });
});

describe('personal data', () => {
  let orderId: string;

  it('is taken with an order, a payment and its refund', async () => {
    const placed = await store.request('POST', '/v1/orders', {
      token: buyer.token,
      headers: { 'idempotency-key': randomUUID() },
      json: {
        lines: [{ sku: scene.goods.sku, quantity: 1 }],
        shippingAddress: { ...person, country: address.country },
        expectedTotal: scene.total,
        payment: { method: 'card', token },
      },
    });
    expect(placed.status, placed.text).toBe(201);
    orderId = placed.body.id;
    await settled(store, buyer.token, orderId, { payment: 'declined' });
    const paid = await store.request('POST', `/v1/orders/${orderId}/payments`, {
      token: buyer.token,
      headers: { 'idempotency-key': randomUUID() },
      json: { method: 'card', token: 'tok_approve' },
    });
    expect(paid.status, paid.text).toBe(202);
    await settled(store, buyer.token, orderId, { payment: 'captured' });
    const refunded = await store.request('POST', `/v1/admin/orders/${orderId}/refunds`, {
      token: scene.operator.token,
      headers: { 'idempotency-key': randomUUID() },
      json: { reason: 'a scratch', amount: { amount: 1, currency: scene.total.currency } },
    });
    expect(refunded.status, refunded.text).toBe(201);
    await until('the mails are sent', async () => (await outboxOf(store).mails(buyer.email)).length >= 2);
  });

  it('is refused, or ignored, wherever else it is sent', async () => {
    for (const route of publicRoutes) {
      const owner = route.audience === 'guest' ? undefined : scene.shopper;
      const [sample] = await rows[route.id as RouteId].samples(scene, owner);
      const good = wireOf(route, sample);
      const wires = tainted(route, good, strayWords).map(([, wire]) => wire);
      for (const name of [...headerNames, ...moreNames]) {
        if (name !== 'x-request-id')
          wires.push({ ...good, headers: { ...good.headers, [name]: strayWords } });
      }
      for (const wire of wires) {
        // What an operator or shopper is asked to write down is written down.
        if (!isAskedFor(route, wire)) await send(store, route, wire, await tokenFor(route));
      }
    }
  });

  it('is exported to nobody', async () => {
    await outboxOf(store).quiet();
    await endBusinessDay(store);
    await runExport(store, await timeOf(store));
    await outboxOf(store).quiet();
  });
});

/** Whether the words stand where the contract takes any text. */
function isAskedFor(route: Route, { content, query }: Wire): boolean {
  if (route.method === 'GET') return query.some(([name]) => name === 'q');
  const free = ['name', 'description', 'reason', 'category', 'style'];
  const json = route.body === 'text' ? {} : JSON.parse(content ?? '{}');
  return free.some((name) => json[name] === strayWords);
}

describe('what the store has written', () => {
  let places: Map<string, string>;
  beforeAll(async () => {
    places = await everythingWritten(store);
  });
  const holding = (pattern: RegExp | string) =>
    [...places]
      .filter(([, text]) => (typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text)))
      .map(([place]) => place)
      .sort();

  it('was looked through', () => {
    const seen = [...places.keys()].join('\n');
    for (const place of [/^log .*place/im, /^log cloud\.log$/m, /^table order: /m, /^service kept: sqs/m])
      expect(seen).toMatch(place);
    for (const place of [/^service events: archived/m, /^service states: executions/m, /^object$/m])
      expect(seen).toMatch(place);
  });

  it.each(cards)('holds no card number (%s)', (card) => {
    expect(holding(writtenAnyhow(card))).toEqual([]);
  });

  it.each(Object.entries(kept))('holds a shopper’s %s there only', (what, where) => {
    const values: Record<string, string> = { ...person, email: buyer.email, token };
    expect(holding(values[what]!)).toEqual(where);
  });

  it('holds nothing of what was sent where nobody asked for it', () => {
    expect(holding(strayWords)).toEqual([]);
  });
});

it('whatever is planted is found', async () => {
  const { runtime } = store.cloud;
  const { call, put } = outboxOf(store);
  const planted = 'canary-planted';
  const [queue] = runtime.resources('AWS::SQS::Queue');
  const [bus] = runtime.resources('AWS::Events::EventBus');
  await put('cart', { pk: { S: planted }, sk: { S: '1' } });
  await call('sqs', 'SendMessage', { QueueUrl: queue!.ref, MessageBody: planted });
  const entry = { EventBusName: bus!.ref, Source: planted, DetailType: 'planted', Detail: '{}' };
  await call('events', 'PutEvents', { Entries: [entry] });
  appendFileSync(join(store.home, 'logs', 'planted.log'), planted);
  writeFileSync(join(store.home, 's3', 'planted'), planted);
  const written = await everythingWritten(store);
  const places = [...written].filter(([, text]) => text.includes(planted)).map(([place]) => place);
  expect(places).toEqual(
    expect.arrayContaining([
      'table cart: pk',
      'service kept: sqs',
      'service events: recorded',
      'service events: archived',
      'log planted.log',
      'object',
    ]),
  );
});
