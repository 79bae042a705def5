import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { type FunctionSpec, type Grant, verifiesTokens } from './function-spec.ts';
import type { Platform } from './platform.ts';

/** What a grant gives a function: statements for its role, and variables that say where things are. */
export interface Permission {
  readonly statements: readonly PolicyStatement[];
  readonly environment: Readonly<Record<string, string>>;
  /** Findings of cdk-nag that the statements cannot avoid, with the reason. */
  readonly acknowledged?: Readonly<Record<string, string>>;
}

/**
 * Turns a spec's grants into statements of single actions on named resources.
 * The encryption key needs no statement: its own policy admits the account's principals through DynamoDB and S3.
 * @throws Error when a grant names something that this stage or stack does not have
 */
export function permissionsOf(spec: FunctionSpec, platform: Platform): Permission[] {
  const grants = [...spec.grants, ...guardGrants(spec)];
  return grants.map((grant) => permissionOf(grant, platform, `${spec.context}-${spec.name}`));
}

/**
 * What the guard before a route needs (`functions/kernel/guard.ts`): to see the pressure and the sessions that ended,
 * and to count a heavy caller.
 */
function guardGrants(spec: FunctionSpec): Grant[] {
  const { trigger } = spec;
  if (!('http' in trigger)) return [];
  const { priority, quota } = trigger.http;
  const takesTokens = verifiesTokens(spec);
  const looks =
    takesTokens ||
    quota !== undefined ||
    priority === 'browse' ||
    priority === 'cart' ||
    priority === 'order';
  return [
    ...(looks ? [{ table: 'limits', actions: ['dynamodb:GetItem'], partitions: ['PRESSURE'] } as const] : []),
    ...(takesTokens
      ? [{ table: 'limits', actions: ['dynamodb:Query'], partitions: ['ENDED'] } as const]
      : []),
    ...(quota
      ? [
          {
            table: 'limits',
            actions: ['dynamodb:UpdateItem'],
            partitions: [`QUOTA#${quota.name}#*`],
          } as const,
        ]
      : []),
  ];
}

function permissionOf(grant: Grant, platform: Platform, who: string): Permission {
  if ('table' in grant) {
    const table = needed(platform.stores.tables.get(grant.table), who, `the table ${grant.table}`);
    const resources = grant.indexes
      ? grant.indexes.map((index) => `${table.tableArn}/index/${index}`)
      : [table.tableArn];
    const conditions = grant.partitions && {
      'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [...grant.partitions] },
    };
    return {
      statements: [
        new PolicyStatement({ actions: [...grant.actions], resources, ...(conditions && { conditions }) }),
      ],
      environment: { [`${grant.table.toUpperCase()}_TABLE`]: table.tableName },
    };
  }
  if ('metrics' in grant) {
    return {
      statements: [new PolicyStatement({ actions: [...grant.metrics], resources: ['*'] })],
      environment: {},
      acknowledged: {
        'AwsSolutions-IAM5[Resource::*]':
          'GetMetricData takes no resource (Service Authorization Reference, Amazon CloudWatch).',
      },
    };
  }
  if ('userPool' in grant) {
    return {
      statements: [
        new PolicyStatement({
          actions: [...grant.userPool],
          resources: [platform.stores.userPool.userPoolArn],
        }),
      ],
      environment: { USER_POOL_ID: platform.stores.userPool.userPoolId },
    };
  }
  if ('exports' in grant) {
    const ofBucket = grant.exports.filter((action) => action === 's3:ListBucket');
    const ofObjects = grant.exports.filter((action) => action !== 's3:ListBucket');
    return {
      statements: [
        new PolicyStatement({ actions: ofBucket, resources: [platform.stores.exportsArn.value] }),
        new PolicyStatement({
          actions: ofObjects,
          resources: [`${platform.stores.exportsArn.value}/${grant.prefix}`],
        }),
      ].filter((statement) => statement.actions.length > 0),
      environment: { EXPORT_BUCKET: platform.stores.exports.bucketName },
      acknowledged: {
        [`AwsSolutions-IAM5[Resource::${platform.stores.exportsArn.exportName}/${grant.prefix}]`]:
          'Object keys hold dates that are not known at deployment; the prefix is the narrowest that can be named.',
      },
    };
  }
  if ('stateMachine' in grant) {
    const machine = needed(platform.checkout, who, `the state machine ${grant.stateMachine}`);
    return {
      statements: [
        new PolicyStatement({ actions: [...grant.actions], resources: [machine.stateMachineArn] }),
      ],
      environment: { CHECKOUT_MACHINE_ARN: machine.stateMachineArn },
    };
  }
  if ('admissionKey' in grant) {
    const { keyArn } = platform.stores.admissionKey;
    return {
      statements: [new PolicyStatement({ actions: [...grant.admissionKey], resources: [keyArn] })],
      environment: { ADMISSION_KEY_ARN: keyArn },
    };
  }
  if ('checkoutQueue' in grant) {
    const queue = needed(platform.checkoutQueue, who, 'the checkout queue');
    return {
      statements: [new PolicyStatement({ actions: [...grant.checkoutQueue], resources: [queue.queueArn] })],
      environment: { CHECKOUT_QUEUE_URL: queue.queueUrl },
    };
  }
  if ('bus' in grant) {
    const { bus } = platform.stores;
    return {
      statements: [new PolicyStatement({ actions: [...grant.bus], resources: [bus.eventBusArn] })],
      environment: { EVENT_BUS_NAME: bus.eventBusName },
    };
  }
  if ('email' in grant) {
    return {
      statements: [
        new PolicyStatement({
          actions: [...grant.email],
          resources: [platform.stores.sender.emailIdentityArn],
        }),
      ],
      environment: { EMAIL_SENDER: platform.config.emailSender },
    };
  }
  const provider = needed(platform.paymentProvider, who, 'a payment provider');
  if ('webhookSecret' in grant) {
    const { secretArn } = provider.webhookSecret;
    return {
      statements: [new PolicyStatement({ actions: [...grant.webhookSecret], resources: [secretArn] })],
      environment: { WEBHOOK_SECRET_ARN: secretArn },
    };
  }
  return {
    statements: [
      new PolicyStatement({ actions: [...grant.paymentProvider], resources: [provider.secret.secretArn] }),
    ],
    environment: { SANDBOX_URL: provider.url, SANDBOX_SECRET_ARN: provider.secret.secretArn },
  };
}

function needed<T>(resource: T | undefined, who: string, what: string): T {
  if (resource === undefined) throw new Error(`${who} is granted ${what}, which its stack does not have`);
  return resource;
}
