/**
 * The same one-line order built the way tutorials build it: a REST API before a function that writes an order record and
 * starts a Standard workflow, one function per step, a transaction wherever two things should agree, status fields
 * that are rewritten at every step, a function that publishes each event, INFO logs. It is a model, not a program: each
 * count says where it comes from. Prices, durations and sizes are those of our own bill, so that only the shape differs.
 */
export interface NaiveCount {
  /** The name of a price in bench/prices.json. */
  readonly price: string;
  /** Of one order. */
  readonly count: number;
  readonly origin: string;
}

const functions = [
  { name: 'create order', ms: 40, gb: 1 },
  { name: 'reserve stock', ms: 25, gb: 0.5 },
  { name: 'authorise', ms: 15, gb: 0.5 },
  { name: 'mark authorised', ms: 20, gb: 0.5 },
  { name: 'capture', ms: 15, gb: 0.5 },
  { name: 'mark paid', ms: 20, gb: 0.5 },
  { name: 'write the ledger', ms: 20, gb: 0.5 },
  { name: 'send the e-mail', ms: 80, gb: 0.5 },
  { name: 'publish events', ms: 15, gb: 0.5 },
] as const;

/** Of which two call the provider; a Standard workflow waits for them at no charge. */
const providerCalls = 2;
const webhooks = 2;
const requests = 1 + webhooks;
const invocations = functions.length + webhooks;
/** Start and report lines of an invocation with tracing (local/log-bytes.ts), and two lines of its own of 300 bytes. */
const logBytesOfInvocation = 771 + 2 * 326;

export const naiveCounts: readonly NaiveCount[] = [
  {
    price: 'dynamodb.writeUnits',
    count: 43,
    origin: [
      'create: a transaction of the order (2 KB) with two indexes that project everything, and an idempotency record: 4 + 2 × 4 + 2 = 14',
      'reserve: a transaction of the stock and of the order’s status in table and indexes: 2 + 4 + 2 × 4 = 14',
      'authorised: the order’s status in table and indexes: 2 + 2 × 2 = 6',
      'paid: the same: 6',
      'ledger: one entry each way: 2; e-mail log: 1',
    ].join('; '),
  },
  {
    price: 'dynamodb.readUnits',
    count: 12,
    origin:
      'every function but the three senders reads the order again, strongly consistently: 6 + 1 (prices) + 1 (stock) + 2 (transactional read of the cart) + 2 (webhooks)',
  },
  { price: 'cloudfront.requests', count: requests, origin: 'the POST and two webhooks' },
  { price: 'waf.requests', count: requests, origin: 'the POST and two webhooks' },
  { price: 'apigateway.restRequests', count: requests, origin: 'REST API: the POST and two webhooks' },
  {
    price: 'lambda.requests',
    count: invocations,
    origin: `${functions.length} functions, and one for each webhook`,
  },
  {
    price: 'lambda.gbSeconds',
    count: functions.reduce((sum, { ms, gb }) => sum + (ms / 1000) * gb, 0) + webhooks * 0.015 * 0.5,
    origin: functions.map(({ name, ms, gb }) => `${name} ${ms} ms × ${gb} GB`).join(', '),
  },
  {
    price: 'states.transitions',
    count: 13,
    origin:
      'start; reserve, in stock?, authorise, authorised?, mark authorised, capture, captured?, mark paid, ledger, e-mail, publish; end',
  },
  {
    price: 'events.events',
    count: 4,
    origin:
      'placed, reserved, authorised, paid, each put by a function; no pipe, and so no guarantee that a stored change is told',
  },
  { price: 'events.archivedBytes', count: 4 * 1000, origin: 'four events of 1 KB' },
  { price: 'sqs.requests', count: 3, origin: 'one queue, for the e-mail: send, receive, delete' },
  {
    price: 'lambda.logBytes',
    count: invocations * logBytesOfInvocation,
    origin: 'Lambda’s own two lines and two lines of 300 bytes an invocation',
  },
  {
    price: 'states.logBytes',
    count: 50 * 354,
    origin:
      'log level ALL: five events for each of 8 tasks, two for each of 3 choices, for the last state and for the execution, 354 bytes each without data (local/log-bytes.ts)',
  },
  { price: 'apigateway.logBytes', count: requests * 240, origin: 'one access-log line a request' },
  {
    price: 'xray.traces',
    count: requests * 0.05,
    origin: 'one trace a request, 5% of them kept as X-Ray does by itself',
  },
];

/** On lines of their own, as in our bill. */
export const naiveEmails: NaiveCount = { price: 'ses.emails', count: 1, origin: 'one e-mail' };

/** @param providerSeconds that one call to the provider takes */
export function naiveWaiting(providerSeconds: number): NaiveCount {
  return {
    price: 'lambda.gbSeconds',
    count: providerCalls * providerSeconds * 0.5,
    origin: 'the two functions that call the provider wait at 0.5 GB; the workflow waits for nothing',
  };
}
