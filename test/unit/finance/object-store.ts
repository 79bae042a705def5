import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

const credentials = {
  AWS_ACCESS_KEY_ID: 'AKIDTEST',
  AWS_SECRET_ACCESS_KEY: 'secret/+=',
  AWS_SESSION_TOKEN: 'a/b+c==',
};

/**
 * As much of S3 as the exports need, in memory, which checks every signature and checksum by itself. The process's
 * environment points to it until it is stopped.
 */
export async function startObjectStore() {
  const objects = new Map<string, Buffer>();
  /** Statuses to answer in place of the next requests. */
  const failures: number[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const failure = failures.shift();
    const [status, content] = failure ? [failure, ''] : answer(objects, request, body);
    response.writeHead(status).end(content);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const before = { ...process.env };
  Object.assign(process.env, credentials, {
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_REGION: 'eu-west-1',
  });
  return {
    objects,
    failures,
    stop: () => {
      process.env = before;
      server.closeAllConnections();
      server.close();
    },
  };
}

function answer(
  objects: Map<string, Buffer>,
  request: IncomingMessage,
  body: Buffer,
): [number, string | Buffer] {
  const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
  const refusal = signatureProblem(request, url, body);
  if (refusal) return [403, `<Error><Code>${refusal}</Code></Error>`];
  const key = url.pathname.replace(/^\/bucket\//, '');
  if (url.searchParams.has('list-type')) return [200, listing(objects, url.searchParams)];
  if (request.method === 'PUT') {
    if (request.headers['x-amz-checksum-sha256'] !== createHash('sha256').update(body).digest('base64')) {
      return [400, '<Error><Code>BadDigest</Code></Error>'];
    }
    objects.set(key, body);
    return [200, ''];
  }
  return objects.has(key) ? [200, objects.get(key)!] : [404, '<Error><Code>NoSuchKey</Code></Error>'];
}

function listing(objects: Map<string, Buffer>, query: URLSearchParams): string {
  const prefix = query.get('prefix') ?? '';
  const folders = [...objects.keys()]
    .sort()
    .filter((key) => key.startsWith(prefix) && key > (query.get('start-after') ?? ''))
    .map((key) => key.slice(0, key.indexOf('/', prefix.length) + 1));
  const shown = [...new Set(folders)].slice(0, Number(query.get('max-keys')));
  return `<ListBucketResult>${shown.map((f) => `<CommonPrefixes><Prefix>${f}</Prefix></CommonPrefixes>`).join('')}</ListBucketResult>`;
}

/** AWS Signature Version 4, from its specification: of the headers, or of the query of a presigned link. */
function signatureProblem(request: IncomingMessage, url: URL, body: Buffer): string | undefined {
  const query = url.searchParams;
  const header = /Credential=([^,]+), SignedHeaders=([^,]+), Signature=(\w+)/.exec(
    request.headers.authorization ?? '',
  );
  const [credential = '', signed = '', signature = ''] = header
    ? header.slice(1)
    : ['Credential', 'SignedHeaders', 'Signature'].map((name) => query.get(`X-Amz-${name}`) ?? '');
  const scope = credential.split('/').slice(1).join('/');
  const time = String(request.headers['x-amz-date'] ?? query.get('X-Amz-Date'));
  const hash = String(request.headers['x-amz-content-sha256'] ?? query.get('X-Amz-Content-Sha256'));
  if (header && hash !== sha256(body)) return 'XAmzContentSHA256Mismatch';
  const token = request.headers['x-amz-security-token'] ?? query.get('X-Amz-Security-Token');
  if (token !== credentials.AWS_SESSION_TOKEN) return 'InvalidToken';
  const encoded = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const canonical = [
    request.method,
    url.pathname,
    [...query]
      .filter(([name]) => name !== 'X-Amz-Signature')
      .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
      .sort()
      .join('&'),
    ...signed.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}`),
    '',
    signed,
    hash,
  ].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const key = scope
    .split('/')
    .reduce(
      (secret: string | Buffer, part) => hmac(secret, part),
      `AWS4${credentials.AWS_SECRET_ACCESS_KEY}`,
    );
  return hmac(key, toSign).toString('hex') === signature ? undefined : 'SignatureDoesNotMatch';
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
