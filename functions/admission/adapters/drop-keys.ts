import { endpointFromEnvironment, refusalOf, sendSigned } from '../../kernel/aws-request.ts';

/** Milliseconds for one attempt. */
const answerWithin = 2_000;

/**
 * A new pair of keys for signing admissions: KMS makes it and hands out the private key only wrapped. The context
 * binds the wrapped key to its drop: it cannot be unwrapped as another's.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKeyPairWithoutPlaintext.html
 * @returns the public key (SPKI in DER) and the wrapped private key, base64
 */
export async function newKeyPair(
  keyArn: string,
  dropId: string,
): Promise<{ publicKey: string; wrappedKey: string }> {
  const answer = await kms('GenerateDataKeyPairWithoutPlaintext', {
    KeyId: keyArn,
    KeyPairSpec: 'ECC_NIST_P256',
    EncryptionContext: { drop: dropId },
  });
  return { publicKey: answer.PublicKey!, wrappedKey: answer.PrivateKeyCiphertextBlob! };
}

/** The private key (PKCS #8 in DER). KMS takes 1,000 such requests a second and more: ask once an environment. */
export async function unwrapKey(dropId: string, wrappedKey: string): Promise<Uint8Array> {
  const answer = await kms('Decrypt', { CiphertextBlob: wrappedKey, EncryptionContext: { drop: dropId } });
  return Buffer.from(answer.Plaintext!, 'base64');
}

/** Three attempts, as the SDK makes; its client would not fit beside that of DynamoDB. */
async function kms(operation: string, input: object): Promise<Partial<Record<string, string>>> {
  const url = new URL(
    endpointFromEnvironment('KMS') ?? `https://kms.${process.env.AWS_REGION}.amazonaws.com/`,
  );
  const headers = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': `TrentService.${operation}`,
  };
  const ask = () =>
    sendSigned({ service: 'kms', method: 'POST', url, headers, body: JSON.stringify(input) }, answerWithin);
  for (let attempt = 1; ; attempt++) {
    const response = await ask().catch((error) => {
      if (attempt === 3) throw error;
      return undefined;
    });
    if (response?.ok) return (await response.json()) as Partial<Record<string, string>>;
    if (response && (response.status < 500 || attempt === 3)) throw await refusalOf(response);
  }
}
