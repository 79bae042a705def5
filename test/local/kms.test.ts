import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createKms } from '../../local/kms.ts';
import { fakeRuntime, resource } from './support/runtime.ts';

const keyArn = 'arn:aws:kms:eu-west-1:111122223333:key/k';
const otherArn = 'arn:aws:kms:eu-west-1:111122223333:key/other';
const role = { kind: 'role', roleArn: 'arn:aws:iam::111122223333:role/signer' } as const;

function cloud() {
  const runtime = fakeRuntime({
    resources: [resource('AWS::KMS::Key', 'k', {}, keyArn), resource('AWS::KMS::Key', 'other', {}, otherArn)],
  });
  const kms = runtime.use(createKms);
  return { runtime, call: (operation: string, input: object) => kms.call(operation, input, role) };
}

const text = (value: string) => Buffer.from(value).toString('base64');
const wire = (bytes: Buffer) => bytes.toString('base64');

describe('keys', () => {
  it('decrypt what they encrypted, in the same context only, also after a restart', async () => {
    const { runtime, call } = cloud();
    const EncryptionContext = { drop: 'A', stage: 'test' };
    const { CiphertextBlob } = await call('Encrypt', {
      KeyId: keyArn,
      Plaintext: text('secret'),
      EncryptionContext,
    });
    const sealed = { CiphertextBlob: wire(CiphertextBlob) };
    const turned = { stage: 'test', drop: 'A' };
    const { Plaintext, KeyId } = await call('Decrypt', { ...sealed, EncryptionContext: turned });
    expect(Plaintext.toString()).toBe('secret');
    expect(KeyId).toBe(keyArn);
    for (const other of [undefined, { drop: 'B', stage: 'test' }]) {
      const input = { ...sealed, EncryptionContext: other };
      await expect(call('Decrypt', input)).rejects.toMatchObject({ code: 'InvalidCiphertextException' });
    }
    await expect(call('Decrypt', { ...sealed, KeyId: otherArn, EncryptionContext })).rejects.toMatchObject({
      code: 'IncorrectKeyException',
    });
    const again = runtime.restart().use(createKms);
    const answer = await again.call('Decrypt', { ...sealed, EncryptionContext }, role);
    expect(answer.Plaintext.toString()).toBe('secret');
  });

  it('refuse ciphertext that was changed, and what they do not know', async () => {
    const { call } = cloud();
    const { CiphertextBlob } = await call('Encrypt', { KeyId: keyArn, Plaintext: text('secret') });
    CiphertextBlob[CiphertextBlob.length - 1] ^= 1;
    await expect(call('Decrypt', { CiphertextBlob: wire(CiphertextBlob) })).rejects.toMatchObject({
      code: 'InvalidCiphertextException',
    });
    await expect(call('Encrypt', { KeyId: 'nothing', Plaintext: text('x') })).rejects.toMatchObject({
      code: 'NotFoundException',
    });
    await expect(call('ScheduleKeyDeletion', { KeyId: keyArn })).rejects.toMatchObject({
      code: 'UnknownOperationException',
    });
  });

  it('make pairs whose private half is handed out only wrapped', async () => {
    const { call } = cloud();
    const pair = await call('GenerateDataKeyPairWithoutPlaintext', {
      KeyId: keyArn,
      KeyPairSpec: 'ECC_NIST_P256',
    });
    expect(Object.keys(pair)).not.toContain('PrivateKeyPlaintext');
    const { Plaintext } = await call('Decrypt', { CiphertextBlob: wire(pair.PrivateKeyCiphertextBlob) });
    const privateKey = createPrivateKey({ key: Plaintext, format: 'der', type: 'pkcs8' });
    const publicKey = createPublicKey({ key: pair.PublicKey, format: 'der', type: 'spki' });
    const signature = sign('sha256', Buffer.from('words'), privateKey);
    expect(verify('sha256', Buffer.from('words'), publicKey, signature)).toBe(true);
  });

  it('are used by nobody who was not given the right', async () => {
    const { runtime, call } = cloud();
    runtime.revoked.add(role.roleArn);
    await expect(call('Encrypt', { KeyId: keyArn, Plaintext: text('x') })).rejects.toMatchObject({
      code: 'AccessDeniedException',
    });
  });
});
