import { createHmac, randomUUID } from 'node:crypto';
import type { Answer, Store } from '../../../bench/store.ts';
import { signatureHeader, type Webhook } from '../../../functions/sandbox/contract.ts';

const operator = { kind: 'operator' } as const;

/** The secret's newest text. */
export async function webhookSecret({ cloud: { runtime } }: Pick<Store, 'cloud'>): Promise<string> {
  const { SecretString } = await runtime.call(
    'secretsmanager',
    'GetSecretValue',
    { SecretId: arnOf(runtime) },
    operator,
  );
  return SecretString;
}

/** Puts a new text; the one before stays valid. */
export async function rotateWebhookSecret({ cloud: { runtime } }: Pick<Store, 'cloud'>): Promise<string> {
  const SecretString = randomUUID();
  await runtime.call(
    'secretsmanager',
    'PutSecretValue',
    { SecretId: arnOf(runtime), SecretString },
    operator,
  );
  return SecretString;
}

function arnOf(runtime: Store['cloud']['runtime']): string {
  const secret = runtime
    .resources('AWS::SecretsManager::Secret')
    .find(({ logicalId }) => logicalId.startsWith('WebhookSecret'));
  if (!secret) throw new Error('there is no secret for webhooks');
  return secret.arn;
}

/** A webhook as the sandbox sends it. */
export async function signedWebhook(
  store: Pick<Store, 'cloud'>,
  reference: string,
  { secret, id = `whk_${randomUUID()}` }: { secret?: string; id?: string } = {},
): Promise<{ body: string; headers: Record<string, string> }> {
  const body = JSON.stringify({ id, type: 'charge.changed', reference } satisfies Webhook);
  const time = Math.floor(store.cloud.runtime.clock.now() / 1000);
  const signature = createHmac('sha256', secret ?? (await webhookSecret(store)))
    .update(`${time}.${body}`)
    .digest('hex');
  return { body, headers: { [signatureHeader]: `t=${time},v1=${signature}` } };
}

export function sendWebhook(
  store: Pick<Store, 'request'>,
  { body, headers }: { readonly body: string; readonly headers: Readonly<Record<string, string>> },
): Promise<Answer> {
  return store.request('POST', '/v1/webhooks/payments/sandbox', {
    text: body,
    headers: { 'content-type': 'application/json', ...headers },
  });
}
