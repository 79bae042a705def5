import { Duration, Stack } from 'aws-cdk-lib';
import type { UserPool } from 'aws-cdk-lib/aws-cognito';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  CfnAlias,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { metricNamespace } from '../../functions/kernel/metrics.ts';
import { acknowledge } from './acknowledge.ts';
import { bundleOf, functionId } from './bundle.ts';
import { type FunctionSpec, verifiesTokens } from './function-spec.ts';
import { permissionsOf } from './grants.ts';
import { KeptLogGroup } from './kept-log-group.ts';
import { originKeyArn } from './origin-key.ts';
import type { Platform } from './platform.ts';
import { tokenTriggerName } from './token-trigger.ts';
import { watchFunction } from './watch.ts';

/** A Lambda function with everything that every function must have: its own role, logs, traces, limits, an alarm. */
export class ServiceFunction extends Construct {
  readonly function: LambdaFunction;
  /** What a route calls: the function, or its alias if it has one. */
  readonly calledArn: string;
  readonly timeoutSeconds: number;
  /** Where its events wait for it, if it takes events. */
  queue?: IQueue;

  /** @param failures where an asynchronous invocation goes when its retries are used up */
  constructor(scope: Construct, spec: FunctionSpec, platform: Platform, failures?: IQueue) {
    super(scope, pascalCase(spec.name));
    const { config } = platform;
    const id = functionId(spec);
    const permissions = permissionsOf(spec, platform);
    const answersHttp = 'http' in spec.trigger || 'sandbox' in spec.trigger;
    this.timeoutSeconds = spec.timeoutSeconds ?? (answersHttp ? 10 : 30);

    const logGroup = new KeptLogGroup(this, 'Logs', config);
    // No managed policy: AWSLambdaBasicExecutionRole may write into every log group of the account.
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `What ${id} may do`,
    });
    role.addToPolicy(
      new PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [logGroup.logGroupArn],
      }),
    );
    const checksOrigin = config.domain !== undefined && 'http' in spec.trigger;
    if (checksOrigin) {
      role.addToPolicy(
        new PolicyStatement({
          actions: ['secretsmanager:GetSecretValue'],
          // Secrets Manager adds six characters to the name.
          resources: [`${originKeyArn(this, config)}-??????`],
        }),
      );
    }
    for (const { statements } of permissions) for (const statement of statements) role.addToPolicy(statement);

    this.function = new LambdaFunction(this, 'Function', {
      ...('userPool' in spec.trigger && { functionName: tokenTriggerName(config) }),
      description: spec.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(bundleOf(spec, platform.bundles)),
      handler: 'index.handler',
      memorySize: spec.memoryMb ?? (answersHttp ? 512 : 256),
      timeout: Duration.seconds(this.timeoutSeconds),
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      // Start and report lines are three quarters of a KB an invocation; those of failures are warnings and are kept.
      systemLogLevelV2: SystemLogLevel.WARN,
      tracing: Tracing.ACTIVE,
      retryAttempts: 2,
      maxEventAge: Duration.hours(1),
      environment: {
        ...environmentOf(spec, platform),
        ...Object.assign({}, ...permissions.map(({ environment }) => environment)),
        ...(checksOrigin && { ORIGIN_KEY_SECRET_ARN: originKeyArn(this, config) }),
        ...spec.environment,
      },
      ...(failures && { onFailure: new SqsDestination(failures) }),
      ...(config.reservedConcurrency[id] && { reservedConcurrentExecutions: config.reservedConcurrency[id] }),
    });
    this.calledArn = spec.warm ? this.#alias().ref : this.function.functionArn;
    watchFunction(this.function, this, id, platform.alarms);
    acknowledgeFindings(this, failures !== undefined);
    for (const { acknowledged } of permissions) if (acknowledged) acknowledge(this, acknowledged);
  }

  /** Provisioned concurrency is had by a version or an alias alone; an alias keeps its ARN over deployments. */
  #alias(): CfnAlias {
    return new CfnAlias(this, 'Live', {
      name: 'live',
      functionName: this.function.functionName,
      functionVersion: this.function.currentVersion.version,
    });
  }
}

function environmentOf(spec: FunctionSpec, platform: Platform): Record<string, string> {
  const { config } = platform;
  const environment: Record<string, string> = {
    POWERTOOLS_SERVICE_NAME: spec.context,
    METRICS_NAMESPACE: metricNamespace(config.stage),
    POWERTOOLS_LOG_LEVEL: config.logLevel,
  };
  if (spec.context === 'notification') environment.STORE_TIME_ZONE = config.storeTimeZone;
  if (spec.context === 'finance' || readsLedger(spec))
    environment.BUSINESS_TIME_ZONE = config.businessTimeZone;
  if (spec.name === 'forget-addresses') environment.ADDRESS_DAYS = String(config.addressDays);
  // The provider calls the store back as anybody does.
  if (spec.context === 'sandbox' && platform.publicApi) environment.API_URL = platform.publicApi.url;
  if ('http' in spec.trigger && spec.trigger.http.quota)
    environment.QUOTA_FACTOR = String(config.quotaFactor);
  if (!verifiesTokens(spec)) return environment;
  const takesMachines = 'http' in spec.trigger && spec.trigger.http.machineScope !== undefined;
  return { ...environment, ...tokenEnvironment(platform, takesMachines) };
}

/** The ledger's keys hold business dates. */
function readsLedger({ grants }: FunctionSpec): boolean {
  return grants.some((grant) => 'table' in grant && grant.table === 'finance');
}

/** How the handler pipeline verifies access tokens: the gateway lets ID tokens through. */
function tokenEnvironment({ stores }: Platform, takesMachines: boolean): Record<string, string> {
  const { userPool, userPoolClient, machineClients } = stores;
  const issuer = issuerOf(userPool);
  const machines = machineClients.map(({ userPoolClientId }) => userPoolClientId).join(' ');
  return {
    TOKEN_ISSUER: issuer,
    TOKEN_CLIENT_ID: userPoolClient.userPoolClientId,
    JWKS_URI: `${issuer}/.well-known/jwks.json`,
    ...(takesMachines && { MACHINE_CLIENT_IDS: machines }),
  };
}

/** The `iss` of the pool's tokens. */
export function issuerOf(userPool: UserPool): string {
  return `https://cognito-idp.${Stack.of(userPool).region}.amazonaws.com/${userPool.userPoolId}`;
}

/** `place-order` → `PlaceOrder`. */
export function pascalCase(name: string): string {
  return name
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}

function acknowledgeFindings(fn: ServiceFunction, asynchronous: boolean): void {
  acknowledge(fn, {
    'AwsSolutions-IAM5[Resource::*]':
      'X-Ray takes no resource in its actions (Service Authorization Reference, AWS X-Ray).',
  });
  acknowledge(fn, {
    'Serverless-LambdaDLQ': asynchronous
      ? 'Its failure destination is a dead-letter queue, which also keeps the error.'
      : 'Only invoked synchronously: the caller (gateway, queue or workflow) sees the failure and keeps the request.',
  });
  if (asynchronous) return;
  acknowledge(fn, {
    'Serverless-LambdaAsyncFailureDestination':
      'Only invoked synchronously: the caller (gateway, queue or workflow) sees the failure and keeps the request.',
  });
}
