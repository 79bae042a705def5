import type { EventContract, Route } from '../../functions/kernel/contract.ts';

/** The contexts that own a table. */
export type TableName =
  | 'catalog'
  | 'inventory'
  | 'cart'
  | 'order'
  | 'payment'
  | 'notification'
  | 'finance'
  | 'reporting'
  | 'limits'
  | 'operations'
  | 'sandbox'
  | 'admission';

/** The contexts that have functions. */
export type ContextName = Exclude<TableName, 'operations'> | 'health' | 'account';

type DynamoAction =
  | 'dynamodb:GetItem'
  | 'dynamodb:BatchGetItem'
  | 'dynamodb:Query'
  | 'dynamodb:Scan'
  | 'dynamodb:PutItem'
  | 'dynamodb:UpdateItem'
  | 'dynamodb:DeleteItem'
  | 'dynamodb:BatchWriteItem'
  | 'dynamodb:ConditionCheckItem';

type SecretAction = 'secretsmanager:GetSecretValue' | 'secretsmanager:PutSecretValue';

/** One thing that a function may do, and the environment variable by which it learns where. */
export type Grant =
  /** `<NAME>_TABLE`. `indexes` limits Query to these indexes; without it the table itself is meant. */
  | {
      readonly table: TableName;
      readonly actions: readonly DynamoAction[];
      readonly indexes?: readonly string[];
      /** Limits it to partitions whose key is one of these, or begins with one that ends with `*`. */
      readonly partitions?: readonly string[];
    }
  /** `USER_POOL_ID` */
  | { readonly userPool: readonly ('cognito-idp:AdminGetUser' | 'cognito-idp:AdminUserGlobalSignOut')[] }
  /** `EXPORT_BUCKET`; `prefix` limits the keys (`exports/*`). `s3:ListBucket` is meant for the bucket itself. */
  | {
      readonly exports: readonly ('s3:PutObject' | 's3:GetObject' | 's3:ListBucket')[];
      readonly prefix: string;
    }
  /** `CHECKOUT_MACHINE_ARN` */
  | { readonly stateMachine: 'checkout'; readonly actions: readonly 'states:StartSyncExecution'[] }
  /** Metrics of any kind: CloudWatch takes no resource in this action. */
  | { readonly metrics: readonly 'cloudwatch:GetMetricData'[] }
  /** `ADMISSION_KEY_ARN`: wraps the keys by which drops sign admissions. */
  | { readonly admissionKey: readonly ('kms:GenerateDataKeyPairWithoutPlaintext' | 'kms:Decrypt')[] }
  /** `CHECKOUT_QUEUE_URL`: the queue before the payment provider. */
  | { readonly checkoutQueue: readonly 'sqs:GetQueueAttributes'[] }
  /** `EVENT_BUS_NAME` */
  | { readonly bus: readonly 'events:PutEvents'[] }
  /** `EMAIL_SENDER` */
  | { readonly email: readonly 'ses:SendEmail'[] }
  /** `SANDBOX_URL` and `SANDBOX_SECRET_ARN`: the sandbox provider's address, and the secret that holds its API key. */
  | { readonly paymentProvider: readonly SecretAction[] }
  /** `WEBHOOK_SECRET_ARN`: the secret by which the sandbox provider signs its webhooks. */
  | { readonly webhookSecret: readonly SecretAction[] };

/** What makes a function run. */
export type Trigger =
  | { readonly http: Route }
  /** A route of the sandbox payment provider's own API, for example `POST /authorizations`. */
  | { readonly sandbox: string }
  /** Bus rule → queue (with dead-letter queue) → function. `replays: 'exclude'` for side effects such as mail. */
  | {
      readonly events: readonly EventContract[];
      readonly replays: 'accept' | 'exclude';
      /** Messages a batch; 10 unless told. */
      readonly batchSize?: number;
    }
  /** An EventBridge Scheduler expression; the function gets `{"time": "<scheduled time>"}`. */
  | {
      readonly schedule: string;
      /** The stage's business time zone instead of UTC. */
      readonly timeZone?: 'business';
    }
  /** Cognito asks it before it makes a user's tokens. */
  | { readonly userPool: 'pre-token-generation' }
  /** A task state of a workflow in `statemachines/`; the placeholder there is `${<PascalName>Arn}`. */
  | { readonly task: 'checkout' | 'finance-export' | 'finance-reconcile' };

/** A function, declared beside its handler in `functions/<context>/handlers/<name>.infra.ts`. */
export interface FunctionSpec {
  readonly context: ContextName;
  /** The handler's file name without `.ts`. */
  readonly name: string;
  readonly description: string;
  readonly trigger: Trigger;
  readonly grants: readonly Grant[];
  /**
   * 512 over HTTP unless told: a quarter of a vCPU, which is what SDK-bound work needs. 256 otherwise: consumers and
   * tasks mostly wait for somebody else, and nobody waits for their cold starts.
   */
  readonly memoryMb?: number;
  /** 10 s for requests over HTTP, 30 s otherwise, unless told. */
  readonly timeoutSeconds?: number;
  /**
   * On the path of a drop: called through an alias, whose environments can be made ready before the crowd comes
   * (`npm run operate -- warm`). Needs reserved concurrency, which is what they are taken from.
   */
  readonly warm?: true;
  /** Plain settings that do not differ between stages. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A context's table, declared in `functions/<context>/table.infra.ts`: `pk` and `sk` strings, and these indexes. */
export interface TableSpec {
  readonly name: TableName;
  readonly indexes?: readonly {
    readonly name: string;
    readonly partitionKey: string;
    readonly sortKey: string;
    readonly projection: 'KEYS_ONLY' | 'ALL' | readonly string[];
  }[];
  /** Whether event items leave through a pipe (INSERT of items whose `sk` begins with `EVENT#`). */
  readonly events?: true;
  /** Attribute with the epoch seconds after which DynamoDB may delete an item. */
  readonly expiresBy?: string;
}

/** Whether people's access tokens are looked at before the function's own work. */
export function verifiesTokens({ trigger }: FunctionSpec): boolean {
  return 'http' in trigger && trigger.http.audience !== 'all' && trigger.http.audience !== 'provider';
}
