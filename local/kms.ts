import { createCipheriv, createDecipheriv, generateKeyPairSync, randomBytes } from 'node:crypto';
import { metered, nameOf } from './meter.ts';
import { AwsError, type Caller, type Resource, type Runtime, type Service } from './types.ts';

/*
 * Symmetric keys of the template. https://docs.aws.amazon.com/kms/latest/APIReference/
 * A ciphertext names its key, as AWS's do; the encryption context is authenticated with it, not stored.
 */

const curves: Readonly<Record<string, string>> = {
  ECC_NIST_P256: 'P-256',
  ECC_NIST_P384: 'P-384',
  ECC_NIST_P521: 'P-521',
};

/** AWS takes no more plaintext at once, in bytes. */
const longestPlaintext = 4_096;

/** AWS KMS: encrypting, decrypting and making wrapped key pairs with the keys of the template. */
export function createKms(runtime: Runtime): Service {
  runtime.db.exec('CREATE TABLE IF NOT EXISTS kms_keys (arn TEXT PRIMARY KEY, material BLOB NOT NULL)');
  return {
    name: 'kms',
    call: metered(
      runtime.meter,
      'kms',
      async (operation, input, caller) => answer(runtime, operation, input, caller),
      (_, input) => ({ resource: nameOf(String(input.KeyId ?? '')), counts: { requests: 1 } }),
    ),
  };
}

function answer(runtime: Runtime, operation: string, input: any, caller: Caller): object {
  const context = contextOf(input.EncryptionContext);
  switch (operation) {
    case 'Encrypt': {
      const key = allowed(runtime, input.KeyId, operation, input, caller);
      const plaintext = Buffer.from(String(input.Plaintext ?? ''), 'base64');
      if (plaintext.length === 0 || plaintext.length > longestPlaintext)
        throw new AwsError('ValidationException', `Plaintext takes 1 to ${longestPlaintext} bytes.`);
      return { KeyId: key.arn, CiphertextBlob: seal(runtime, key, plaintext, context) };
    }
    case 'Decrypt': {
      const { arn, sealed } = opened(input.CiphertextBlob);
      const key = allowed(runtime, input.KeyId ?? arn, operation, input, caller);
      if (key.arn !== arn) throw new AwsError('IncorrectKeyException', 'The ciphertext has another key.');
      return { KeyId: key.arn, Plaintext: unseal(runtime, key, sealed, context) };
    }
    case 'GenerateDataKeyPairWithoutPlaintext': {
      const key = allowed(runtime, input.KeyId, operation, input, caller);
      const namedCurve = curves[input.KeyPairSpec];
      if (!namedCurve)
        throw new AwsError('ValidationException', `KeyPairSpec ${input.KeyPairSpec} is not emulated.`);
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
      return {
        KeyId: key.arn,
        KeyPairSpec: input.KeyPairSpec,
        PublicKey: publicKey.export({ format: 'der', type: 'spki' }),
        PrivateKeyCiphertextBlob: seal(
          runtime,
          key,
          privateKey.export({ format: 'der', type: 'pkcs8' }),
          context,
        ),
      };
    }
    default:
      throw new AwsError('UnknownOperationException', `kms:${operation} is not emulated`);
  }
}

function allowed(runtime: Runtime, keyId: unknown, operation: string, input: any, caller: Caller): Resource {
  const key = runtime
    .resources('AWS::KMS::Key')
    .find(({ arn, ref }) => typeof keyId === 'string' && [arn, ref].includes(keyId));
  if (!key) throw new AwsError('NotFoundException', `Key '${keyId}' does not exist`);
  const context = Object.entries<string>(input.EncryptionContext ?? {}).map(
    ([name, value]): [string, string] => [`kms:EncryptionContext:${name}`, value],
  );
  runtime.iam.authorize(caller, `kms:${operation}`, key.arn, Object.fromEntries(context));
  return key;
}

/** The same for the same pairs, in whatever order they come. */
function contextOf(given: unknown): Buffer {
  const pairs = Object.entries((given ?? {}) as Record<string, string>).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(JSON.stringify(pairs));
}

function material({ db }: Runtime, { arn }: Resource): Uint8Array {
  db.prepare('INSERT OR IGNORE INTO kms_keys VALUES (?, ?)').run(arn, randomBytes(32));
  return db.prepare('SELECT material FROM kms_keys WHERE arn = ?').get(arn)!.material as Uint8Array;
}

function seal(runtime: Runtime, key: Resource, plaintext: Buffer, context: Buffer): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', material(runtime, key), nonce).setAAD(context);
  const content = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const name = Buffer.from(key.arn);
  return Buffer.concat([Buffer.from([name.length]), name, nonce, cipher.getAuthTag(), content]);
}

function opened(ciphertext: unknown): { arn: string; sealed: Buffer } {
  const bytes = Buffer.from(String(ciphertext ?? ''), 'base64');
  const length = bytes[0] ?? 0;
  if (bytes.length < 1 + length + 28) throw invalidCiphertext();
  return { arn: bytes.subarray(1, 1 + length).toString(), sealed: bytes.subarray(1 + length) };
}

function unseal(runtime: Runtime, key: Resource, sealed: Buffer, context: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', material(runtime, key), sealed.subarray(0, 12));
  decipher.setAAD(context).setAuthTag(sealed.subarray(12, 28));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]);
  } catch {
    throw invalidCiphertext();
  }
}

function invalidCiphertext(): AwsError {
  return new AwsError('InvalidCiphertextException', 'The ciphertext is damaged, or its context is another.');
}
