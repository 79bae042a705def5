import { randomBytes } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import { address, type Store, sell, settled, totalOf, until } from '../../../bench/store.ts';
import { localStory } from '../../../scripts/trace/local-story.ts';
import { type Node, render, treeOf } from '../../../scripts/trace/story.ts';
import { sharedStore } from './shared-store.ts';

let store: Store;
beforeAll(async () => {
  store = await sharedStore();
});

/** The texts from the root down to the first node that fits each of the patterns in turn. */
function path(tree: Node, ...patterns: RegExp[]): boolean {
  const [pattern, ...rest] = patterns;
  if (!pattern) return true;
  return tree.children.some((child) => pattern.test(child.text) && path(child, ...rest));
}

it('one trace leads from the shopper’s request to the provider, the journal and the e-mail', async () => {
  const traceId = randomBytes(16).toString('hex');
  const { sku } = await sell(store, { stock: 3 });
  const lines = [{ sku, quantity: 1 }];
  const { email, token } = await store.account();
  const placed = await store.request('POST', '/v1/orders', {
    token,
    headers: { 'idempotency-key': 'k', traceparent: `00-${traceId}-b7ad6b7169203331-01` },
    json: {
      lines,
      shippingAddress: address,
      expectedTotal: await totalOf(store, lines),
      payment: { method: 'card', token: 'tok_approve' },
    },
  });
  expect(placed.status).toBe(201);
  const orderId: string = placed.body.id;
  await settled(store, token, orderId, { payment: 'captured' });
  const story = await until('everything has followed', async () => {
    const told = await localStory(store, orderId);
    const paid = told.events.at(-1);
    const taken = told.receipts.filter(({ eventId }) => eventId === paid?.id).length;
    const complete = taken === told.consumers[paid?.type ?? '']?.length && told.runs.at(-1)?.to !== undefined;
    return complete && told.mails.length > 0 && told.entries.length > 0 && told;
  });

  expect(story.traceId).toBe(traceId);
  const tree = treeOf(story);
  const checkout = [
    /^request placeOrder → 201$/,
    /^event 1 order\.placed$/,
    /^rule → order-run-checkout$/,
    /^workflow checkout ord_\w+-1: SUCCEEDED, \d+ ms$/,
  ];
  expect(
    path(tree, ...checkout, /^Authorise, \d+ ms$/, /^provider POST \/authorizations → 20\d, \d+ ms$/),
  ).toBe(true);
  expect(path(tree, ...checkout, /^Record, \d+ ms$/, /^event 2 capture\.requested$/)).toBe(true);
  expect(path(tree, ...checkout, /^Capture, \d+ ms$/, /^provider POST .*\/captures → 20\d, \d+ ms$/)).toBe(
    true,
  );
  const captured = [...checkout, /^Record, \d+ ms$/, /^event 3 payment\.captured$/];
  expect(
    path(tree, ...captured, /^rule → finance-journal$/, /^journal entry of \d{4}-\d\d-\d\d, \d postings$/),
  ).toBe(true);
  expect(path(tree, ...captured, /^rule → notification-send-mail$/, /^e-mail “.+”$/)).toBe(true);

  const text = render(tree, story.events[0]!.at);
  expect(text).toContain(`trace ${traceId}`);
  expect(text).not.toContain('no line');
  expect(text).not.toContain(email);
  expect(text).not.toContain('tok_approve');
});

it('an order whose caller does not want it recorded is told from what is stored', async () => {
  const { sku } = await sell(store, { stock: 3 });
  const lines = [{ sku, quantity: 1 }];
  const { token } = await store.account();
  const traceId = randomBytes(16).toString('hex');
  const placed = await store.request('POST', '/v1/orders', {
    token,
    headers: { 'idempotency-key': 'k', traceparent: `00-${traceId}-b7ad6b7169203331-00` },
    json: { lines, shippingAddress: address, expectedTotal: await totalOf(store, lines) },
  });
  const story = await localStory(store, placed.body.id);
  expect(story).toMatchObject({ traceId, requests: [], calls: [], receipts: [] });
  expect(render(treeOf(story), story.events[0]!.at)).toContain('event 1 order.placed');
});
