import { expect, test } from 'vitest';
import { createCognito } from '../../local/cognito.ts';
import { totp } from '../../local/totp.ts';
import { fakeRuntime, operator, resource } from './support/runtime.ts';

const poolId = 'eu-west-1_pool';
const triggerArn = 'arn:aws:lambda:eu-west-1:111122223333:function:name-groups';
const Username = 'ann@example.com';
const Password = 'Secret-123';

/** A pool whose function answers `groups` when it is asked. */
async function setUp(pool: object = {}) {
  const runtime = fakeRuntime({
    resources: [
      resource('AWS::Cognito::UserPool', poolId, { UsernameAttributes: ['email'], ...pool }, 'arn:pool'),
      resource('AWS::Cognito::UserPoolClient', 'client', {
        UserPoolId: poolId,
        ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
      }),
      resource('AWS::Cognito::UserPoolGroup', 'operators', { UserPoolId: poolId, GroupName: 'operators' }),
    ],
  });
  const cognito = runtime.use(createCognito);
  const call = (operation: string, input: object): Promise<any> =>
    cognito.call(
      operation,
      { ClientId: 'client', ...input },
      { kind: 'service', service: 'anonymous', sourceArn: '' },
    );
  const admin = (operation: string, input: object = {}): Promise<any> =>
    cognito.call(operation, { UserPoolId: poolId, Username, ...input }, operator);
  await admin('AdminCreateUser', { MessageAction: 'SUPPRESS' });
  await admin('AdminSetUserPassword', { Password, Permanent: true });
  await admin('AdminAddUserToGroup', { GroupName: 'operators' });
  const signIn = () =>
    call('InitiateAuth', {
      AuthFlow: 'USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME: Username, PASSWORD: Password },
    });
  const respond = (Session: string, code: string) =>
    call('RespondToAuthChallenge', {
      ChallengeName: 'SOFTWARE_TOKEN_MFA',
      Session,
      ChallengeResponses: { USERNAME: Username, SOFTWARE_TOKEN_MFA_CODE: code },
    });
  return { runtime, call, admin, signIn, respond };
}

async function enrolled() {
  const all = await setUp();
  const { AuthenticationResult: tokens } = await all.signIn();
  const { AccessToken } = tokens;
  const { SecretCode } = await all.call('AssociateSoftwareToken', { AccessToken });
  const code = () => totp(SecretCode, all.runtime.clock.now());
  return { ...all, AccessToken, code };
}

test('an authenticator app is asked for once it has been verified and preferred', async () => {
  const { call, admin, signIn, respond, AccessToken, code, runtime } = await enrolled();
  const prefer = () =>
    call('SetUserMFAPreference', {
      AccessToken,
      SoftwareTokenMfaSettings: { Enabled: true, PreferredMfa: true },
    });
  await expect(prefer()).rejects.toMatchObject({ code: 'InvalidParameterException' });
  const wrong = code() === '000000' ? '000001' : '000000';
  await expect(call('VerifySoftwareToken', { AccessToken, UserCode: wrong })).rejects.toMatchObject({
    code: 'EnableSoftwareTokenMFAException',
  });
  expect(await call('VerifySoftwareToken', { AccessToken, UserCode: code() })).toEqual({ Status: 'SUCCESS' });
  expect(await signIn()).toHaveProperty('AuthenticationResult');
  await prefer();
  expect(await admin('AdminGetUser')).toMatchObject({ UserMFASettingList: ['SOFTWARE_TOKEN_MFA'] });

  const { ChallengeName, Session, AuthenticationResult } = await signIn();
  expect([ChallengeName, AuthenticationResult]).toEqual(['SOFTWARE_TOKEN_MFA', undefined]);
  await expect(respond(Session, wrong)).rejects.toMatchObject({ code: 'CodeMismatchException' });
  await expect(respond(Session, code())).rejects.toMatchObject({
    code: 'ExpiredCodeException',
    message: 'Your software token has already been used once.',
  });
  await runtime.clock.advance(30_000);
  expect(await respond(Session, code())).toHaveProperty('AuthenticationResult.AccessToken');
  await runtime.clock.advance(30_000);
  await expect(respond(Session, code())).rejects.toMatchObject({ code: 'NotAuthorizedException' });
});

