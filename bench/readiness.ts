import { shardsFor } from '../functions/inventory/domain/heat.ts';
import type { Config } from '../lib/config.ts';
import { functionId } from '../lib/constructs/bundle.ts';
import { routeKeyOf } from '../lib/constructs/http-route.ts';
import { throttlesOf } from '../lib/constructs/throttles.ts';
import { functions } from '../lib/stacks/specs.ts';
import assumptions from './assumptions.json' with { type: 'json' };
import budget from './budget.json' with { type: 'json' };
import documented from './limits.json' with { type: 'json' };
import priceList from './prices.json' with { type: 'json' };

const { prices } = priceList;

/** An event as it is planned. */
export interface Event {
  readonly shoppers: number;
  /** Seconds in which they arrive. */
  readonly within: number;
  /** Of those who come, how many sign in then and there (0–1). */
  readonly signingIn: number;
  /** Orders that are let through each second; undefined: as fast as payment allows. */
  readonly ordersPerSecond: number | undefined;
  /** Units for sale of each SKU, and the shards they lie in. */
  readonly stock: readonly { readonly sku: string; readonly units: number; readonly shards: number }[];
  /** Counters on which each second's arrivals are spread. */
  readonly arrivalShards: number;
  /** How often a shopper in the queue asks for the ticket, in seconds. */
  readonly pollSeconds: number;
}

/** What the account and the tables have in place of the documented defaults, by name as in limits.json. */
export type Raised = Readonly<Record<string, number>>;

export interface Check {
  readonly what: string;
  readonly needs: number;
  readonly has: number;
  readonly unit: string;
  /** What follows when more is needed than there is. */
  readonly otherwise: string;
  /** How to raise it. */
  readonly remedy: string;
}

export interface Readiness {
  readonly ordersPerSecond: number;
  /** The tightest first. */
  readonly checks: readonly Check[];
  /** Functions of which fewer environments are ready than the crowd keeps busy: they begin cold. */
  readonly cold: readonly Check[];
  readonly usd: { readonly queue: number; readonly orders: number; readonly mail: number };
}

/** Seconds of a payment from its start to its end: the provider's time and the workflow's own. */
const paymentSeconds = (assumptions.providerMilliseconds + assumptions.workflowMilliseconds) / 1_000;
/** Calls of the provider for a payment: authorise and capture. */
const callsPerPayment = 2;
/**
 * Orders a second that a shard carries before its buyers, who meet in it, must be sent away: what the model of scale finds
 * (docs/scale.md, "The best rate by shards"), long before the shard's write units are used up.
 */
export const ordersPerShard = 140;
/** Write units of a draw in a transaction (DynamoDB doubles them there). */
const writesPerDraw = 2;
/** A ticket's counter and its item. */
const writesPerTicket = 2;
/** Events of an order from placed to captured. */
const eventsPerOrder = 6;
/** E-mails of an order while the event lasts. */
const mailsPerOrder = 2;

/**
 * Compares what an event asks for with the stage's settings and AWS's documented limits. Arithmetic, not a measurement:
 * it says what breaks first, not when. `npm run simulate:scale` plays the same out over time.
 * @param ready environments that are ready when the event begins, by function; none unless told
 */
