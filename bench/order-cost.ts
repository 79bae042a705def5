import { configOf } from '../lib/config.ts';
import { priceOf } from '../local/pricing.ts';
import assumptions from './assumptions.json' with { type: 'json' };
import { isWebhook, type OrderReading } from './measure-order.ts';

/** One line of the bill of an order. */
export interface CostLine {
  readonly line: string;
  /** Its name in bench/prices.json. */
  readonly price: string;
  /** Of one order, in the unit of the price. */
  readonly count: number;
  readonly usdPerMillion: number;
  /** `own` counts against the budget. */
  readonly part: 'own' | 'e-mail' | 'provider';
}

export interface OrderCost {
  readonly writeUnits: number;
  readonly readUnits: number;
  readonly usdPerMillion: number;
  readonly lines: readonly CostLine[];
  /** Write units by who wrote which table. */
  readonly writes: readonly {
    readonly step: string;
    readonly writeUnits: number;
    readonly ofIndexes: number;
  }[];
  /** By function: invocations, assumed and real milliseconds, log bytes. */
  readonly functions: readonly FunctionCost[];
}

interface FunctionCost {
  readonly function: string;
  readonly invocations: number;
  readonly assumedMs: number;
  readonly realMs: number;
  readonly memoryMb: number;
  readonly logBytes: number;
}

const milliseconds: Readonly<Record<string, number>> = assumptions.milliseconds;
/** Calls to the provider are made by this function; the worker and its workflow wait meanwhile. */
const caller = 'payment-call-provider';
const worker = 'order-run-checkout';

/** What an order costs at list price, from what it caused and what is assumed of durations. */
export function orderCost({ orders, lines, memoryMb }: OrderReading): OrderCost {
  const sum = (
    service: string,
    count: string,
    which: (line: OrderReading['lines'][number]) => boolean = () => true,
  ) =>
    lines
      .filter((line) => line.service === service && which(line))
      .reduce((total, { counts }) => total + (counts[count] ?? 0), 0) / orders;
  const functions = functionsOf(lines, memoryMb, orders);
  const invocations = functions.reduce((total, one) => total + one.invocations, 0);
  const gb = (name: string) => (memoryMb.get(name) ?? 0) / 1024;
  const awaited = (assumptions.providerMilliseconds / 1000) * invocationsOf(functions, caller);

  const measuredWebhooks = sum('apigateway', 'requests', ({ operation }) => isWebhook(operation));
  const webhooks = Math.max(0, assumptions.webhooksPerOrder - measuredWebhooks);
  const requests = sum('apigateway', 'requests') + webhooks;
  const gbSeconds =
    functions.reduce(
      (total, one) => total + one.invocations * (one.assumedMs / 1000) * (one.memoryMb / 1024),
      0,
    ) +
    webhooks * (assumptions.milliseconds['order-receive-webhook'] / 1000) * 0.5;
  const workflowSeconds = Math.ceil(assumptions.workflowMilliseconds / 100) / 10;
  // A trace begins with each request and with each batch that a queue hands out; the saga belongs to its worker's.
  const traces =
    (requests + sum('lambda', 'requests', ({ by }) => /Mapping|^[0-9a-f-]{36}$/.test(by))) *
    configOf('prod').tracesSampled;

  const own = (line: string, price: string, count: number): CostLine => bill(line, 'own', price, count);
  const all: CostLine[] = [
    own('DynamoDB: writes', 'dynamodb.writeUnits', sum('dynamodb', 'writeUnits')),
    own('DynamoDB: reads', 'dynamodb.readUnits', sum('dynamodb', 'readUnits') + webhooks),
    own('CloudFront: requests', 'cloudfront.requests', requests),
    own(
      'CloudFront: bytes to the shopper',
      'cloudfront.bytes',
      sum('apigateway', 'responseBytes') + webhooks * assumptions.webhookResponseBytes,
    ),
    own('WAF: requests', 'waf.requests', requests),
    own('HTTP API: requests', 'apigateway.requests', requests),
    own('Lambda: invocations', 'lambda.requests', invocations + webhooks),
    own('Lambda: GB-seconds', 'lambda.gbSeconds', gbSeconds),
    own('Step Functions: Express runs', 'states.expressRequests', sum('states', 'expressRequests')),
    own('Step Functions: GB-seconds', 'states.expressGbSeconds', workflowSeconds * (64 / 1024)),
    own('Step Functions: Standard transitions', 'states.transitions', sum('states', 'transitions')),
    own('EventBridge: events', 'events.events', sum('events', 'events')),
    own('EventBridge: archive', 'events.archivedBytes', sum('events', 'archivedBytes')),
    own('Pipes: requests', 'pipes.requests', sum('pipes', 'requests')),
    own('SQS: requests', 'sqs.requests', sum('sqs', 'requests')),
    own('Secrets Manager: calls', 'secretsmanager.requests', sum('secretsmanager', 'requests')),
    own('Logs: functions', 'lambda.logBytes', sum('lambda', 'logBytes')),
    own('Logs: workflow', 'states.logBytes', sum('states', 'logBytes')),
    own(
      'Logs: access',
      'apigateway.logBytes',
      sum('apigateway', 'logBytes') * (requests / (requests - webhooks)),
    ),
    own('X-Ray: traces', 'xray.traces', traces),
    bill('SES: e-mails', 'e-mail', 'ses.emails', sum('ses', 'emails')),
    bill(
      'Lambda: waiting for the provider',
      'provider',
      'lambda.gbSeconds',
      awaited * (gb(caller) + gb(worker)),
    ),
    bill(
      'Step Functions: waiting for the provider',
      'provider',
      'states.expressGbSeconds',
      awaited * (64 / 1024),
    ),
  ];
  return {
    writeUnits: sum('dynamodb', 'writeUnits'),
    readUnits: sum('dynamodb', 'readUnits') + webhooks,
    usdPerMillion: totalOf(all, 'own'),
    lines: all.filter(({ count }) => count > 0),
    writes: writesOf(lines, orders),
    functions,
  };
}

