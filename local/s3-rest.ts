import { createHash } from 'node:crypto';
import { AwsError, type AwsRequest, type AwsResponse } from './types.ts';

/*
 * S3's REST protocol with path-style addresses: /bucket/key.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/RESTCommonRequestHeaders.html
 */

type Call = (operation: string, input: any) => Promise<any>;

/** Query parameters that name another operation on the same path. */
const otherOperations = ['uploads', 'uploadId', 'tagging', 'acl', 'delete', 'versions', 'attributes'];

export async function handleS3(call: Call, request: AwsRequest): Promise<AwsResponse> {
  try {
    return await dispatch(call, request);
  } catch (error) {
    // S3 has its own name for a refusal.
    if (error instanceof AwsError && error.code === 'AccessDeniedException')
      throw new AwsError('AccessDenied', error.message, 403);
    throw error;
  }
}

async function dispatch(call: Call, request: AwsRequest): Promise<AwsResponse> {
  const { method, query, headers } = request;
  const [, Bucket = '', path = ''] = /^\/([^/]*)\/?(.*)$/s.exec(request.path) ?? [];
  const Key = decodeURIComponent(path);
  const other = otherOperations.find((name) => query.has(name));
  if (other || headers['x-amz-copy-source'])
    throw new AwsError(
      'NotImplemented',
      `s3: ${method} with ${other ?? 'x-amz-copy-source'} is not emulated`,
      501,
    );
  if (Key === '') {
    if (method === 'HEAD') return { status: 200, headers: {}, ...(await call('HeadBucket', { Bucket })) };
    if (method === 'GET') return renderList(await call('ListObjectsV2', listInput(Bucket, query)), query);
  } else {
    const version = query.get('versionId');
    const input = { Bucket, Key, ...(version !== null && { VersionId: version }) };
    switch (method) {
      case 'PUT':
        return renderPut(await call('PutObject', { ...input, ...readBody(request) }));
      case 'GET':
        return renderObject(await call('GetObject', { ...input, Range: headers.range }), query);
      case 'HEAD':
        return renderObject(await call('HeadObject', { ...input, Range: headers.range }), query);
      case 'DELETE':
        await call('DeleteObject', {
          ...input,
          BypassGovernanceRetention: headers['x-amz-bypass-governance-retention'] === 'true',
        });
        return { status: 204 };
    }
  }
  throw new AwsError('NotImplemented', `s3: ${method} ${request.path} is not emulated`, 501);
}

function listInput(Bucket: string, query: URLSearchParams) {
  const text = (name: string) => query.get(name) ?? undefined;
  return {
    Bucket,
    Prefix: text('prefix'),
    Delimiter: text('delimiter'),
    StartAfter: text('start-after'),
    ContinuationToken: text('continuation-token'),
    MaxKeys: query.has('max-keys') ? Number(query.get('max-keys')) : undefined,
  };
}

/** The body as the writer meant it, and the headers, those of its trailer included. */
function readBody(request: AwsRequest): { Body: Buffer; Headers: Record<string, string> } {
  const headers = { ...request.headers };
  let body = request.body;
  const claimed = headers['x-amz-content-sha256'] ?? '';
  if (claimed.startsWith('STREAMING-')) {
    const decoded = decodeChunks(body);
    body = decoded.body;
    Object.assign(headers, decoded.trailer);
    const encoding = (headers['content-encoding'] ?? '').replace(/aws-chunked,?/, '');
    if (encoding) headers['content-encoding'] = encoding;
    else delete headers['content-encoding'];
  } else if (/^[0-9a-f]{64}$/.test(claimed) && createHash('sha256').update(body).digest('hex') !== claimed) {
    throw new AwsError(
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match.",
    );
  }
  return { Body: body, Headers: headers };
}

/** `aws-chunked`: hexadecimal length (and perhaps a signature), data, …, a length of 0, trailing headers. */
function decodeChunks(encoded: Buffer): { body: Buffer; trailer: Record<string, string> } {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = encoded.indexOf('\r\n', at);
    const length = Number.parseInt(encoded.toString('latin1', at, lineEnd), 16);
    if (lineEnd < 0 || Number.isNaN(length))
      throw new AwsError('IncompleteBody', 'The chunked body is malformed.');
    at = lineEnd + 2;
    if (length === 0) break;
    chunks.push(encoded.subarray(at, at + length));
    at += length + 2;
  }
  const trailer: Record<string, string> = {};
  for (const line of encoded.toString('latin1', at).split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) trailer[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { body: Buffer.concat(chunks), trailer };
}

function renderPut(answer: any): AwsResponse {
  return {
    status: 200,
    headers: {
      ...answer.Headers,
      etag: answer.ETag,
      ...(answer.VersionId && { 'x-amz-version-id': answer.VersionId }),
      'x-amz-server-side-encryption': answer.ServerSideEncryption,
    },
  };
}

function renderObject(answer: any, query: URLSearchParams): AwsResponse {
  const headers: Record<string, string> = {
    'content-type': 'binary/octet-stream',
    ...answer.Headers,
    etag: answer.ETag,
    'last-modified': answer.LastModified.toUTCString(),
    'content-length': String(answer.ContentLength),
    'accept-ranges': 'bytes',
    ...(answer.VersionId && { 'x-amz-version-id': answer.VersionId }),
    'x-amz-server-side-encryption': answer.ServerSideEncryption,
  };
  for (const name of ['content-type', 'content-disposition', 'cache-control', 'content-encoding']) {
    const wanted = query.get(`response-${name}`);
    if (wanted !== null) headers[name] = wanted;
  }
  if (answer.ContentRange) {
    headers['content-range'] = answer.ContentRange;
    // The checksums are those of the whole object.
    for (const name of Object.keys(headers)) if (name.startsWith('x-amz-checksum-')) delete headers[name];
  }
  return {
    status: answer.ContentRange ? 206 : 200,
    headers,
    ...(answer.Body && { body: answer.Body }),
  };
}

function renderList(answer: any, query: URLSearchParams): AwsResponse {
  const encode = query.get('encoding-type') === 'url' ? encodeURIComponent : (text: string) => text;
  const tag = (name: string, value: unknown) => `<${name}>${escapeXml(String(value))}</${name}>`;
  const contents = answer.Contents.map(
    (one: any) =>
      `<Contents>${tag('Key', encode(one.Key))}${tag('LastModified', one.LastModified.toISOString())}${tag('ETag', one.ETag)}${tag('Size', one.Size)}${tag('StorageClass', one.StorageClass)}</Contents>`,
  );
  const prefixes = answer.CommonPrefixes.map(
    (one: any) => `<CommonPrefixes>${tag('Prefix', encode(one.Prefix))}</CommonPrefixes>`,
  );
  const members = [
    tag('Name', answer.Name),
    tag('Prefix', encode(answer.Prefix)),
    answer.Delimiter ? tag('Delimiter', encode(answer.Delimiter)) : '',
    tag('MaxKeys', answer.MaxKeys),
    tag('KeyCount', answer.KeyCount),
    tag('IsTruncated', answer.IsTruncated),
    query.has('encoding-type') ? tag('EncodingType', query.get('encoding-type')) : '',
    answer.NextContinuationToken ? tag('NextContinuationToken', answer.NextContinuationToken) : '',
  ];
  const body = [...members, ...contents, ...prefixes].join('');
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${body}</ListBucketResult>`,
  };
}

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
