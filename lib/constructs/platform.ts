import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type { UserPool, UserPoolClient } from 'aws-cdk-lib/aws-cognito';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { EventBus } from 'aws-cdk-lib/aws-events';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { EmailIdentity } from 'aws-cdk-lib/aws-ses';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Route } from '../../functions/kernel/contract.ts';
import type { Config } from '../config.ts';
import type { TableName } from './function-spec.ts';

/** The stateful resources, all of the data stack. */
export interface Stores {
  readonly tables: ReadonlyMap<TableName, Table>;
  readonly userPool: UserPool;
  /** Of the apps that people sign in with. */
  readonly userPoolClient: UserPoolClient;
  /** Of the systems that have a token of their own. */
  readonly machineClients: readonly UserPoolClient[];
  readonly exports: Bucket;
  /** The bucket's ARN, by an export with a name of our own. */
  readonly exportsArn: { readonly value: string; readonly exportName: string };
  readonly bus: EventBus;
  /** Wraps the keys by which drops sign admissions. */
  readonly admissionKey: IKey;
  readonly sender: EmailIdentity;
}

/** The public HTTP API, to which every context adds its own routes. */
export interface PublicApi {
  readonly api: HttpApi;
  /** As clients know it, without a slash at the end. */
  readonly url: string;
  /** The JWT authorizer that a route demands; undefined where anyone may call. */
  authorizerOf(route: Pick<Route, 'audience' | 'machineScope'>): string | undefined;
}

/** Where the payment provider is reached, the secret with its API key, and the one that signs its webhooks. */
export interface PaymentProvider {
  readonly url: string;
  readonly secret: Secret;
  readonly webhookSecret: Secret;
}

/** What functions and their triggers stand on. */
export interface Platform {
  readonly config: Config;
  readonly stores: Stores;
  /** The folder that `bundleHandlers` filled. */
  readonly bundles: string;
  /** Where alarms go. */
  readonly alarms: Topic;
  readonly publicApi?: PublicApi;
  readonly paymentProvider?: PaymentProvider;
  /** Present in the stack that holds the checkout machine. */
  readonly checkout?: StateMachine;
  /** Where payments wait for the provider; present once the checkout stack is. */
  readonly checkoutQueue?: IQueue;
}