export function readinessOf(
  event: Event,
  config: Config,
  raised: Raised = {},
  ready: Readonly<Record<string, number>> = {},
): Readiness {
  const limit = (name: keyof typeof documented.limits) => raised[name] ?? documented.limits[name].value;
  const reserved = (id: string) => config.reservedConcurrency[id] ?? 0;
  const workers = config.checkout.concurrency;
  const paymentsPerSecond = Math.min(workers / paymentSeconds, limit('provider.rate') / callsPerPayment);
  const orders = event.ordersPerSecond ?? paymentsPerSecond;
  const units = event.stock.reduce((sum, one) => sum + one.units, 0);
  const arrivals = event.shoppers / event.within;
  const polls = event.shoppers / event.pollSeconds;
  const throttles = throttlesOf(config, functions);
  const reservedInAll = Object.values(config.reservedConcurrency).reduce((sum, one) => sum + one, 0);
  const queueSeconds = assumptions.milliseconds.other / 1_000;

  const checks: Check[] = [
    // The whole rate may fall on one SKU at a time.
    ...event.stock.map(({ sku, shards }) => ({
      what: `shards of ${sku}`,
      needs: orders,
      has: shards * ordersPerShard,
      unit: 'orders/s',
      otherwise: 'draws conflict; buyers wait and may be answered 503',
      remedy: `npm run operate -- raise-shards ${sku} --count ${shardsFor(orders)}`,
    })),
    {
      what: 'inventory table, at the start',
      needs: orders * writesPerDraw,
      has: raised['inventory.warmWriteUnits'] ?? limit('dynamodb.onDemandStartWriteUnits'),
      unit: 'write units/s',
      otherwise: 'the table throttles until it has grown',
      remedy: 'warm throughput of the inventory table',
    },
    {
      what: 'order table, at the start',
      // All write units of an order are counted here; a few are other tables'.
      needs: orders * budget.writeUnitsPerOrder,
      has: raised['order.warmWriteUnits'] ?? limit('dynamodb.onDemandStartWriteUnits'),
      unit: 'write units/s',
      otherwise: 'the table throttles until it has grown',
      remedy: 'warm throughput of the order table',
    },
    {
      what: 'admission table, at the start',
      needs: arrivals * writesPerTicket,
      has: raised['admission.warmWriteUnits'] ?? limit('dynamodb.onDemandStartWriteUnits'),
      unit: 'write units/s',
      otherwise: 'tickets are answered 503 and asked for again',
      remedy: 'warm throughput of the admission table',
    },
    {
      what: 'arrival counters',
      needs: arrivals,
      has: event.arrivalShards * limit('dynamodb.partitionWriteUnits'),
      unit: 'tickets/s',
      otherwise: 'tickets are answered 503 and asked for again',
      remedy: 'more arrival shards (a new drop)',
    },
    {
      what: 'gateway, in the stage',
      needs: arrivals + polls + orders,
      has: config.api.requestsPerSecond,
      unit: 'requests/s',
      otherwise: 'requests are answered 429 by the gateway',
      remedy: 'api.requestsPerSecond in lib/config.ts, or a longer poll',
    },
    {
      what: 'gateway, in the account',
      needs: arrivals + polls + orders,
      has: limit('apigateway.accountRate'),
      unit: 'requests/s',
      otherwise: 'requests of all APIs are answered 429',
      remedy: 'the account’s quota of API Gateway',
    },
    ...(
      [
        ['placing orders', 'order-place-order', orders],
        ['taking tickets', 'admission-take-ticket', arrivals],
        // Each is told to come when its second has been counted.
        ['asking for the position', 'admission-get-ticket', arrivals],
      ] as const
    ).map(([what, id, needs]) => ({
      what: `throttle of ${what}`,
      needs,
      has: throttles[routeKey(id)]?.ThrottlingRateLimit ?? config.api.requestsPerSecond,
      unit: 'requests/s',
      otherwise: 'requests are answered 429 by the gateway and come again; nobody loses a place',
      remedy: `reservedConcurrency of ${id} in lib/config.ts`,
    })),
    ...(
      [
        ['taking tickets', 'admission-take-ticket', arrivals],
        ['asking for the turn', 'admission-get-ticket', polls],
      ] as const
    ).map(([what, id, rate]) => ({
      what: `environments for ${what}`,
      needs: rate * queueSeconds,
      has: reserved(id) || limit('lambda.concurrency') - reservedInAll,
      unit: 'environments',
      otherwise: 'shoppers are answered 429 or 503 and ask again; nobody loses a place',
      remedy: `reservedConcurrency of ${id} in lib/config.ts, and the account’s concurrency`,
    })),
    {
      what: 'payments (the provider’s pace)',
      needs: orders,
      has: paymentsPerSecond,
      unit: 'payments/s',
      otherwise: 'payments wait in their queue, and nothing is lost while reservations hold',
      remedy: 'checkout.concurrency in lib/config.ts, and the provider’s rate',
    },
    {
      what: 'workers of payments',
      needs: workers,
      has: reserved('order-run-checkout') || limit('lambda.concurrency') - reservedInAll,
      unit: 'environments',
      otherwise: 'payments wait in their queue',
      remedy: 'reservedConcurrency of order-run-checkout in lib/config.ts',
    },
    {
      what: 'workflow starts',
      needs: orders,
      has: limit('states.expressStartRate'),
      unit: 'executions/s',
      otherwise: 'payments wait in their queue',
      remedy: 'the account’s quota of Step Functions',
    },
    {
      what: 'events to the bus',
      needs: orders * eventsPerOrder,
      has: limit('events.putEventsRate'),
      unit: 'events/s',
      otherwise: 'the outbox falls behind and catches up',
      remedy: 'the account’s quota of EventBridge',
    },
    {
      what: 'sign-ins',
      needs: arrivals * event.signingIn,
      has: limit('cognito-idp.signInRate'),
      unit: 'sign-ins/s',
      otherwise: 'shoppers cannot sign in and miss their second',
      remedy: 'ask shoppers to sign in before; the account’s quota of Cognito',
    },
    {
      what: 'e-mail',
      needs: orders * mailsPerOrder,
      has: limit('ses.sendRate'),
      unit: 'messages/s',
      otherwise: `e-mail is late by up to ${Math.ceil((units * mailsPerOrder) / limit('ses.sendRate') / 60)} min, and none is lost`,
      remedy: 'the account’s sending rate of SES',
    },
  ];
  return {
    ordersPerSecond: orders,
    checks: checks.sort((a, b) => tightness(b) - tightness(a)),
    cold: coldAt({ arrivals, polls, orders }, config, ready),
    usd: costOf(event, units),
  };
}

