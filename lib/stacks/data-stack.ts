import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { UserPool, UserPoolClient } from 'aws-cdk-lib/aws-cognito';
import {
  AttributeType,
  BillingMode,
  type GlobalSecondaryIndexProps,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryption,
} from 'aws-cdk-lib/aws-dynamodb';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type IBucket,
  ObjectLockRetention,
  StorageClass,
} from 'aws-cdk-lib/aws-s3';
import { EmailIdentity, Identity } from 'aws-cdk-lib/aws-ses';
import type { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { addAccounts } from '../constructs/accounts.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import type { TableName, TableSpec } from '../constructs/function-spec.ts';
import type { Stores } from '../constructs/platform.ts';
import { FloodgateStack } from './floodgate-stack.ts';

/** Everything that must outlive a deployment: kept when its stack is deleted, protected where AWS can protect it. */
export class DataStack extends FloodgateStack implements Stores {
  readonly tables: ReadonlyMap<TableName, Table>;
  readonly userPool: UserPool;
  readonly userPoolClient: UserPoolClient;
  readonly machineClients: readonly UserPoolClient[];
  readonly exports: Bucket;
  readonly exportsArn: { readonly value: string; readonly exportName: string };
  readonly bus: EventBus;
  readonly admissionKey: Key;
  readonly sender: EmailIdentity;

  constructor(scope: Construct, config: Config, tables: readonly TableSpec[]) {
    super(scope, 'Data', config, 'tables, accounts, exports and the event bus');
    const key = this.#key();
    this.tables = new Map(tables.map((spec) => [spec.name, this.#table(spec, key)]));
    const accounts = addAccounts(this, config);
    this.userPool = accounts.userPool;
    this.userPoolClient = accounts.userPoolClient;
    this.machineClients = accounts.machineClients;
    this.exports = this.#exports(config, key);
    const exportName = `${this.stackName}:ExportsArn`;
    this.exportsArn = { value: this.exportValue(this.exports.bucketArn, { name: exportName }), exportName };
    this.bus = this.#bus(config);
    this.admissionKey = this.#admissionKey();
    this.sender = new EmailIdentity(this, 'Sender', {
      identity: Identity.domain(config.emailSender.replace(/^.*@/, '')),
    });
    this.sender.applyRemovalPolicy(RemovalPolicy.RETAIN);
  }

  /**
   * The key's policy admits whoever of this account comes through DynamoDB or S3, as the policies of the AWS managed
   * keys `aws/dynamodb` and `aws/s3` do. The right to the table or object decides; no role needs a right to the key.
   * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html
   */
  #key(): Key {
    const key = new Key(this, 'Key', {
      description: `Tables and exports of ${this.stackName}`,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'ThroughDynamoDbAndS3',
        principals: [new AnyPrincipal()],
        actions: [
          'kms:Encrypt',
          'kms:Decrypt',
          'kms:ReEncryptFrom',
          'kms:ReEncryptTo',
          'kms:GenerateDataKey',
          'kms:GenerateDataKeyWithoutPlaintext',
          'kms:DescribeKey',
          'kms:CreateGrant',
        ],
        resources: ['*'],
        conditions: {
          StringEquals: {
            'kms:CallerAccount': this.account,
            'kms:ViaService': [`dynamodb.${this.region}.amazonaws.com`, `s3.${this.region}.amazonaws.com`],
          },
        },
      }),
    );
    return key;
  }

  /**
   * Not the tables' key: who may read a table must not be able to sign admissions. Roles are given single actions on it.
   */
  #admissionKey(): Key {
    return new Key(this, 'AdmissionKey', {
      description: `Wraps the signing keys of the drops of ${this.stackName}`,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  #table(spec: TableSpec, encryptionKey: Key): Table {
    const table = new Table(this, `${capital(spec.name)}Table`, {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
      ...(spec.events && { stream: StreamViewType.NEW_IMAGE }),
      ...(spec.expiresBy && { timeToLiveAttribute: spec.expiresBy }),
    });
    for (const { name, partitionKey, sortKey, projection } of spec.indexes ?? []) {
      table.addGlobalSecondaryIndex({
        indexName: name,
        partitionKey: { name: partitionKey, type: AttributeType.STRING },
        sortKey: { name: sortKey, type: AttributeType.STRING },
        ...projectionOf(projection),
      });
    }
    return table;
  }

  #exports(config: Config, encryptionKey: Key): Bucket {
    const closed = {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.RETAIN,
    };
    const accessLogs = new Bucket(this, 'AccessLogs', {
      ...closed,
      // S3's log delivery cannot write with a customer-managed key.
      encryption: BucketEncryption.S3_MANAGED,
      lifecycleRules: [{ expiration: Duration.days(config.accessLogDays) }],
    });
    acknowledge(accessLogs, {
      'AwsSolutions-S1': 'The access logs’ own bucket: logging it into itself would never end.',
    });
    return new Bucket(this, 'Exports', {
      ...closed,
      encryption: BucketEncryption.KMS,
      encryptionKey,
      // One call to KMS for many objects.
      bucketKeyEnabled: true,
      versioned: true,
      // Existing versions stay as they are: only new objects get a retention.
      objectLockEnabled: true,
      objectLockDefaultRetention: ObjectLockRetention.governance(Duration.days(config.exportLockDays)),
      serverAccessLogsBucket: accessLogs as IBucket,
      serverAccessLogsPrefix: 'exports/',
      lifecycleRules: [
        {
          transitions: [
            {
              storageClass: StorageClass.INFREQUENT_ACCESS,
              transitionAfter: Duration.days(config.exportColdAfterDays),
            },
          ],
          abortIncompleteMultipartUploadAfter: Duration.days(7),
        },
      ],
    });
  }

  #bus(config: Config): EventBus {
    const bus = new EventBus(this, 'Bus', {
      eventBusName: `floodgate-${config.stage}`,
      description: 'Every event of every context',
    });
    bus.applyRemovalPolicy(RemovalPolicy.RETAIN);
    bus.archive('Archive', {
      description: 'What a replay sends again; replayed events carry a replay-name',
      eventPattern: { account: [this.account] },
      retention: Duration.days(config.eventArchiveDays),
    });
    return bus;
  }
}

function projectionOf(
  projection: NonNullable<TableSpec['indexes']>[number]['projection'],
): Pick<GlobalSecondaryIndexProps, 'projectionType' | 'nonKeyAttributes'> {
  if (projection === 'KEYS_ONLY') return { projectionType: ProjectionType.KEYS_ONLY };
  if (projection === 'ALL') return { projectionType: ProjectionType.ALL };
  return { projectionType: ProjectionType.INCLUDE, nonKeyAttributes: [...projection] };
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
