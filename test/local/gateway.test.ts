import {
  CognitoIdentityProviderClient,
  GetUserCommand,
  NotAuthorizedException,
  SignUpCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2';
import { DescribeExecutionCommand, SFNClient, StateMachineDoesNotExist } from '@aws-sdk/client-sfn';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createGateway } from '../../local/gateway.ts';
import { accessKeyFor } from '../../local/iam.ts';
import { findFreePort } from '../../local/ports.ts';
import { AwsError, type AwsRequest, type AwsResponse, type Caller, type Service } from '../../local/types.ts';
import { manualClock } from './support/runtime.ts';

const roleArn = 'arn:aws:iam::000000000000:role/worker';

interface Seen {
  readonly operation: string;
  readonly input: any;
  readonly caller: Caller;
}

let services: Map<string, Service>;
let seen: Seen[];
let logged: string[];
let endpoint: string;
const clock = manualClock();

beforeEach(async () => {
  services = new Map();
  seen = [];
  logged = [];
  const gateway = createGateway({
    service: (name) => services.get(name),
    clock,
    log: (service, message) => logged.push(`${service}: ${message}`),
  });
  const port = await findFreePort();
  await gateway.listen(port);
  onTestFinished(() => gateway.close());
  endpoint = `http://127.0.0.1:${port}`;
});

function serve(name: string, reply: (operation: string, input: any) => unknown): void {
  services.set(name, {
    name,
    async call(operation, input, caller) {
      seen.push({ operation, input, caller });
      return reply(operation, input);
    },
  });
}

function serveRest(name: string, handle: (request: AwsRequest) => AwsResponse): void {
  services.set(name, {
    name,
    call: async () => undefined,
    async handle(request, caller) {
      seen.push({ operation: `${request.method} ${request.path}`, input: request.body.toString(), caller });
      return handle(request);
    },
  });
}

/** Settings of an SDK client that calls as the role, once: a test does not wait for retries. */
function settings(accessKeyId = accessKeyFor(roleArn)) {
  const credentials = { accessKeyId, secretAccessKey: 'local' };
  return { endpoint, region: 'ap-northeast-2', credentials, maxAttempts: 1 };
}

describe('JSON protocols', () => {
  it('reach the service with operation, input and the role of the access key', async () => {
    serve('events', () => ({ FailedEntryCount: 0, Entries: [{ EventId: '1' }] }));
    const Entries = [{ Source: 'shop', DetailType: 'placed', Detail: '{}' }];
    const answer = await new EventBridgeClient(settings()).send(new PutEventsCommand({ Entries }));
    expect(answer.Entries).toEqual([{ EventId: '1' }]);
    expect(seen).toEqual([{ operation: 'PutEvents', input: { Entries }, caller: { kind: 'role', roleArn } }]);
  });

  it('carry dates as the SDK reads them', async () => {
    const startDate = new Date('2026-02-03T04:05:06Z');
    serve('states', () => ({ executionArn: 'a', stateMachineArn: 'b', status: 'RUNNING', startDate }));
    const answer = await new SFNClient(settings()).send(new DescribeExecutionCommand({ executionArn: 'a' }));
    expect(answer.startDate).toEqual(startDate);
  });

  it('carry errors as the exceptions of the SDK', async () => {
    serve('states', () => {
      throw new AwsError('StateMachineDoesNotExist', 'no such machine');
    });
    const failed = new SFNClient(settings()).send(new DescribeExecutionCommand({ executionArn: 'a' }));
    await expect(failed).rejects.toThrow(StateMachineDoesNotExist);
    await expect(failed).rejects.toThrow('no such machine');
  });

  it('answer 500 to a fault of the service and keep it in the log', async () => {
    serve('events', () => {
      throw new TypeError('a bug');
    });
    const failed = new EventBridgeClient(settings()).send(new PutEventsCommand({ Entries: [] }));
    await expect(failed).rejects.toMatchObject({
      name: 'InternalFailure',
      $metadata: { httpStatusCode: 500 },
    });
    expect(logged).toEqual(['events: failed']);
  });
});

