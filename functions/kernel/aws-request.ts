import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { environment } from './env.ts';
import { outbound } from './outbound.ts';

/**
 * Signed calls to the AWS services whose SDK client would not fit into a bundle beside that of DynamoDB. Like the
 * SDK, they take credentials, region and `AWS_ENDPOINT_URL*` from the environment.
 */
export interface AwsRequest {
  /** As Signature Version 4 names it. */
  readonly service:
    | 's3'
    | 'ses'
    | 'cognito-idp'
    | 'sqs'
    | 'kms'
    | 'secretsmanager'
    | 'kms'
    | 'dynamodb'
    | 'monitoring'
    | 'events'
    | 'application-autoscaling'
    | 'cloudformation'
    | 'sts';
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

/** A service's refusal. It carries the code alone: an AWS message may quote an address or a name. */
export class AwsRefusal extends Error {
  readonly status: number;

  constructor(code: string, status: number) {
    super(`${code} (${status})`);
    this.name = code;
    this.status = status;
  }
}

/**
 * The endpoint that the environment names for a service, if it names one.
 * @param serviceId as in `AWS_ENDPOINT_URL_<serviceId>`
 */
export function endpointFromEnvironment(serviceId: string): string | undefined {
  return process.env[`AWS_ENDPOINT_URL_${serviceId}`] || process.env.AWS_ENDPOINT_URL || undefined;
}

/**
 * Sends one signed request, once. Any status is an answer.
 * @param timeout milliseconds
 * @throws Error when no answer came, so that nobody knows what the service has done
 */
export async function sendSigned(request: AwsRequest, timeout: number): Promise<Response> {
  const headers = { ...request.headers, host: request.url.host };
  const signed = await signer(request.service).sign({ ...signable(request), headers });
  // fetch() sets the host by itself, from the same URL.
  const { host: _, ...sent } = signed.headers;
  return outbound(request.url, {
    method: request.method,
    headers: sent,
    ...(request.body === undefined ? {} : { body: request.body }),
    // A signature is for one address.
    redirect: 'manual',
    signal: AbortSignal.timeout(timeout),
  });
}

/**
 * A link that lets whoever has it do the one request until it runs out.
 * @param expiresIn seconds; it ends earlier with the credentials of the function
 */
export async function presigned(request: AwsRequest, expiresIn: number): Promise<string> {
  const headers = { ...request.headers, host: request.url.host };
  const { query } = await signer(request.service).presign({ ...signable(request), headers }, { expiresIn });
  const link = new URL(request.url);
  for (const [name, value] of Object.entries(query ?? {})) link.searchParams.set(name, String(value));
  return link.href;
}

/** The error code of a refused request, from the header or the body of its protocol. */
export async function refusalOf(response: Response): Promise<AwsRefusal> {
  const text = await response.text();
  const code =
    response.headers.get('x-amzn-errortype') ??
    /"(?:__type|code)"\s*:\s*"([^"]+)"/.exec(text)?.[1] ??
    /<Code>([^<]+)<\/Code>/.exec(text)?.[1] ??
    'UnknownError';
  // `namespace#Code:more`
  return new AwsRefusal(code.replace(/:.*$/, '').replace(/^.*#/, ''), response.status);
}

function signable({ method, url, body }: AwsRequest) {
  return {
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    ...(body === undefined ? {} : { body }),
  };
}

function signer(service: AwsRequest['service']): SignatureV4 {
  const { AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = environment(
    'AWS_REGION',
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
  );
  const sessionToken = process.env.AWS_SESSION_TOKEN;
  return new SignatureV4({
    service,
    region: AWS_REGION,
    credentials: {
      accessKeyId: AWS_ACCESS_KEY_ID,
      secretAccessKey: AWS_SECRET_ACCESS_KEY,
      ...(sessionToken ? { sessionToken } : {}),
    },
    sha256: Sha256,
    // S3 signs the path as it is sent, every other service the path escaped once more.
    uriEscapePath: service !== 's3',
  });
}

/** Node's SHA-256 in the shape that the signer asks for. */
class Sha256 {
  private readonly hash: Hash | Hmac;

  constructor(secret?: unknown) {
    this.hash = secret ? createHmac('sha256', secret as Uint8Array) : createHash('sha256');
  }

  update(chunk: Uint8Array): void {
    this.hash.update(chunk);
  }

  async digest(): Promise<Uint8Array> {
    return this.hash.digest();
  }

  reset(): void {
    throw new Error('a hash is used once');
  }
}
