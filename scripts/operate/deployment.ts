import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { endpointFromEnvironment, refusalOf, sendSigned } from '../../functions/kernel/aws-request.ts';
import type { TableName } from '../../lib/constructs/function-spec.ts';
import { callerIdentity, stackResources } from './cloudformation.ts';

/** A resource of the stage. */
export interface Found {
  readonly stack: string;
  readonly logicalId: string;
  /** What CloudFormation's `Ref` answers: a name, a queue's URL … */
  readonly ref: string;
}

type JsonService = keyof typeof protocols;

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON; undefined without any. */
  readonly body: any;
}

/** A deployed stage, or the embedded cloud that runs: levers work on both alike. */
export interface Deployment {
  readonly stage: string;
  readonly region: string;
  readonly account: string;
  /** Who runs the lever, as the log names them. */
  readonly who: string;
  readonly documents: DynamoDBDocumentClient;
  /** The resources of a CloudFormation type. */
  resources(type: string): readonly Found[];
  /** The physical name of a context's table. */
  table(name: TableName): string;
  /** One operation of a service with a JSON protocol. @throws AwsRefusal */
  aws(service: JsonService, operation: string, input: object): Promise<any>;
  /** A request to the store's own API, as an operator. Any status is an answer. */
  api(
    method: string,
    path: string,
    options?: { readonly json?: unknown; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<ApiAnswer>;
  /** The stage's time, in milliseconds since the epoch. */
  now(): Promise<number>;
  close(): void;
}

interface Base {
  readonly stage: string;
  readonly region: string;
  readonly account: string;
  readonly who: string;
  readonly apiUrl: string;
  readonly found: readonly (Found & { readonly type: string })[];
  readonly client: DynamoDBClient;
  readonly now: () => Promise<number>;
  readonly token: () => Promise<string>;
}

/**
 * The embedded cloud behind the store at `apiUrl`. The AWS endpoint and the operator's key of this process become
 * those of the embedded cloud.
 * @throws Error when none answers there
 */
export async function embeddedDeployment(apiUrl: string): Promise<Deployment> {
  const overview = async () => {
    const response = await fetch(new URL('/_local', apiUrl)).catch(() => undefined);
    if (!response?.ok) throw new Error(`no store answers at ${apiUrl}; npm start runs one`);
    return (await response.json()) as {
      awsEndpoint: string;
      region: string;
      now: string;
      resources: readonly (Found & { type: string; arn: string })[];
      demo: { operator: { accessToken?: string } };
    };
  };
  const { awsEndpoint, region, resources } = await overview();
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: awsEndpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: 'LOCALOPERATOR',
    AWS_SECRET_ACCESS_KEY: 'local',
  });
  delete process.env.AWS_SESSION_TOKEN;
  const account = resources.map(({ arn }) => arn.split(':')[4]).find(Boolean) ?? '';
  return deploymentOf({
    stage: 'local',
    region,
    account,
    who: process.env.USER || 'operator',
    apiUrl,
    found: resources,
    client: new DynamoDBClient({}),
    now: async () => Date.parse((await overview()).now),
    token: async () => {
      const { accessToken } = (await overview()).demo.operator;
      return accessToken ?? newOperator(apiUrl);
    },
  });
}

/** The access token of an operator in a store without the demo accounts. */
async function newOperator(apiUrl: string): Promise<string> {
  const response = await fetch(new URL('/_local/users', apiUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      email: `${randomUUID()}@example.com`,
      password: `Aa1-${randomUUID()}`,
      groups: ['operators'],
    }),
  });
  const { accessToken } = (await response.json()) as { accessToken?: string };
  if (!accessToken) throw new Error(`no operator at ${apiUrl}: ${response.status}`);
  return accessToken;
}

/**
 * A stage on AWS, by the credentials and the region of the environment. What a lever asks of the store's own API goes
 * with the operator's access token in `FLOODGATE_TOKEN`.
 * @throws Error when there are no credentials or no such stage
 */
export async function deployedStage(stage: string): Promise<Deployment> {
  const client = new DynamoDBClient({ maxAttempts: 10 });
  const [region, credentials] = await Promise.all([client.config.region(), client.config.credentials()]);
  // For the requests that are signed without the SDK.
  Object.assign(process.env, {
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    ...(credentials.sessionToken && { AWS_SESSION_TOKEN: credentials.sessionToken }),
  });
  const [identity, { outputs, resources }] = await Promise.all([
    callerIdentity(region),
    stackResources(region, `Floodgate-${stage}-`),
  ]);
  if (resources.length === 0) throw new Error(`there is no stage ${stage} in ${region}`);
  return deploymentOf({
    stage,
    region,
    account: identity.account,
    who: identity.arn,
    apiUrl: outputs.ApiUrl ?? '',
    found: resources,
    client,
    now: async () => Date.now(),
    token: async () => {
      const token = process.env.FLOODGATE_TOKEN;
      if (!token) throw new Error("set FLOODGATE_TOKEN to an operator's access token");
      return token;
    },
  });
}

function deploymentOf(base: Base): Deployment {
  const { found, client, region } = base;
  const documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  return {
    stage: base.stage,
    region,
    account: base.account,
    who: base.who,
    documents,
    resources: (wanted) => found.filter(({ type }) => type === wanted),
    table: (name) => {
      const matching = found.filter(
        ({ type, logicalId }) =>
          type === 'AWS::DynamoDB::Table' && logicalId.toLowerCase().startsWith(`${name}table`),
      );
      if (matching.length !== 1) throw new Error(`there are ${matching.length} tables for ${name}, not one`);
      return matching[0]!.ref;
    },
    aws: (service, operation, input) => callJson(service, operation, input, region),
    api: async (method, path, { json, headers } = {}) => {
      const response = await fetch(new URL(path, base.apiUrl), {
        method,
        headers: {
          authorization: `Bearer ${await base.token()}`,
          ...(json !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(json !== undefined && { body: JSON.stringify(json) }),
        signal: AbortSignal.timeout(30_000),
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, body: parsed(text) };
    },
    now: base.now,
    close: () => client.destroy(),
  };
}

const protocols = {
  sqs: { id: 'SQS', target: 'AmazonSQS', type: 'application/x-amz-json-1.0' },
  events: { id: 'EVENTBRIDGE', target: 'AWSEvents', type: 'application/x-amz-json-1.1' },
  'application-autoscaling': {
    id: 'APPLICATION_AUTO_SCALING',
    target: 'AnyScaleFrontendService',
    type: 'application/x-amz-json-1.1',
  },
  'cognito-idp': {
    id: 'COGNITO_IDENTITY_PROVIDER',
    target: 'AWSCognitoIdentityProviderService',
    type: 'application/x-amz-json-1.1',
  },
} as const;

/** Milliseconds. */
const answerWithin = 20_000;

async function callJson(
  service: JsonService,
  operation: string,
  input: object,
  region: string,
): Promise<any> {
  const { id, target, type } = protocols[service];
  const response = await sendSigned(
    {
      service,
      method: 'POST',
      url: new URL(endpointFromEnvironment(id) ?? `https://${service}.${region}.amazonaws.com/`),
      headers: { 'content-type': type, 'x-amz-target': `${target}.${operation}` },
      body: JSON.stringify(input),
    },
    answerWithin,
  );
  if (!response.ok) throw await refusalOf(response);
  return response.json();
}

function parsed(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
