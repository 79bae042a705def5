import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { emailService } from '../../../functions/notification/adapters/email-service.ts';
import { userPoolAddresses } from '../../../functions/notification/adapters/user-pool.ts';

/** An AWS endpoint that answers what the test wants and keeps what it was asked. */
let server: Server;
let answer = { status: 200, headers: {} as Record<string, string>, body: '{}' };
const asked: { path: string; headers: Record<string, unknown>; body: any }[] = [];
const before = { ...process.env };

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    asked.push({
      path: request.url ?? '',
      headers: request.headers,
      body: JSON.parse(Buffer.concat(chunks).toString()),
    });
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'AKIDTEST',
    AWS_SECRET_ACCESS_KEY: 'secret',
  });
});
afterAll(async () => {
  process.env = before;
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked.length = 0;
});

describe('Amazon SES', () => {
  const email = {
    to: 'kim@shop.test',
    subject: '주문 확인',
    text: 'text',
    html: '<p>html</p>',
    orderId: 'ord_A1',
    type: 'payment.captured',
    traceId: '0af7651916cd43dd8448eb211c80319c',
  };
  const send = emailService('store@floodgate.test');

  test('gets one signed request with both parts, and its message id is kept', async () => {
    answer = { status: 200, headers: {}, body: '{"MessageId":"message-1"}' };
    expect(await send(email)).toEqual({ accepted: true, messageId: 'message-1' });
    expect(asked).toHaveLength(1);
    expect(asked[0]!.path).toBe('/v2/email/outbound-emails');
    expect(asked[0]!.headers.authorization).toMatch(
      /Credential=AKIDTEST\/\d{8}\/eu-west-1\/ses\/aws4_request/,
    );
    expect(asked[0]!.body).toMatchObject({
      FromEmailAddress: 'store@floodgate.test',
      Destination: { ToAddresses: ['kim@shop.test'] },
      Content: { Simple: { Subject: { Data: '주문 확인' }, Body: { Html: { Data: '<p>html</p>' } } } },
      EmailTags: [
        { Name: 'event', Value: 'payment_captured' },
        { Name: 'order', Value: 'ord_A1' },
        { Name: 'trace', Value: '0af7651916cd43dd8448eb211c80319c' },
      ],
    });
  });

  test('a 4xx was certainly not accepted', async () => {
    answer = { status: 429, headers: { 'x-amzn-errortype': 'TooManyRequestsException:' }, body: '{}' };
    expect(await send(email)).toEqual({
      accepted: false,
      code: 'TooManyRequestsException',
      tooMany: true,
    });
  });

  test('another 4xx than of too many at once is not worth another try', async () => {
    answer = { status: 400, headers: { 'x-amzn-errortype': 'MessageRejected' }, body: '{}' };
    expect(await send(email)).toEqual({ accepted: false, code: 'MessageRejected', tooMany: false });
  });

  test('after a 5xx nobody knows: it is not repeated, and the error does not quote the address', async () => {
    answer = { status: 500, headers: {}, body: '{"message":"cannot send to kim@shop.test"}' };
    const error = await send(email).catch((e: Error) => e);
    expect(error).toBeInstanceOf(Error);
    expect(String((error as Error).message)).not.toContain('kim@shop.test');
    expect(asked).toHaveLength(1);
  });
});

describe('the user pool', () => {
  const addressOf = userPoolAddresses('eu-west-1_pool');
  const user = (email?: string) =>
    JSON.stringify({
      UserAttributes: [{ Name: 'sub', Value: 'x' }, ...(email ? [{ Name: 'email', Value: email }] : [])],
    });

  test('tells the address of a customer by id', async () => {
    answer = { status: 200, headers: {}, body: user('kim@shop.test') };
    expect(await addressOf('customer-1')).toBe('kim@shop.test');
    expect(asked[0]!.headers['x-amz-target']).toBe('AWSCognitoIdentityProviderService.AdminGetUser');
    expect(asked[0]!.body).toEqual({ UserPoolId: 'eu-west-1_pool', Username: 'customer-1' });
  });

  test.each([undefined, 'a@b.test, c@d.test', 'a@b.test\r\nBcc: c@d.test', 'no address'])(
    'is not believed when it says %o',
    async (email) => {
      answer = { status: 200, headers: {}, body: user(email) };
      expect(await addressOf('customer-1')).toBeUndefined();
    },
  );

  test('does not know the customer: no address; any other refusal is an error', async () => {
    answer = { status: 400, headers: {}, body: '{"__type":"UserNotFoundException","message":"…"}' };
    expect(await addressOf('customer-1')).toBeUndefined();
    answer = { status: 400, headers: {}, body: '{"__type":"com.amazon#TooManyRequestsException"}' };
    await expect(addressOf('customer-1')).rejects.toMatchObject({ name: 'TooManyRequestsException' });
  });
});