test('the challenge lasts three minutes, and belongs to its client', async () => {
  const { call, signIn, respond, AccessToken, code, runtime } = await enrolled();
  await call('VerifySoftwareToken', { AccessToken, UserCode: code() });
  await call('SetUserMFAPreference', { AccessToken, SoftwareTokenMfaSettings: { Enabled: true } });
  const { Session } = await signIn();
  await runtime.clock.advance(3 * 60_000 + 1);
  await expect(respond(Session, code())).rejects.toMatchObject({ code: 'NotAuthorizedException' });
});

test('the pool’s function decides which groups the tokens name, and without it there are none', async () => {
  const { runtime, signIn, call } = await setUp({
    LambdaConfig: { PreTokenGenerationConfig: { LambdaArn: triggerArn, LambdaVersion: 'V2_0' } },
  });
  const seen: any[] = [];
  let groups: string[] | null | undefined = ['operators'];
  runtime.answer('lambda', (_operation, input, caller) => {
    seen.push({ ...input, caller });
    const groupOverrideDetails = groups === null ? null : { groupsToOverride: groups };
    return {
      StatusCode: 200,
      Payload: { response: { claimsAndScopeOverrideDetails: { groupOverrideDetails } } },
    };
  });
  const groupsIn = async (answer: Promise<any>) => {
    const { AuthenticationResult } = await answer;
    const claims = JSON.parse(
      Buffer.from(AuthenticationResult.AccessToken.split('.')[1], 'base64url').toString(),
    );
    return { named: claims['cognito:groups'], refresh: AuthenticationResult.RefreshToken };
  };
  const { named, refresh } = await groupsIn(signIn());
  expect(named).toEqual(['operators']);
  expect(seen[0]).toMatchObject({
    FunctionName: triggerArn,
    caller: { kind: 'service', service: 'cognito-idp.amazonaws.com', sourceArn: 'arn:pool' },
    Payload: {
      version: '2',
      triggerSource: 'TokenGeneration_Authentication',
      request: { groupConfiguration: { groupsToOverride: ['operators'] } },
    },
  });
  groups = null;
  expect((await groupsIn(signIn())).named).toBeUndefined();
  groups = [];
  const again = call('InitiateAuth', {
    AuthFlow: 'REFRESH_TOKEN_AUTH',
    AuthParameters: { REFRESH_TOKEN: refresh },
  });
  expect((await groupsIn(again)).named).toBeUndefined();
  expect(seen.at(-1).Payload.triggerSource).toBe('TokenGeneration_RefreshTokens');

  runtime.answer('lambda', () => ({ StatusCode: 200, FunctionError: 'Unhandled', Payload: {} }));
  await expect(signIn()).rejects.toMatchObject({ code: 'UserLambdaValidationException' });
  runtime.answer('lambda', () => {
    throw new Error('denied');
  });
  await expect(signIn()).rejects.toMatchObject({ code: 'UnexpectedLambdaException' });
});

test('a forgotten password is replaced, and the second factor is asked for all the same', async () => {
  const { call, admin, signIn, AccessToken, code, runtime } = await enrolled();
  await call('VerifySoftwareToken', { AccessToken, UserCode: code() });
  await call('SetUserMFAPreference', { AccessToken, SoftwareTokenMfaSettings: { Enabled: true } });
  await admin('AdminUpdateUserAttributes', { UserAttributes: [{ Name: 'email_verified', Value: 'true' }] });
  const mails: string[] = [];
  runtime.answer('ses', (_, input) => {
    mails.push(input.Content.Simple.Body.Text.Data);
  });
  await call('ForgotPassword', { Username });
  const ConfirmationCode = /\d{6}/.exec(mails[0]!)![0];
  await call('ConfirmForgotPassword', { Username, ConfirmationCode, Password });
  expect(await signIn()).toMatchObject({ ChallengeName: 'SOFTWARE_TOKEN_MFA' });
});

test('an operator gives up a lost app for its owner, who then signs in with the password alone', async () => {
  const { call, admin, signIn, AccessToken, code } = await enrolled();
  await call('VerifySoftwareToken', { AccessToken, UserCode: code() });
  await call('SetUserMFAPreference', { AccessToken, SoftwareTokenMfaSettings: { Enabled: true } });
  await admin('AdminSetUserMFAPreference', { SoftwareTokenMfaSettings: { Enabled: false } });
  expect(await signIn()).toHaveProperty('AuthenticationResult');
});
