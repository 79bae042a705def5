import { functions } from '../lib/stacks/specs.ts';
import type { MeterLine } from '../local/types.ts';
import assumptions from './assumptions.json' with { type: 'json' };
import { busyQueues, openStore, order, type Store, sell, settled, totalOf, until } from './store.ts';

/** What N purchases caused, one after another: the meter's reading after them, nothing else having happened. */
export interface OrderReading {
  readonly orders: number;
  /** Of the way of an order; `by` and `resource` of functions are `<context>-<name>`. Counts are of all orders. */
  readonly lines: readonly MeterLine[];
  /** By function. */
  readonly memoryMb: ReadonlyMap<string, number>;
}

/** Until captured, journalled and mailed, and until nothing is under way. */
async function purchase(
  store: Store,
  token: string,
  sku: string,
  total: { amount: number; currency: string },
) {
  const placed = await order(store, { token, lines: [{ sku, quantity: 1 }], total });
  if (placed.status !== 201) throw new Error(`no order: ${placed.status} ${placed.text}`);
  const { id } = placed.body;
  await settled(store, token, id, { payment: 'captured' });
  await until(`the e-mail of ${id}`, async () => {
    const { body } = await store.request('GET', '/_local/messages');
    return JSON.stringify(body).includes(id) || JSON.stringify(body).includes(placed.body.number);
  });
}

async function comeToRest(store: Store): Promise<void> {
  await until('all queues are empty', async () => (await busyQueues(store)).length === 0);
}

/**
 * Sells one unit to each of `orders` shoppers in a store of its own, with the settings of production.
 * @param atOnce 1: no batch holds more than one order, which is the dearest way
 */
export async function measureOrders(orders: number, atOnce = 1): Promise<OrderReading> {
  // Batching windows and log levels are those of production.
  const store = await openStore({ stage: 'prod' });
  try {
    const { sku } = await sell(store, { stock: orders + 2 });
    // A shopper for each: one who orders again and again within a minute is counted by the limits.
    const tokens: string[] = [];
    while (tokens.length <= orders) tokens.push((await store.account()).token);
    const buy = () => purchase(store, tokens.pop()!, sku, total);
    const total = await totalOf(store, [{ sku, quantity: 1 }]);
    // The first one finds cold functions, which fetch keys and secrets.
    await buy();
    await comeToRest(store);
    await store.request('DELETE', '/_local/meter');
    for (let sold = 0; sold < orders; sold += atOnce) {
      const group = Array.from({ length: Math.min(atOnce, orders - sold) });
      await Promise.all(group.map(buy));
    }
    await comeToRest(store);
    const { body } = await store.request('GET', '/_local/meter');
    const { lines, memoryMb } = ofOrders(store, body.lines);
    return { orders, lines: withEvenWebhooks(lines, orders), memoryMb };
  } finally {
    await store.stop();
  }
}

/** Leaves out what this measurement itself asked for, what runs by the clock, and the provider's own side. */
function ofOrders(store: Store, all: readonly MeterLine[]): Omit<OrderReading, 'orders'> {
  const resources = store.cloud.runtime.resources('AWS::Lambda::Function');
  const names = new Map<string, string>();
  const memoryMb = new Map<string, number>();
  for (const { ref, properties } of resources) {
    const spec = functions.find(({ description }) => description === properties.Description);
    if (!spec || !isOfOrders(spec)) continue;
    names.set(ref, `${spec.context}-${spec.name}`);
    memoryMb.set(`${spec.context}-${spec.name}`, properties.MemorySize);
  }
  const foreign = new Set(resources.map(({ ref }) => ref).filter((ref) => !names.has(ref)));
  const lines = all
    .filter(({ by, resource }) => !foreign.has(by) && !foreign.has(resource) && by !== 'scheduler')
    .filter(({ by, resource }) => !isOfProvider(by) && !isOfProvider(resource))
    .filter(({ service, operation }) => service !== 'apigateway' || isRouteOfOrders(operation))
    .filter(({ service }) => service !== 'scheduler')
    .map((line) => ({
      ...line,
      by: names.get(line.by) ?? line.by,
      resource: names.get(line.resource) ?? line.resource,
    }));
  return { lines, memoryMb };
}

/**
 * The provider delivers some webhooks twice, by chance: what they caused is taken for as many as an order has, so that two
 * measurements are alike.
 */
function withEvenWebhooks(lines: readonly MeterLine[], orders: number): readonly MeterLine[] {
  const received = lines
    .filter(({ operation }) => isWebhook(operation))
    .reduce((sum, { counts }) => sum + (counts.requests ?? 0), 0);
  if (received === 0) return lines;
  const factor = (assumptions.webhooksPerOrder * orders) / received;
  return lines.map((line) => {
    if (![line.by, line.resource].includes(webhookFunction) && !isWebhook(line.operation)) return line;
    const counts = Object.entries(line.counts).map(([name, count]) => [name, count * factor]);
    return { ...line, counts: Object.fromEntries(counts) };
  });
}

const orderRoute = 'POST /v1/orders';
const webhookFunction = 'order-receive-webhook';
const webhookRoute = /^POST \/v1\/webhooks\//;

export function isWebhook(routeKey: string): boolean {
  return webhookRoute.test(routeKey);
}

/** The sandbox provider's stack, table and API stand for somebody else's. */
function isOfProvider(name: string): boolean {
  return /-Sandbox-|SandboxTable/.test(name);
}

function isRouteOfOrders(routeKey: string): boolean {
  return routeKey === orderRoute || isWebhook(routeKey);
}

function isOfOrders({ context, trigger }: (typeof functions)[number]): boolean {
  if (context === 'sandbox') return false;
  if ('http' in trigger) return isRouteOfOrders(`${trigger.http.method} ${trigger.http.path}`);
  return 'events' in trigger || ('task' in trigger && trigger.task === 'checkout');
}
