import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { HttpClient } from '../../../bench/load/http-client.ts';

async function serve(listener: RequestListener, most?: number, timeoutMs?: number) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  let connections = 0;
  server.on('connection', () => connections++);
  const client = new HttpClient(
    `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    most,
    timeoutMs,
  );
  onTestFinished(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  return { client, connections: () => connections };
}

it('reads answers by their length, in chunks and without a body, over one connection', async () => {
  const { client, connections } = await serve(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    if (request.url === '/chunks') {
      response.write('청자 ');
      setImmediate(() => response.end('잔'));
    } else if (request.url === '/none') response.writeHead(304).end();
    else {
      const text = `${request.method} ${request.headers['x-a']} ${body}`;
      response.writeHead(201, { 'content-length': Buffer.byteLength(text), 'X-B': 'c' }).end(text);
    }
  });
  expect(await client.request('POST', '/', { 'x-a': '1' }, '{"잔":1}')).toMatchObject({
    status: 201,
    body: 'POST 1 {"잔":1}',
    headers: { 'x-b': 'c' },
  });
  expect(await client.request('GET', '/chunks')).toMatchObject({ status: 200, body: '청자 잔' });
  expect(await client.request('GET', '/none')).toMatchObject({ status: 304, body: '' });
  expect(connections()).toBe(1);
});

it('opens no more connections than it may, and serves those that wait in their order', async () => {
  const { client, connections } = await serve(
    (request, response) => setImmediate(() => response.end(request.url)),
    2,
  );
  const paths = Array.from({ length: 20 }, (_, index) => `/${index}`);
  const answers = await Promise.all(paths.map((path) => client.request('GET', path)));
  expect(answers.map(({ body }) => body)).toEqual(paths);
  expect(connections()).toBe(2);
});

it('tells what stood in the way, and goes on', async () => {
  const { client } = await serve(
    (request, response) => {
      if (request.url === '/broken') request.socket.destroy();
      else if (request.url === '/close') response.writeHead(200, { connection: 'close' }).end('bye');
      else if (request.url !== '/never') response.end('here');
    },
    1,
    50,
  );
  expect(await client.request('GET', '/broken')).toMatchObject({ status: 0, failure: expect.any(String) });
  expect(await client.request('GET', '/close')).toMatchObject({ status: 200, body: 'bye' });
  expect(await client.request('GET', '/')).toMatchObject({ status: 200, body: 'here' });
  expect(await client.request('GET', '/never')).toMatchObject({ status: 0, failure: 'no answer in time' });
});
