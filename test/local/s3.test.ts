import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { createS3 } from '../../local/s3.ts';
import { AwsError, type AwsRequest } from '../../local/types.ts';
import { type FakeRuntime, fakeRuntime, resource } from './support/runtime.ts';

const role = { kind: 'role', roleArn: 'arn:aws:iam::111122223333:role/export' } as const;
const Bucket = 'exports';
const keyArn = 'arn:aws:kms:eu-west-1:111122223333:key/k';

function cloud(properties: Record<string, unknown> = {}) {
  const encryption = { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: keyArn };
  const BucketEncryption = {
    ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: encryption }],
  };
  const runtime = fakeRuntime({
    resources: [
      resource('AWS::S3::Bucket', Bucket, { BucketEncryption, ...properties }, `arn:aws:s3:::${Bucket}`),
    ],
  });
  const service = runtime.use(createS3);
  return { runtime, service, s3: client(service) };
}

/** The SDK's own client, answered by the service without a network. */
function client(service: ReturnType<typeof createS3>): S3Client {
  const handle = async (request: any) => {
    const chunks: Buffer[] = [];
    const { body } = request;
    if (body instanceof Readable) for await (const chunk of body) chunks.push(Buffer.from(chunk));
    else if (body !== undefined) chunks.push(Buffer.from(body));
    const asked: AwsRequest = {
      method: request.method,
      path: request.path,
      query: new URLSearchParams(request.query),
      headers: Object.fromEntries(
        Object.entries<string>(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
      ),
      body: Buffer.concat(chunks),
    };
    const answer = await service.handle!(asked, role, service.call).catch((error) => {
      if (!(error instanceof AwsError)) throw error;
      const text = `<Error><Code>${error.code}</Code><Message>${error.message}</Message></Error>`;
      return { status: error.status, headers: {}, body: text };
    });
    const content = Buffer.from(request.method === 'HEAD' ? '' : (answer.body ?? ''));
    return {
      response: {
        statusCode: answer.status,
        headers: answer.headers ?? {},
        body: Readable.from(content.length > 0 ? [content] : []),
      },
    };
  };
  return new S3Client({
    region: 'eu-west-1',
    endpoint: 'http://127.0.0.1:4566',
    forcePathStyle: true,
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
    requestHandler: { handle } as any,
    maxAttempts: 1,
  });
}

async function textOf(s3: S3Client, Key: string, Range?: string): Promise<string | undefined> {
  const answer = await s3.send(new GetObjectCommand({ Bucket, Key, ...(Range && { Range }) }));
  return await answer.Body?.transformToString();
}

function files(runtime: FakeRuntime): string[] {
  return readdirSync(join(runtime.home, 's3', Bucket));
}

describe('an object', () => {
  test('is stored, described, read and deleted', async () => {
    const { runtime, s3 } = cloud();
    const Key = '2026/11/22/ledger & more.csv';
    const put = await s3.send(
      new PutObjectCommand({ Bucket, Key, Body: 'a,b\n', ContentType: 'text/csv', Metadata: { rows: '1' } }),
    );
    expect(put).toMatchObject({ ETag: `"${md5('a,b\n')}"`, ServerSideEncryption: 'aws:kms' });
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key }));
    expect(head).toMatchObject({
      ContentLength: 4,
      ContentType: 'text/csv',
      Metadata: { rows: '1' },
      ETag: put.ETag,
    });
    expect(head.LastModified).toEqual(new Date('2026-11-22T00:00:00Z'));
    expect(await textOf(s3, Key)).toBe('a,b\n');
    await s3.send(new DeleteObjectCommand({ Bucket, Key }));
    await expect(textOf(s3, Key)).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect(files(runtime)).toEqual([]);
  });

  test('is replaced as a whole and survives a restart', async () => {
    const { runtime, s3 } = cloud();
    for (const Body of ['one', 'two']) await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body }));
    expect(files(runtime)).toHaveLength(1);
    expect(await textOf(client(runtime.restart().use(createS3)), 'k')).toBe('two');
  });

  test('comes from a stream in signed chunks', async () => {
    const { s3 } = cloud();
    const Body = Readable.from([Buffer.from('chunk one, '), Buffer.from('chunk two')]);
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body, ContentLength: 20 }));
    expect(await textOf(s3, 'k')).toBe('chunk one, chunk two');
  });

  test('is read by range', async () => {
    const { s3 } = cloud();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: '0123456789' }));
    expect(await textOf(s3, 'k', 'bytes=2-4')).toBe('234');
    expect(await textOf(s3, 'k', 'bytes=-3')).toBe('789');
    expect(await textOf(s3, 'k', 'bytes=7-')).toBe('789');
    await expect(textOf(s3, 'k', 'bytes=10-')).rejects.toMatchObject({ name: 'InvalidRange' });
  });

  test('is not overwritten by If-None-Match: *, nor by If-Match of another version', async () => {
    const { runtime, s3 } = cloud();
    const put = (more: object) => s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x', ...more }));
    const { ETag } = await put({ IfNoneMatch: '*' });
    await expect(put({ IfNoneMatch: '*' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    await put({ Body: 'y', IfMatch: ETag });
    await expect(put({ IfMatch: ETag })).rejects.toMatchObject({ $metadata: { httpStatusCode: 412 } });
    expect(files(runtime)).toHaveLength(1);
  });

  test('whose checksum is wrong is refused', async () => {
    const { s3 } = cloud();
    const put = (Body: string) =>
      s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body, ChecksumSHA256: sha256('right') }));
    await put('right');
    await expect(put('wrong')).rejects.toMatchObject({ name: 'BadDigest' });
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'k', ChecksumMode: 'ENABLED' }));
    expect(head.ChecksumSHA256).toBe(sha256('right'));
  });
});

