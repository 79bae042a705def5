import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { metered } from './meter.ts';
import { handleS3 } from './s3-rest.ts';
import { throttled } from './throttling.ts';
import { AwsError, type Caller, type Resource, type Runtime, type Service } from './types.ts';

/*
 * Buckets: bodies are files under the cloud's home, everything else is in its database. Without multipart
 * uploads and copies. AWS: https://docs.aws.amazon.com/AmazonS3/latest/API/
 */

interface ObjectRow {
  readonly key: string;
  readonly file: string;
  readonly size: number;
  readonly etag: string;
  readonly modified_at: number;
  /** JSON of the headers that a reader gets back: content type, user metadata and the like. */
  readonly headers: string;
}

interface VersionRow extends ObjectRow {
  /** Milliseconds since the epoch; Object Lock. */
  readonly retain_until: number;
}

/** Checksums that are verified when sent, and kept with the object. */
const checksums: Record<string, (body: Buffer) => string> = {
  'x-amz-checksum-crc32': (body) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(crc32(body));
    return bytes.toString('base64');
  },
  'x-amz-checksum-sha1': (body) => createHash('sha1').update(body).digest('base64'),
  'x-amz-checksum-sha256': (body) => createHash('sha256').update(body).digest('base64'),
  'content-md5': (body) => createHash('md5').update(body).digest('base64'),
};
const keptHeader =
  /^(content-(type|disposition|encoding|language)|cache-control|expires|x-amz-meta-.+|x-amz-checksum-.+)$/;

