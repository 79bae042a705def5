import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** The text of a secret: read once for each environment, and again only after a failure. */
export function secretText(secretArn: string): () => Promise<string> {
  const secrets = new SecretsManagerClient({ maxAttempts: 3 });
  let text: Promise<string> | undefined;

  async function read(): Promise<string> {
    const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: secretArn }));
    if (!SecretString) throw new Error('the secret holds no text');
    return SecretString;
  }

  return () => {
    text ??= read().catch((error) => {
      text = undefined;
      throw error;
    });
    return text;
  };
}
