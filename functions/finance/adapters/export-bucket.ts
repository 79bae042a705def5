import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import {
  type AwsRequest,
  endpointFromEnvironment,
  presigned,
  refusalOf,
  sendSigned,
} from '../../kernel/aws-request.ts';
import { type Sleep, systemSleep } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { type ExportManifest, exportManifest } from '../contract.ts';

/** Milliseconds for one request. */
const timeout = 30_000;
const retries = 3;

/**
 * The bucket of the exports. Objects are encrypted with the bucket's own key: its default encryption applies where
 * a request names none, whereas `aws:kms` without a key would mean AWS's key, not ours.
 * @throws (every operation) AwsRefusal when S3 refuses for good, Error when it does not answer four times
 */
export function exportBucket(bucket: string, sleep: Sleep = systemSleep) {
  const send = (request: Omit<AwsRequest, 'service'>) => persistently({ service: 's3', ...request }, sleep);

  async function read(key: string): Promise<Uint8Array | undefined> {
    // 404 rather than 403 for what is not there needs the right to list.
    const response = await send({ method: 'GET', url: addressOf(bucket, key) });
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
    const refusal = await refusalOf(response);
    if (refusal.name === 'NoSuchKey') return undefined;
    throw refusal;
  }

  /** S3 compares the checksum with what has arrived; where objects are locked it asks for one. */
  const put = (key: string, content: Uint8Array, contentType: string, headers: Record<string, string> = {}) =>
    send({
      method: 'PUT',
      url: addressOf(bucket, key),
      headers: {
        ...headers,
        'content-type': contentType,
        'x-amz-checksum-sha256': createHash('sha256').update(content).digest('base64'),
      },
      body: new Uint8Array(content),
    });

  return {
    read,

    async write(key: string, content: Uint8Array, contentType: string): Promise<void> {
      const response = await put(key, content, contentType);
      if (!response.ok) throw await refusalOf(response);
    },

    /** Writes an object unless there is one. @returns false when there is */
    async create(key: string, content: Uint8Array, contentType: string): Promise<boolean> {
      const response = await put(key, content, contentType, { 'if-none-match': '*' });
      if (response.status === 412) return false;
      if (!response.ok) throw await refusalOf(response);
      return true;
    },

    /** The folders below `prefix` that come after `after`; at most `limit`. */
    async folders(prefix: string, after: string, limit: number): Promise<string[]> {
      const url = addressOf(bucket, '');
      url.search = new URLSearchParams({
        'list-type': '2',
        prefix,
        delimiter: '/',
        'start-after': after,
        'max-keys': String(limit),
      }).toString();
      const response = await send({ method: 'GET', url });
      if (!response.ok) throw await refusalOf(response);
      const found = (await response.text()).matchAll(
        /<CommonPrefixes>\s*<Prefix>([^<]*)<\/Prefix>\s*<\/CommonPrefixes>/g,
      );
      return [...found].map((match) => match[1]!);
    },

    async manifestAt(key: string): Promise<ExportManifest | undefined> {
      const content = await read(key);
      return content && z.parse(exportManifest, JSON.parse(Buffer.from(content).toString()));
    },

    /** @param expiresIn seconds */
    link(key: string, expiresIn: number): Promise<string> {
      return presigned(
        {
          service: 's3',
          method: 'GET',
          url: addressOf(bucket, key),
          // Becomes a query parameter, spelled as S3 spells it.
          headers: { 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD' },
        },
        expiresIn,
      );
    },
  };
}

/** Every operation can be repeated: none adds to what is there. */
async function persistently(request: AwsRequest, sleep: Sleep): Promise<Response> {
  for (let retry = 0; ; retry++) {
    const last = retry === retries;
    try {
      const response = await sendSigned(request, timeout);
      if (last || (response.status < 500 && response.status !== 429)) return response;
      await response.body?.cancel();
    } catch (error) {
      if (last) throw error;
    }
    await sleep(200 * 2 ** retry);
  }
}

/** Keys hold nothing that a URL would have to escape. */
function addressOf(bucket: string, key: string): URL {
  const endpoint = endpointFromEnvironment('S3');
  if (endpoint) return new URL(`/${bucket}/${key}`, endpoint);
  const { AWS_REGION } = environment('AWS_REGION');
  return new URL(`https://${bucket}.s3.${AWS_REGION}.amazonaws.com/${key}`);
}