/** Amazon S3: every bucket of the template. Presigned addresses are checked for their time, not their signature. */
export function createS3(runtime: Runtime): Service {
  const { db, clock, iam } = runtime;
  db.exec(`CREATE TABLE IF NOT EXISTS s3_objects (
    bucket TEXT NOT NULL, key TEXT NOT NULL, file TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
    modified_at INTEGER NOT NULL, headers TEXT NOT NULL, PRIMARY KEY (bucket, key)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS s3_versions (
    bucket TEXT NOT NULL, key TEXT NOT NULL, file TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
    modified_at INTEGER NOT NULL, headers TEXT NOT NULL, retain_until INTEGER NOT NULL,
    PRIMARY KEY (bucket, key, file)) WITHOUT ROWID`);
  const sql = {
    read: db.prepare('SELECT * FROM s3_objects WHERE bucket = ? AND key = ?'),
    write: db.prepare('INSERT OR REPLACE INTO s3_objects VALUES (?, ?, ?, ?, ?, ?, ?)'),
    remove: db.prepare('DELETE FROM s3_objects WHERE bucket = ? AND key = ?'),
    keep: db.prepare('INSERT INTO s3_versions VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
    version: db.prepare('SELECT * FROM s3_versions WHERE bucket = ? AND key = ? AND file = ?'),
    removeVersion: db.prepare('DELETE FROM s3_versions WHERE bucket = ? AND key = ? AND file = ?'),
    newest: db.prepare(
      'SELECT * FROM s3_versions WHERE bucket = ? AND key = ? ORDER BY modified_at DESC LIMIT 1',
    ),
    list: db.prepare('SELECT * FROM s3_objects WHERE bucket = ? AND key > ? AND key >= ? ORDER BY key'),
  };
  const buckets = new Map(runtime.resources('AWS::S3::Bucket').map((bucket) => [bucket.ref, bucket]));
  const folder = (bucket: string) => join(runtime.home, 's3', bucket);
  for (const name of buckets.keys()) mkdirSync(folder(name), { recursive: true });

  function authorize(bucket: Resource, action: string, key: string, caller: Caller): void {
    iam.authorize(caller, `s3:${action}`, `${bucket.arn}/${key}`);
    const keyArn = encryptionOf(bucket)?.KMSMasterKeyID;
    if (keyArn && !action.startsWith('Delete'))
      iam.authorize(caller, action === 'PutObject' ? 'kms:GenerateDataKey' : 'kms:Decrypt', keyArn, {
        'kms:ViaService': `s3.${runtime.region}.amazonaws.com`,
        'kms:CallerAccount': runtime.account,
      });
  }

  function find(bucket: Resource, key: string): ObjectRow | undefined {
    return sql.read.get(bucket.ref, key) as ObjectRow | undefined;
  }

  /** A version by its id, which is its file's name; without an id what is there now. */
  function versionOf(bucket: Resource, { Key, VersionId }: any): ObjectRow | undefined {
    if (VersionId === undefined) return find(bucket, Key);
    return sql.version.get(bucket.ref, Key, VersionId) as ObjectRow | undefined;
  }

  async function put(bucket: Resource, input: any, caller: Caller) {
    authorize(bucket, 'PutObject', input.Key, caller);
    const body = Buffer.from(input.Body ?? '');
    const headers: Record<string, string> = input.Headers ?? {};
    const kept = Object.entries(headers).filter(([name]) => keptHeader.test(name));
    for (const [name, sum] of Object.entries(checksums))
      if (headers[name] !== undefined && headers[name] !== sum(body))
        throw new AwsError('BadDigest', `The ${name} you specified did not match the calculated checksum.`);
    const file = randomUUID();
    await writeFile(join(folder(bucket.ref), file), body);
    const before = find(bucket, input.Key);
    if (!mayReplace(before, headers)) {
      await rm(join(folder(bucket.ref), file));
      throw new AwsError(
        'PreconditionFailed',
        'At least one of the pre-conditions you specified did not hold',
        412,
      );
    }
    const etag = `"${createHash('md5').update(body).digest('hex')}"`;
    const row = [
      bucket.ref,
      input.Key,
      file,
      body.length,
      etag,
      clock.now(),
      JSON.stringify(Object.fromEntries(kept)),
    ] as const;
    sql.write.run(...row);
    if (isVersioned(bucket)) sql.keep.run(...row, clock.now() + retentionOf(bucket));
    else if (before) await rm(join(folder(bucket.ref), before.file), { force: true });
    return {
      ...(isVersioned(bucket) && { VersionId: file }),
      ETag: etag,
      ServerSideEncryption: encryptionOf(bucket)?.SSEAlgorithm ?? 'AES256',
      Headers: Object.fromEntries(kept.filter(([name]) => name.startsWith('x-amz-checksum-'))),
    };
  }

  /** An object's description, and its body or a range of it for GetObject. */
  async function read(bucket: Resource, input: any, withBody: boolean, caller: Caller) {
    authorize(bucket, 'GetObject', input.Key, caller);
    const row = versionOf(bucket, input);
    if (!row) {
      // Who may not list a bucket does not learn that a key is missing, as on AWS.
      iam.authorize(caller, 's3:ListBucket', bucket.arn);
      throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404, { Key: input.Key });
    }
    const range = rangeOf(input.Range, row.size);
    const file = withBody ? await readFile(join(folder(bucket.ref), row.file)) : undefined;
    return {
      ...(isVersioned(bucket) && { VersionId: row.file }),
      ETag: row.etag,
      LastModified: new Date(row.modified_at),
      ContentLength: range ? range.end - range.start : row.size,
      ServerSideEncryption: encryptionOf(bucket)?.SSEAlgorithm ?? 'AES256',
      Headers: JSON.parse(row.headers) as Record<string, string>,
      ...(range && { ContentRange: `bytes ${range.start}-${range.end - 1}/${row.size}` }),
      ...(file && { Body: range ? file.subarray(range.start, range.end) : file }),
    };
  }

  async function remove(bucket: Resource, input: any, caller: Caller) {
    if (input.VersionId !== undefined) return removeVersion(bucket, input, caller);
    authorize(bucket, 'DeleteObject', input.Key, caller);
    const row = find(bucket, input.Key);
    sql.remove.run(bucket.ref, input.Key);
    if (row && !isVersioned(bucket)) await rm(join(folder(bucket.ref), row.file), { force: true });
    return {};
  }

  /** A version that is retained stays, unless whoever may asks to pass by that (governance mode). */
  async function removeVersion(bucket: Resource, input: any, caller: Caller) {
    const { Key, VersionId } = input;
    authorize(bucket, 'DeleteObjectVersion', Key, caller);
    const row = sql.version.get(bucket.ref, Key, VersionId) as VersionRow | undefined;
    if (!row) return {};
    if (clock.now() < row.retain_until) {
      if (!input.BypassGovernanceRetention || lockOf(bucket)?.Mode === 'COMPLIANCE')
        throw new AwsError('AccessDenied', 'Access Denied because object protected by object lock.', 403);
      iam.authorize(caller, 's3:BypassGovernanceRetention', `${bucket.arn}/${Key}`);
    }
    sql.removeVersion.run(bucket.ref, Key, VersionId);
    await rm(join(folder(bucket.ref), VersionId), { force: true });
    if (find(bucket, Key)?.file !== VersionId) return {};
    const { file, size, etag, modified_at, headers } = (sql.newest.get(bucket.ref, Key) ?? {}) as any;
    if (file === undefined) sql.remove.run(bucket.ref, Key);
    else sql.write.run(bucket.ref, Key, file, size, etag, modified_at, headers);
    return {};
  }

  function list(bucket: Resource, input: any, caller: Caller) {
    const { Prefix = '', Delimiter = '', MaxKeys = 1000 } = input;
    iam.authorize(caller, 's3:ListBucket', bucket.arn, { 's3:prefix': Prefix });
    const limit = Math.min(MaxKeys, 1000);
    const after = input.ContinuationToken
      ? Buffer.from(input.ContinuationToken, 'base64url').toString()
      : (input.StartAfter ?? '');
    const contents: object[] = [];
    const prefixes = new Set<string>();
    let last = after;
    let truncated = false;
    for (const row of sql.list.iterate(bucket.ref, after, Prefix) as Iterable<any>) {
      const { key } = row as ObjectRow;
      if (!key.startsWith(Prefix)) break;
      const end = Delimiter ? key.indexOf(Delimiter, Prefix.length) : -1;
      const group = end < 0 ? undefined : key.slice(0, end + Delimiter.length);
      const known = group !== undefined && (prefixes.has(group) || after.startsWith(group));
      if (!known && contents.length + prefixes.size >= limit) {
        truncated = true;
        break;
      }
      last = key;
      if (group === undefined)
        contents.push({
          Key: key,
          LastModified: new Date(row.modified_at),
          ETag: row.etag,
          Size: row.size,
          StorageClass: 'STANDARD',
        });
      else if (!known) prefixes.add(group);
    }
    return {
      Name: bucket.ref,
      Prefix,
      ...(Delimiter && { Delimiter }),
      MaxKeys,
      KeyCount: contents.length + prefixes.size,
      IsTruncated: truncated,
      ...(truncated && { NextContinuationToken: Buffer.from(last).toString('base64url') }),
      Contents: contents,
      CommonPrefixes: [...prefixes].map((one) => ({ Prefix: one })),
    };
  }

  /** PUT, LIST and the like cost more than GET and HEAD; DELETE is free. */
  const call = metered(runtime.meter, 's3', answer, (operation, input) => ({
    resource: input.Bucket,
    counts: /^(Put|List)/.test(operation)
      ? { putRequests: 1 }
      : operation === 'DeleteObject'
        ? {}
        : { getRequests: 1 },
  }));

  async function answer(operation: string, input: any, caller: Caller): Promise<any> {
    const isWrite = /^(Put|Delete)/.test(operation);
    const prefix = String(input.Key ?? '').replace(/[^/]*$/, '');
    const of = `${input.Bucket}/${prefix}`;
    if (!runtime.limits.take(isWrite ? 's3.prefixPutRate' : 's3.prefixGetRate', { of }))
      throw throttled('s3', operation);
    const bucket = buckets.get(input.Bucket);
    if (!bucket)
      throw new AwsError('NoSuchBucket', 'The specified bucket does not exist', 404, {
        BucketName: input.Bucket,
      });
    switch (operation) {
      case 'PutObject':
        return await put(bucket, input, caller);
      case 'GetObject':
        return await read(bucket, input, true, caller);
      case 'HeadObject':
        return await read(bucket, input, false, caller);
      case 'DeleteObject':
        return await remove(bucket, input, caller);
      case 'ListObjectsV2':
        return list(bucket, input, caller);
      case 'HeadBucket':
        iam.authorize(caller, 's3:ListBucket', bucket.arn);
        return {};
      default:
        throw new AwsError('NotImplemented', `s3:${operation} is not emulated`, 501);
    }
  }

  return {
    name: 's3',
    call,
    handle: (request, caller, answer) =>
      handleS3((operation, input) => answer(operation, input, caller), request),
  };
}

