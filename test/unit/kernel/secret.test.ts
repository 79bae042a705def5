import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { putSecretValue, rotatedSecret } from '../../../functions/kernel/secret.ts';

/** Answers of the service, used up one by one. */
let answers: { status: number; body: object }[] = [];
let asked: unknown[] = [];
/** Texts by stage, in place of `answers`. */
let held: Record<string, string | undefined> | undefined;
let server: Server;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const question = JSON.parse(Buffer.concat(await request.toArray()).toString());
    asked.push(question);
    const { status, body } = held ? fromHeld(question) : (answers.shift() ?? { status: 500, body: {} });
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_SECRETS_MANAGER: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  });
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function fromHeld({ VersionStage }: { VersionStage: string }): { status: number; body: object } {
  const SecretString = held?.[VersionStage];
  return SecretString === undefined
    ? { status: 400, body: { __type: 'ResourceNotFoundException', message: 'none' } }
    : { status: 200, body: { SecretString } };
}

const denied = { status: 400, body: { __type: 'AccessDeniedException', message: 'no' } };

describe('a secret that is rotated', () => {
  let now = 0;
  /** What the service holds. */
  const versions: Record<string, string | undefined> = {};
  const serve = (versionsNow: Record<string, string>) => {
    for (const stage of ['AWSCURRENT', 'AWSPREVIOUS']) versions[stage] = versionsNow[stage];
    asked = [];
    held = versions;
  };
  afterEach(() => {
    held = undefined;
  });

  it('that never was has one valid text', async () => {
    serve({ AWSCURRENT: 'first' });
    const secret = rotatedSecret('arn:secret', () => now);
    expect(await secret.valid()).toEqual(['first']);
    expect(await secret.newest()).toBe('first');
    expect(asked).toHaveLength(2);
  });

  it('has two, known for as long as the caller allows', async () => {
    serve({ AWSCURRENT: 'first' });
    const secret = rotatedSecret('arn:secret', () => now);
    await secret.valid();
    serve({ AWSCURRENT: 'second', AWSPREVIOUS: 'first' });
    now += 10_000;
    expect(await secret.valid(10_000)).toEqual(['first']);
    now += 1;
    expect(await secret.valid(10_000)).toEqual(['second', 'first']);
    serve({ AWSCURRENT: 'third', AWSPREVIOUS: 'second' });
    expect(await secret.newest()).toBe('second');
    now += 5 * 60_000 + 1;
    expect(await secret.newest()).toBe('third');
  });

  it('is read again after a failure, which is not kept', async () => {
    const secret = rotatedSecret('arn:secret', () => now);
    answers = [denied, denied];
    await expect(secret.valid()).rejects.toMatchObject({ name: 'AccessDeniedException' });
    serve({ AWSCURRENT: 'first' });
    expect(await secret.valid()).toEqual(['first']);
  });
});

it('without text is an error', async () => {
  answers = [
    { status: 200, body: {} },
    { status: 200, body: {} },
  ];
  await expect(rotatedSecret('arn:secret', () => 0).valid()).rejects.toThrow('holds no text');
});

it('is put under a version, and says when it was refused', async () => {
  const input = { SecretId: 'arn:secret', ClientRequestToken: 'v1', SecretString: 'next' };
  answers = [{ status: 200, body: {} }, denied];
  asked = [];
  expect(await putSecretValue(input)).toBeUndefined();
  expect(asked).toEqual([input]);
  expect(await putSecretValue(input)).toMatchObject({ name: 'AccessDeniedException' });
});