/** US dollars per million orders of a part of the bill. */
export function totalOf(lines: readonly CostLine[], part: CostLine['part']): number {
  return lines.filter((one) => one.part === part).reduce((sum, { usdPerMillion }) => sum + usdPerMillion, 0);
}

export function bill(line: string, part: CostLine['part'], price: string, count: number): CostLine {
  return { line, price, part, count, usdPerMillion: priceOf(price, count * 1_000_000) };
}

function invocationsOf(functions: readonly FunctionCost[], name: string): number {
  return functions.find((one) => one.function === name)?.invocations ?? 0;
}

function functionsOf(
  lines: OrderReading['lines'],
  memoryMb: OrderReading['memoryMb'],
  orders: number,
): FunctionCost[] {
  const ofLambda = lines.filter(({ service }) => service === 'lambda');
  return [...Map.groupBy(ofLambda, ({ resource }) => resource)].map(([name, its]) => {
    const sum = (count: string) => its.reduce((total, { counts }) => total + (counts[count] ?? 0), 0);
    const invocations = sum('requests');
    return {
      function: name,
      invocations: invocations / orders,
      assumedMs: milliseconds[name] ?? assumptions.milliseconds.other,
      realMs: Math.round(sum('milliseconds') / Math.max(1, invocations)),
      memoryMb: memoryMb.get(name) ?? 0,
      logBytes: sum('logBytes') / orders,
    };
  });
}

function writesOf(lines: OrderReading['lines'], orders: number): OrderCost['writes'] {
  const writes = lines.filter(({ service, counts }) => service === 'dynamodb' && counts.writeUnits);
  return writes.map(({ by, resource, operation, counts }) => ({
    step: `${by}: ${operation} ${resource.replace(/^.*-(\w+)Table.*$/, '$1')}`,
    writeUnits: counts.writeUnits! / orders,
    ofIndexes: (counts.indexWriteUnits ?? 0) / orders,
  }));
}
