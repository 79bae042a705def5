import { putSecretValue } from '../../kernel/secret.ts';

/** The text put first under a version is the one: a repeated run made another, which nobody has seen. */
export async function putVersion(secretArn: string, version: string, text: string): Promise<void> {
  const refusal = await putSecretValue({
    SecretId: secretArn,
    ClientRequestToken: version,
    SecretString: text,
  });
  if (refusal && refusal.name !== 'ResourceExistsException') throw refusal;
}
