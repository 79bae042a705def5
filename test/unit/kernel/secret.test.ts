import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { secretText } from '../../../functions/kernel/secret.ts';

/** Answers of the service, used up one by one. */
let answers: { status: number; body: object }[] = [];
let asked: unknown[] = [];
let server: Server;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    asked.push(JSON.parse(Buffer.concat(await request.toArray()).toString()));
    const { status, body } = answers.shift() ?? { status: 500, body: {} };
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

const denied = { status: 400, body: { __type: 'AccessDeniedException', message: 'no' } };

it('is read once, however often and parallel it is asked for', async () => {
  answers = [{ status: 200, body: { SecretString: 's3cret' } }];
  asked = [];
  const secret = secretText('arn:secret');
  expect(await Promise.all([secret(), secret()])).toEqual(['s3cret', 's3cret']);
  expect(await secret()).toBe('s3cret');
  expect(asked).toEqual([{ SecretId: 'arn:secret' }]);
});

it('is read again after a failure, which is not kept', async () => {
  answers = [denied, { status: 200, body: { SecretString: 's3cret' } }];
  const secret = secretText('arn:secret');
  await expect(secret()).rejects.toMatchObject({ name: 'AccessDeniedException' });
  expect(await secret()).toBe('s3cret');
});

it('without text is an error', async () => {
  answers = [{ status: 200, body: {} }];
  await expect(secretText('arn:secret')()).rejects.toThrow('holds no text');
});
