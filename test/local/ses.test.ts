import { describe, expect, test } from 'vitest';
import { createSecrets } from '../../local/secrets.ts';
import { createSes } from '../../local/ses.ts';
import { fakeRuntime, operator, resource } from './support/runtime.ts';

const role = { kind: 'role', roleArn: 'arn:aws:iam::111122223333:role/notify' } as const;
const identityArn = 'arn:aws:ses:eu-west-1:111122223333:identity/floodgate.example';
const setArn = 'arn:aws:ses:eu-west-1:111122223333:configuration-set/mail';

describe('e-mail', () => {
  function cloud() {
    const EmailIdentity = 'floodgate.example';
    const runtime = fakeRuntime({
      resources: [
        resource('AWS::SES::EmailIdentity', EmailIdentity, { EmailIdentity }, identityArn),
        resource('AWS::SES::ConfigurationSet', 'mail', {}, setArn),
      ],
    });
    return { runtime, ses: runtime.use(createSes) };
  }

  const mail = (more: object = {}) => ({
    FromEmailAddress: 'Floodgate <orders@floodgate.example>',
    Destination: { ToAddresses: ['Kim <Kim@example.com>'] },
    Content: {
      Simple: { Subject: { Data: '주문' }, Body: { Text: { Data: 'text' }, Html: { Data: '<p>html</p>' } } },
    },
    EmailTags: [{ Name: 'kind', Value: 'order-confirmed' }],
    ...more,
  });

  test('sent over REST is kept for its recipient, across a restart', async () => {
    const { runtime, ses } = cloud();
    const request = {
      method: 'POST',
      path: '/v2/email/outbound-emails',
      query: new URLSearchParams(),
      headers: {},
      body: Buffer.from(JSON.stringify(mail())),
    };
    const answer = await ses.handle!(request, role, ses.call);
    const { MessageId } = JSON.parse(String(answer.body));
    await ses.call('SendEmail', mail({ Destination: { ToAddresses: ['lee@example.com'] } }), role);
    const restarted = runtime.restart().use(createSes);
    expect((await restarted.call('ListMessages', {}, operator)).items).toHaveLength(2);
    expect(await restarted.call('ListMessages', { To: 'kim@example.com' }, operator)).toEqual({
      items: [
        {
          id: MessageId,
          channel: 'email',
          to: ['Kim <Kim@example.com>'],
          from: 'Floodgate <orders@floodgate.example>',
          subject: '주문',
          text: 'text',
          html: '<p>html</p>',
          at: '2026-11-22T00:00:00.000Z',
          tags: { kind: 'order-confirmed' },
        },
      ],
    });
  });

  test.each([
    ['another domain', { FromEmailAddress: 'a@elsewhere.example' }, 'MessageRejected'],
    ['a domain that only ends alike', { FromEmailAddress: 'a@notfloodgate.example' }, 'MessageRejected'],
    ['nobody', { Destination: {} }, 'BadRequestException'],
    ['an impossible address', { Destination: { ToAddresses: ['kim'] } }, 'BadRequestException'],
    ['raw content', { Content: { Raw: { Data: 'x' } } }, 'BadRequestException'],
    ['an unknown configuration set', { ConfigurationSetName: 'other' }, 'NotFoundException'],
  ])('from or to %s is refused', async (_case, more, code) => {
    const { ses } = cloud();
    await expect(ses.call('SendEmail', mail(more), role)).rejects.toMatchObject({ code });
    expect((await ses.call('ListMessages', {}, operator)).items).toEqual([]);
  });

  test('may come from a subdomain', async () => {
    const { ses } = cloud();
    await ses.call('SendEmail', mail({ FromEmailAddress: 'a@mail.floodgate.example' }), role);
  });

  test('needs ses:SendEmail on the identity and on the configuration set', async () => {
    for (const arn of [identityArn, setArn]) {
      const { runtime, ses } = cloud();
      runtime.denied.add(`ses:SendEmail ${arn}`);
      await expect(ses.call('SendEmail', mail({ ConfigurationSetName: 'mail' }), role)).rejects.toMatchObject(
        { code: 'AccessDeniedException' },
      );
    }
    const { ses } = cloud();
    await expect(ses.call('ListMessages', {}, role)).rejects.toMatchObject({ code: 'AccessDeniedException' });
  });
});

describe('a secret', () => {
  const arn = (name: string) => `arn:aws:secretsmanager:eu-west-1:111122223333:secret:${name}-abc123`;

  function cloud(properties: object) {
    const runtime = fakeRuntime({
      resources: [resource('AWS::SecretsManager::Secret', 'psp', properties, arn('psp'), arn('psp'))],
    });
    return { runtime, secrets: runtime.use(createSecrets) };
  }

  test('is generated once, as its options say, and kept', async () => {
    const { runtime, secrets } = cloud({
      Name: 'psp',
      GenerateSecretString: {
        SecretStringTemplate: '{"user":"floodgate"}',
        GenerateStringKey: 'key',
        PasswordLength: 40,
        ExcludePunctuation: true,
        ExcludeCharacters: 'aeiou',
      },
    });
    const read = await secrets.call('GetSecretValue', { SecretId: 'psp' }, role);
    expect(read).toMatchObject({ ARN: arn('psp'), Name: 'psp', VersionStages: ['AWSCURRENT'] });
    const { user, key } = JSON.parse(read.SecretString);
    expect(user).toBe('floodgate');
    expect(key).toMatch(/^[b-df-hj-np-tv-zA-Z0-9]{40}$/);
    expect(key).toMatch(/[a-z]/);
    expect(key).toMatch(/[A-Z]/);
    expect(key).toMatch(/\d/);
    const restarted = runtime.restart().use(createSecrets);
    expect(await restarted.call('GetSecretValue', { SecretId: arn('psp') }, role)).toEqual(read);
  });

  test('is the text of the template, and is not for everybody', async () => {
    const { runtime, secrets } = cloud({ SecretString: 'fixed' });
    const read = () => secrets.call('GetSecretValue', { SecretId: 'psp' }, role);
    expect((await read()).SecretString).toBe('fixed');
    runtime.denied.add(`secretsmanager:GetSecretValue ${arn('psp')}`);
    await expect(read()).rejects.toMatchObject({ code: 'AccessDeniedException' });
    await expect(secrets.call('GetSecretValue', { SecretId: 'other' }, role)).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
    });
  });
});
