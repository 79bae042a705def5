import { configOf } from '../../lib/config.ts';
import file from '../limits.json' with { type: 'json' };

/** The limits of one deployment. Units as in bench/limits.json. */
export interface Quotas {
  readonly gatewayRate: number;
  readonly gatewayBurst: number;
  /** Tickets a second that the route lets through, so that tickets leave room for orders. */
  readonly ticketRate: number;
  readonly concurrency: number;
  readonly environmentsPer10Seconds: number;
  readonly requestsPerConcurrency: number;
  /** Environments of each function that stand ready. */
  readonly warmEnvironments: number;
  readonly partitionWriteUnits: number;
  readonly partitionReadUnits: number;
  readonly tableWriteUnits: number;
  readonly tableReadUnits: number;
  /** What each table was made ready for. */
  readonly readyWriteUnits: number;
  readonly readyReadUnits: number;
  readonly standardStartRate: number;
  readonly standardStartBurst: number;
  readonly transitionRate: number;
  readonly transitionBurst: number;
  readonly providerRate: number;
}

type Name = keyof typeof file.limits;

export function limitOf(name: Name): number {
  return file.limits[name].value;
}

/** A new account's, and tables that are as CDK makes them. */
export const defaultQuotas: Quotas = {
  gatewayRate: limitOf('apigateway.accountRate'),
  gatewayBurst: limitOf('apigateway.accountBurst'),
  ticketRate: Number.POSITIVE_INFINITY,
  concurrency: limitOf('lambda.concurrency'),
  environmentsPer10Seconds: limitOf('lambda.environmentsPer10Seconds'),
  requestsPerConcurrency: limitOf('lambda.requestsPerConcurrency'),
  warmEnvironments: 0,
  partitionWriteUnits: limitOf('dynamodb.partitionWriteUnits'),
  partitionReadUnits: limitOf('dynamodb.partitionReadUnits'),
  tableWriteUnits: limitOf('dynamodb.tableWriteUnits'),
  tableReadUnits: limitOf('dynamodb.tableReadUnits'),
  readyWriteUnits: limitOf('dynamodb.onDemandStartWriteUnits'),
  readyReadUnits: limitOf('dynamodb.onDemandStartReadUnits'),
  standardStartRate: limitOf('states.standardStartRate'),
  standardStartBurst: limitOf('states.standardStartBurst'),
  transitionRate: limitOf('states.standardTransitionRate'),
  transitionBurst: limitOf('states.standardTransitionBurst'),
  providerRate: limitOf('provider.rate'),
};

const { api } = configOf('prod');

/**
 * The same with the throttle of our own stage, which is below the account's, and one of the route that gives tickets: half
 * of what a new admission table takes.
 */
export const stageQuotas: Quotas = {
  ...defaultQuotas,
  gatewayRate: Math.min(defaultQuotas.gatewayRate, api.requestsPerSecond),
  gatewayBurst: Math.min(defaultQuotas.gatewayBurst, api.burst),
  ticketRate: 1_000,
};

export interface Raise {
  readonly quota: keyof Quotas;
  readonly what: string;
  readonly to: number;
  /** Who has to do what. */
  readonly how: string;
}

/** What has to be asked for or set before a drop that sells more than 10,000 a second. */
export const raises: readonly Raise[] = [
  {
    quota: 'gatewayRate',
    what: 'HTTP API requests/s, account and stage',
    to: 60_000,
    how: 'Service Quotas; `api.requestsPerSecond` in lib/config.ts',
  },
  {
    quota: 'ticketRate',
    what: 'throttle of the route that gives tickets, requests/s',
    to: 40_000,
    how: 'route throttle of the stage',
  },
  { quota: 'concurrency', what: 'Lambda concurrency', to: 8_000, how: 'Service Quotas' },
  {
    quota: 'warmEnvironments',
    what: 'Lambda environments ready for each function of the drop',
    to: 1_500,
    how: 'reserved in lib/config.ts; `npm run operate -- warm`',
  },
  {
    quota: 'tableWriteUnits',
    what: 'DynamoDB write units/s of a table',
    to: 1_000_000,
    how: 'Service Quotas, table-level',
  },
  {
    quota: 'tableReadUnits',
    what: 'DynamoDB read units/s of a table',
    to: 3_000_000,
    how: 'Service Quotas, table-level',
  },
  {
    quota: 'readyWriteUnits',
    what: 'warm throughput, write units/s of order, inventory and admission tables and their indexes',
    to: 1_000_000,
    how: 'UpdateTable WarmThroughput, a day before',
  },
  {
    quota: 'readyReadUnits',
    what: 'warm throughput, read units/s of the same',
    to: 3_000_000,
    how: 'UpdateTable WarmThroughput, a day before',
  },
  {
    quota: 'standardStartRate',
    what: 'StartExecution of Standard workflows (the naive design only)',
    to: 20_000,
    how: 'Service Quotas',
  },
  {
    quota: 'standardStartBurst',
    what: 'its bucket (the naive design only)',
    to: 20_000,
    how: 'Service Quotas',
  },
  {
    quota: 'transitionRate',
    what: 'transitions/s of Standard workflows (the naive design only)',
    to: 300_000,
    how: 'Service Quotas',
  },
  {
    quota: 'transitionBurst',
    what: 'its bucket (the naive design only)',
    to: 300_000,
    how: 'Service Quotas',
  },
];

export function raise(quotas: Quotas): Quotas {
  return { ...quotas, ...Object.fromEntries(raises.map(({ quota, to }) => [quota, to])) };
}
