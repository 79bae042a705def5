import type { IHttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type { IUserPool, IUserPoolClient } from 'aws-cdk-lib/aws-cognito';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { IEventBus } from 'aws-cdk-lib/aws-events';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { IEmailIdentity } from 'aws-cdk-lib/aws-ses';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Config } from '../config.ts';
import type { TableName } from './function-spec.ts';

/** The stateful resources, all of the data stack. */
export interface Stores {
  readonly tables: ReadonlyMap<TableName, ITable>;
  readonly userPool: IUserPool;
  readonly userPoolClient: IUserPoolClient;
  readonly exports: IBucket;
  readonly bus: IEventBus;
  readonly sender: IEmailIdentity;
}

/** The public HTTP API, to which every context adds its own routes. */
export interface PublicApi {
  readonly api: IHttpApi;
  readonly authorizerId: string;
}

/** Where the payment provider is reached, and the secret with its API key. */
export interface PaymentProvider {
  readonly url: string;
  readonly secret: ISecret;
}

/** What functions and their triggers stand on. */
export interface Platform extends Stores {
  readonly config: Config;
  /** The folder that `bundleHandlers` filled. */
  readonly bundles: string;
  /** Where alarms go. */
  readonly alarms: ITopic;
  readonly publicApi?: PublicApi;
  readonly paymentProvider?: PaymentProvider;
  /** Present in the stack that holds the checkout machine. */
  readonly checkout?: IStateMachine;
}
