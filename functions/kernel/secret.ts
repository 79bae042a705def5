import { type AwsRefusal, endpointFromEnvironment, refusalOf, sendSigned } from './aws-request.ts';
import type { Now } from './clock.ts';

/** Milliseconds after which a rotated secret is read again without a reason. */
const trustedFor = 5 * 60_000;

/**
 * A secret that is rotated while it is in use: a new text is put, and the one before stays valid beside it
 * (Secrets Manager's stages AWSCURRENT and AWSPREVIOUS). Whoever signs uses the newest; whoever verifies accepts both.
 */
export function rotatedSecret(secretArn: string, now: Now) {
  let read: { readonly at: number; readonly texts: Promise<readonly string[]> } | undefined;

  async function textOf(VersionStage: 'AWSCURRENT' | 'AWSPREVIOUS'): Promise<readonly string[]> {
    const response = await ask('GetSecretValue', { SecretId: secretArn, VersionStage });
    if (response.ok) {
      const { SecretString } = (await response.json()) as { SecretString?: string };
      return SecretString ? [SecretString] : [];
    }
    const refusal = await refusalOf(response);
    if (VersionStage === 'AWSPREVIOUS' && wasNeverRotated(refusal)) return [];
    throw refusal;
  }

  async function readBoth(): Promise<readonly string[]> {
    const texts = await Promise.all([textOf('AWSCURRENT'), textOf('AWSPREVIOUS')]);
    if (texts[0].length === 0) throw new Error('the secret holds no text');
    return texts.flat();
  }

  /** The newest text, then the one before it. @param maxAge milliseconds that the knowledge may be old */
  async function valid(maxAge = trustedFor): Promise<readonly string[]> {
    if (!read || now() - read.at > maxAge) read = { at: now(), texts: readBoth() };
    const reading = read;
    try {
      return await reading.texts;
    } catch (error) {
      if (read === reading) read = undefined;
      throw error;
    }
  }

  return { valid, newest: async () => (await valid())[0]! };
}

function wasNeverRotated({ name }: AwsRefusal): boolean {
  return name === 'ResourceNotFoundException';
}

/** Milliseconds for one attempt. */
const answerWithin = 2_000;

/** @returns the refusal, if it was refused */
export async function putSecretValue(input: {
  readonly SecretId: string;
  /** The new version's id: putting it again with the same text is harmless. */
  readonly ClientRequestToken: string;
  readonly SecretString: string;
}): Promise<AwsRefusal | undefined> {
  const response = await ask('PutSecretValue', input);
  return response.ok ? undefined : refusalOf(response);
}

/** Without the SDK's client, so that every function with a route can afford it. Three attempts, as the SDK makes. */
async function ask(operation: string, input: object): Promise<Response> {
  const url = new URL(
    endpointFromEnvironment('SECRETS_MANAGER') ??
      `https://secretsmanager.${process.env.AWS_REGION}.amazonaws.com/`,
  );
  const headers = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': `secretsmanager.${operation}`,
  };
  const send = () =>
    sendSigned(
      { service: 'secretsmanager', method: 'POST', url, headers, body: JSON.stringify(input) },
      answerWithin,
    );
  for (let attempt = 1; attempt < 3; attempt++) {
    const response = await send().catch(() => undefined);
    if (response && response.status < 500) return response;
  }
  return send();
}