function encryptionOf(bucket: Resource): { SSEAlgorithm: string; KMSMasterKeyID?: string } | undefined {
  const rules = bucket.properties.BucketEncryption?.ServerSideEncryptionConfiguration;
  return rules?.[0]?.ServerSideEncryptionByDefault;
}

function isVersioned({ properties }: Resource): boolean {
  return properties.VersioningConfiguration?.Status === 'Enabled';
}

function lockOf({ properties }: Resource): { Mode: string; Days?: number; Years?: number } | undefined {
  return properties.ObjectLockConfiguration?.Rule?.DefaultRetention;
}

/** Milliseconds for which a new version can be neither deleted nor replaced. */
function retentionOf(bucket: Resource): number {
  const { Days = 0, Years = 0 } = lockOf(bucket) ?? {};
  return (Number(Days) + 365 * Number(Years)) * 86_400_000;
}

/** `If-None-Match: *` writes only a new key, `If-Match` only over the version that the writer has seen. */
function mayReplace(before: ObjectRow | undefined, headers: Record<string, string>): boolean {
  if (headers['if-none-match'] === '*' && before) return false;
  return headers['if-match'] === undefined || headers['if-match'] === before?.etag;
}

/** Start and, exclusively, end of `bytes=…`, or none for what is no single range. */
function rangeOf(header: string | undefined, size: number): { start: number; end: number } | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
  if (start >= end) throw new AwsError('InvalidRange', 'The requested range is not satisfiable', 416);
  return { start, end };
}