describe('callers', () => {
  it('are the operator with the operator’s key', async () => {
    serve('events', () => ({}));
    await new EventBridgeClient(settings('LOCALOPERATOR')).send(new PutEventsCommand({ Entries: [] }));
    expect(seen[0]?.caller).toEqual({ kind: 'operator' });
  });

  it('are refused with any other key', async () => {
    serve('events', () => ({}));
    const refused = new EventBridgeClient(settings('AKIASTRANGER')).send(
      new PutEventsCommand({ Entries: [] }),
    );
    await expect(refused).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
    expect(seen).toEqual([]);
  });

  it('may sign up without a signature, and nothing else', async () => {
    serve('cognito-idp', () => ({ UserSub: 'u', UserConfirmed: false }));
    serve('events', () => ({}));
    const client = new CognitoIdentityProviderClient(settings());
    await client.send(new SignUpCommand({ ClientId: 'c', Username: 'a@example.com', Password: 'p' }));
    expect(seen[0]?.caller).toMatchObject({ kind: 'service', service: 'anonymous' });
    const unsigned = await fetch(endpoint, {
      method: 'POST',
      headers: { 'x-amz-target': 'AWSEvents.PutEvents' },
      body: '{}',
    });
    expect(unsigned.status).toBe(403);
  });

  it('learn of a refusal as the service says it', async () => {
    serve('cognito-idp', () => {
      throw new AwsError('NotAuthorizedException', 'Access Token has expired');
    });
    const refused = new CognitoIdentityProviderClient(settings()).send(
      new GetUserCommand({ AccessToken: 't' }),
    );
    await expect(refused).rejects.toThrow(NotAuthorizedException);
  });
});

describe('REST protocols', () => {
  it('are handed over whole', async () => {
    serveRest('ses', () => ({ status: 200, body: JSON.stringify({ MessageId: 'm1' }) }));
    const answer = await new SESv2Client(settings()).send(
      new SendEmailCommand({
        FromEmailAddress: 'a@example.com',
        Content: { Raw: { Data: Buffer.from('x') } },
      }),
    );
    expect(answer.MessageId).toBe('m1');
    expect(seen[0]?.operation).toBe('POST /v2/email/outbound-emails');
    expect(JSON.parse(seen[0]?.input)).toMatchObject({ FromEmailAddress: 'a@example.com' });
  });

  it('of S3 carry errors as XML', async () => {
    serveRest('s3', () => {
      throw new AwsError('NoSuchKey', 'no <such> key', 404);
    });
    const scope = `${accessKeyFor(roleArn)}/20261122/ap-northeast-2/s3/aws4_request`;
    const missing = await fetch(`${endpoint}/exports/a`, {
      headers: { authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0` },
    });
    expect(missing.status).toBe(404);
    const body = await missing.text();
    expect(body).toContain('<Code>NoSuchKey</Code><Message>no &lt;such> key</Message>');
  });

  it('accept a presigned address until it expires', async () => {
    serveRest('s3', () => ({ status: 200, body: 'a,b\r\n' }));
    const signed = new Date(clock.now()).toISOString().replace(/[-:]|\.\d+/g, '');
    const url = new URL('/exports/2026/a.csv', endpoint);
    const scope = `${accessKeyFor(roleArn)}/20261122/ap-northeast-2/s3/aws4_request`;
    url.searchParams.set('X-Amz-Credential', scope);
    url.searchParams.set('X-Amz-Date', signed);
    url.searchParams.set('X-Amz-Expires', '60');
    const fresh = await fetch(url);
    expect([fresh.status, await fresh.text()]).toEqual([200, 'a,b\r\n']);
    expect(seen[0]).toMatchObject({
      operation: 'GET /exports/2026/a.csv',
      caller: { kind: 'role', roleArn },
    });
    await clock.advance(61_000);
    expect((await fetch(url)).status).toBe(403);
  });

  it('answer for a service that is not there', async () => {
    const missing = new SESv2Client(settings()).send(new SendEmailCommand({ Content: {} }));
    await expect(missing).rejects.toMatchObject({ name: 'UnknownService' });
  });
});