describe('a listing', () => {
  const keys = ['a.txt', 'day/1/a', 'day/1/b', 'day/2/a', 'z.txt'];

  test.each<[object, string[], string[]]>([
    [{}, keys, []],
    [{ Prefix: 'day/' }, ['day/1/a', 'day/1/b', 'day/2/a'], []],
    [{ Delimiter: '/' }, ['a.txt', 'z.txt'], ['day/']],
    [{ Prefix: 'day/', Delimiter: '/' }, [], ['day/1/', 'day/2/']],
    [{ StartAfter: 'day/1/b' }, ['day/2/a', 'z.txt'], []],
    [{ Prefix: 'none' }, [], []],
  ])('with %j', async (more, contents, prefixes) => {
    const { s3 } = cloud();
    for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    for (const MaxKeys of [1, 2, 1000]) {
      const found: string[] = [];
      const groups: string[] = [];
      let token: string | undefined;
      do {
        const input = { Bucket, MaxKeys, ...more, ...(token && { ContinuationToken: token }) };
        const page = await s3.send(new ListObjectsV2Command(input));
        found.push(...(page.Contents ?? []).map((one) => one.Key as string));
        groups.push(...(page.CommonPrefixes ?? []).map((one) => one.Prefix as string));
        token = page.NextContinuationToken;
        expect(page.KeyCount).toBeLessThanOrEqual(MaxKeys);
      } while (token);
      expect([found, groups]).toEqual([contents, prefixes]);
    }
  });
});

describe('permission', () => {
  test.each([
    ['s3:PutObject', `arn:aws:s3:::${Bucket}/k`, new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' })],
    ['kms:GenerateDataKey', keyArn, new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' })],
    ['s3:GetObject', `arn:aws:s3:::${Bucket}/k`, new GetObjectCommand({ Bucket, Key: 'k' })],
    ['kms:Decrypt', keyArn, new GetObjectCommand({ Bucket, Key: 'k' })],
    ['s3:DeleteObject', `arn:aws:s3:::${Bucket}/k`, new DeleteObjectCommand({ Bucket, Key: 'k' })],
    ['s3:ListBucket', `arn:aws:s3:::${Bucket}`, new ListObjectsV2Command({ Bucket })],
    ['s3:ListBucket', `arn:aws:s3:::${Bucket}`, new GetObjectCommand({ Bucket, Key: 'missing' })],
  ])('%s on %s is needed', async (action, arn, command) => {
    const { runtime, s3 } = cloud();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
    runtime.denied.add(`${action} ${arn}`);
    await expect(s3.send(command as GetObjectCommand)).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  test('does not help with what is not emulated', async () => {
    const { s3 } = cloud();
    const tagged = new GetObjectTaggingCommand({ Bucket, Key: 'k' });
    await expect(s3.send(tagged)).rejects.toMatchObject({ name: 'NotImplemented' });
    const elsewhere = new GetObjectCommand({ Bucket: 'other', Key: 'k' });
    await expect(s3.send(elsewhere)).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });
});

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

describe('a bucket with Object Lock', () => {
  const locked = {
    VersioningConfiguration: { Status: 'Enabled' },
    ObjectLockEnabled: true,
    ObjectLockConfiguration: {
      ObjectLockEnabled: 'Enabled',
      Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 2 } },
    },
  };
  const put = async (s3: S3Client, Body: string) =>
    (await s3.send(new PutObjectCommand({ Bucket, Key: 'day.csv', Body }))).VersionId!;
  const read = async (s3: S3Client, VersionId?: string) => {
    const answer = await s3.send(
      new GetObjectCommand({ Bucket, Key: 'day.csv', ...(VersionId && { VersionId }) }),
    );
    return answer.Body?.transformToString();
  };
  const remove = (s3: S3Client, options: object) =>
    s3.send(new DeleteObjectCommand({ Bucket, Key: 'day.csv', ...options }));

  test('keeps what was written, whatever is written over it or deleted afterwards', async () => {
    const { s3 } = cloud(locked);
    const first = await put(s3, 'first');
    const second = await put(s3, 'second');
    expect([await read(s3), await read(s3, first)]).toEqual(['second', 'first']);
    await remove(s3, {});
    await expect(read(s3)).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect([await read(s3, first), await read(s3, second)]).toEqual(['first', 'second']);
  });

  test('refuses to delete a version until its retention is over', async () => {
    const { runtime, s3 } = cloud(locked);
    const version = await put(s3, 'first');
    await expect(remove(s3, { VersionId: version })).rejects.toMatchObject({
      name: 'AccessDenied',
      $metadata: { httpStatusCode: 403 },
    });
    await runtime.clock.advance(2 * 86_400_000);
    await remove(s3, { VersionId: version });
    await expect(read(s3, version)).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(read(s3)).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('lets only who may pass by it do so', async () => {
    const { runtime, s3 } = cloud(locked);
    const version = await put(s3, 'first');
    const bypass = { VersionId: version, BypassGovernanceRetention: true };
    runtime.denied.add(`s3:BypassGovernanceRetention arn:aws:s3:::${Bucket}/day.csv`);
    await expect(remove(s3, bypass)).rejects.toMatchObject({ name: 'AccessDenied' });
    runtime.denied.clear();
    await remove(s3, bypass);
    await expect(read(s3, version)).rejects.toMatchObject({ name: 'NoSuchKey' });
  });
});