/**
 * Quotas as an operator names them: `ses.sendRate=100`.
 * @throws Error for what is no limit of limits.json and no table's warm throughput, and for what is no number
 */
export function raisedBy(given: readonly string[]): Raised {
  return Object.fromEntries(
    given.map((one) => {
      const [name = '', value = ''] = one.split('=');
      const known = name in documented.limits || /^(order|inventory|admission)\.warmWriteUnits$/.test(name);
      if (!known) throw new Error(`${name} is no limit of bench/limits.json`);
      if (!(Number(value) > 0)) throw new Error(`${name} must be a number above 0`);
      return [name, Number(value)];
    }),
  );
}

/** What is needed of what there is; above 1 it breaks. */
export function tightness({ needs, has }: Check): number {
  return has > 0 ? needs / has : needs > 0 ? Number.POSITIVE_INFINITY : 0;
}

/** By Little's law, of as many as may be busy at all. */
function coldAt(
  rates: { readonly arrivals: number; readonly polls: number; readonly orders: number },
  config: Config,
  ready: Readonly<Record<string, number>>,
): Check[] {
  const { milliseconds, drop } = assumptions;
  const rateOf: Readonly<Record<string, number>> = {
    'admission-take-ticket': rates.arrivals,
    'admission-get-ticket': rates.polls,
    // The rest is answered at the edge.
    'admission-show-drop': drop.edgeLocations,
  };
  return functions
    .filter(({ warm }) => warm)
    .map((spec) => {
      const id = functionId(spec);
      const busy = (milliseconds as Record<string, number>)[id] ?? milliseconds.other;
      const most = config.reservedConcurrency[id] ?? Number.POSITIVE_INFINITY;
      return {
        what: id,
        needs: Math.min(most, Math.ceil(((rateOf[id] ?? rates.orders) * busy) / 1_000)),
        has: ready[id] ?? 0,
        unit: 'environments',
        otherwise: 'the first requests wait for environments to start',
        remedy: 'npm run operate -- warm',
      };
    })
    .filter((check) => tightness(check) > 1);
}

function routeKey(id: string): string {
  const spec = functions.find((one) => functionId(one) === id);
  if (!spec || !('http' in spec.trigger)) throw new Error(`there is no route of ${id}`);
  return routeKeyOf(spec.trigger.http);
}

/** At list prices: everybody takes a ticket, asks for it five times, and each unit becomes an order of its own. */
function costOf({ shoppers }: Event, units: number): Readiness['usd'] {
  const each = (name: keyof typeof prices, count: number) => (prices[name].usd / prices[name].per) * count;
  const asks = 6;
  const perShopper =
    each('apigateway.requests', asks) +
    each('cloudfront.requests', asks) +
    each('dynamodb.writeUnits', writesPerTicket) +
    each('dynamodb.readUnits', asks) +
    each('lambda.requests', asks) +
    each('lambda.gbSeconds', (asks * 0.5 * assumptions.milliseconds.other) / 1_000);
  return {
    queue: shoppers * perShopper,
    orders: (units * budget.usdPerMillionOrders) / 1_000_000,
    mail: each('ses.emails', units * mailsPerOrder),
  };
}
