import { createPublicKey } from 'node:crypto';
import { JwtVerifier } from 'aws-jwt-verify';
import { expect, test } from 'vitest';
import { createCognito } from '../../local/cognito.ts';
import { verifyJwt } from '../../local/jwt.ts';
import { type FakeRuntime, fakeRuntime, operator, resource } from './support/runtime.ts';

const poolId = 'eu-west-1_pool';
const poolArn = `arn:aws:cognito-idp:eu-west-1:111122223333:userpool/${poolId}`;
const issuer = `https://cognito-idp.eu-west-1.amazonaws.com/${poolId}`;
const Username = 'ann@example.com';
const Password = 'Secret-123';

function setUp(client: object = {}, pool: object = {}, compromised?: object) {
  const runtime = fakeRuntime({
    resources: [
      resource(
        'AWS::Cognito::UserPool',
        poolId,
        {
          UsernameAttributes: ['email'],
          AutoVerifiedAttributes: ['email'],
          Policies: {
            PasswordPolicy: {
              MinimumLength: 10,
              RequireLowercase: true,
              RequireUppercase: true,
              RequireNumbers: true,
              RequireSymbols: true,
            },
          },
          ...pool,
        },
        poolArn,
      ),
      resource('AWS::Cognito::UserPoolClient', 'client', {
        UserPoolId: poolId,
        ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'],
        PreventUserExistenceErrors: 'ENABLED',
        AccessTokenValidity: 30,
        TokenValidityUnits: { AccessToken: 'minutes' },
        ...client,
      }),
      resource('AWS::Cognito::UserPoolGroup', 'operators', { UserPoolId: poolId, GroupName: 'operators' }),
      resource('AWS::Cognito::UserPoolRiskConfigurationAttachment', 'risks', {
        UserPoolId: poolId,
        ClientId: 'ALL',
        CompromisedCredentialsRiskConfiguration: compromised,
      }),
    ],
  });
  const mails: { to: string; text: string; caller: object }[] = [];
  runtime.answer('ses', (operation, input, caller) => {
    expect(operation).toBe('SendEmail');
    mails.push({ to: input.Destination.ToAddresses[0], text: input.Content.Simple.Body.Text.Data, caller });
  });
  return { ...open(runtime), runtime, mails, code: () => /\d{6}/.exec(mails.at(-1)!.text)![0] };
}

/** The pool's operations, as a client and as the operator. */
function open(runtime: FakeRuntime) {
  const cognito = runtime.use(createCognito);
  const call = (operation: string, input: object): Promise<any> =>
    cognito.call(
      operation,
      { ClientId: 'client', ...input },
      { kind: 'service', service: 'anonymous', sourceArn: '' },
    );
  const admin = (operation: string, input: object): Promise<any> =>
    cognito.call(operation, { UserPoolId: poolId, Username, ...input }, operator);
  const signIn = (password = Password, name = Username) =>
    call('InitiateAuth', {
      AuthFlow: 'USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME: name, PASSWORD: password },
    });
  return { cognito, call, admin, signIn };
}

async function confirmed(client: object = {}, pool: object = {}) {
  const all = setUp(client, pool);
  await all.admin('AdminCreateUser', { MessageAction: 'SUPPRESS' });
  await all.admin('AdminSetUserPassword', { Password, Permanent: true });
  const { AuthenticationResult: tokens } = await all.signIn();
  return { ...all, tokens };
}

function claimsOf(token: string): Record<string, any> {
  return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());
}

test('a shopper signs up, confirms with the code from the e-mail, and signs in', async () => {
  const { call, signIn, mails, code, runtime } = setUp();
  const { UserSub, UserConfirmed, CodeDeliveryDetails } = await call('SignUp', { Username, Password });
  expect([UserConfirmed, CodeDeliveryDetails.Destination]).toEqual([false, 'a***@e***']);
  expect(mails).toMatchObject([
    { to: Username, caller: { kind: 'service', service: 'cognito-idp.amazonaws.com', sourceArn: poolArn } },
  ]);
  await expect(signIn()).rejects.toMatchObject({ code: 'UserNotConfirmedException' });
  const wrong = code() === '000000' ? '000001' : '000000';
  await expect(call('ConfirmSignUp', { Username, ConfirmationCode: wrong })).rejects.toMatchObject({
    code: 'CodeMismatchException',
  });
  await call('ConfirmSignUp', { Username: 'ANN@example.com', ConfirmationCode: code() });
  const { AuthenticationResult: tokens } = await signIn();
  const now = runtime.clock.now() / 1000;
  expect(claimsOf(tokens.AccessToken)).toEqual({
    sub: UserSub,
    iss: issuer,
    client_id: 'client',
    origin_jti: expect.any(String),
    event_id: expect.any(String),
    token_use: 'access',
    scope: 'aws.cognito.signin.user.admin',
    auth_time: now,
    iat: now,
    exp: now + 1800,
    jti: expect.any(String),
    username: UserSub,
  });
  expect(claimsOf(tokens.IdToken)).toMatchObject({
    sub: UserSub,
    aud: 'client',
    email: Username,
    email_verified: true,
    'cognito:username': UserSub,
    token_use: 'id',
    exp: now + 3600,
  });
  expect(tokens).toMatchObject({ ExpiresIn: 1800, TokenType: 'Bearer', RefreshToken: expect.any(String) });
});

test.each([
  ['short', 'A1b!'],
  ['without digit', 'Abcdefghi!'],
  ['without capital', 'abcdefgh1!'],
  ['without small letter', 'ABCDEFGH1!'],
  ['without symbol', 'Abcdefgh12'],
])('a password %s is refused', async (_what, bad) => {
  const { call } = setUp();
  await expect(call('SignUp', { Username, Password: bad })).rejects.toMatchObject({
    code: 'InvalidPasswordException',
  });
});

test.each([
  ['one over and over', 'Qwerty1!Qwerty1!'],
  ['a walk along the keyboard', 'QWERTYUIOPASDFGHJKL'],
])('a password that anybody would think of, %s, is refused where threat protection is on', async (_, bad) => {
  const protectedPool = {
    Policies: { PasswordPolicy: { MinimumLength: 15 } },
    UserPoolAddOns: { AdvancedSecurityMode: 'ENFORCED' },
  };
  const on = setUp({}, protectedPool, { Actions: { EventAction: 'BLOCK' } });
  const refused = {
    code: 'InvalidPasswordException',
    message: 'Provided password cannot be used for security reasons.',
  };
  await expect(on.call('SignUp', { Username, Password: bad })).rejects.toMatchObject(refused);
  await on.call('SignUp', { Username, Password: 'correct horse battery' });
  await on.call('ConfirmSignUp', { Username, ConfirmationCode: on.code() });
  await on.call('ForgotPassword', { Username });
  const forgotten = { Username, ConfirmationCode: on.code(), Password: bad };
  await expect(on.call('ConfirmForgotPassword', forgotten)).rejects.toMatchObject(refused);

  for (const [pool, risk] of [
    [{ ...protectedPool, UserPoolAddOns: undefined }, { Actions: { EventAction: 'BLOCK' } }],
    [protectedPool, { Actions: { EventAction: 'NO_ACTION' } }],
    [protectedPool, { Actions: { EventAction: 'BLOCK' }, EventFilter: ['SIGN_IN'] }],
  ]) {
    await setUp({}, pool, risk).call('SignUp', { Username, Password: bad });
  }
});

test('an address can have one account only, however many sign up at once', async () => {
  const { call } = setUp();
  const names = [Username, Username.toUpperCase(), Username];
  const results = await Promise.allSettled(names.map((name) => call('SignUp', { Username: name, Password })));
  const refused = results.filter((result) => result.status === 'rejected');
  expect(refused.map(({ reason }) => reason.code)).toEqual([
    'UsernameExistsException',
    'UsernameExistsException',
  ]);
});

test('a sign-up code is good for a day', async () => {
  const { call, code, runtime } = setUp();
  await call('SignUp', { Username, Password });
  const first = code();
  await runtime.clock.advance(24 * 3_600_000 + 1);
  await expect(call('ConfirmSignUp', { Username, ConfirmationCode: first })).rejects.toMatchObject({
    code: 'ExpiredCodeException',
  });
  await call('ResendConfirmationCode', { Username });
  await expect(call('ConfirmSignUp', { Username, ConfirmationCode: code() })).resolves.toEqual({});
});

test('whether an account exists is hidden where the client says so', async () => {
  const hiding = setUp();
  await expect(hiding.signIn()).rejects.toMatchObject({ code: 'NotAuthorizedException' });
  await expect(hiding.call('ForgotPassword', { Username })).resolves.toHaveProperty('CodeDeliveryDetails');
  expect(hiding.mails).toEqual([]);
  const telling = setUp({ PreventUserExistenceErrors: 'LEGACY' });
  await expect(telling.signIn()).rejects.toMatchObject({ code: 'UserNotFoundException' });
});

test('a forgotten password is replaced with a code', async () => {
  const { call, code, signIn, admin } = setUp();
  await admin('AdminCreateUser', { MessageAction: 'SUPPRESS' });
  await admin('AdminSetUserPassword', { Password, Permanent: true });
  await expect(call('ForgotPassword', { Username })).rejects.toMatchObject({
    code: 'InvalidParameterException',
  });
  await admin('AdminUpdateUserAttributes', { UserAttributes: [{ Name: 'email_verified', Value: 'true' }] });
  await call('ForgotPassword', { Username });
  const next = { Username, ConfirmationCode: code(), Password: 'Another-456' };
  await call('ConfirmForgotPassword', next);
  await expect(signIn()).rejects.toMatchObject({ code: 'NotAuthorizedException' });
  await expect(signIn('Another-456')).resolves.toHaveProperty('AuthenticationResult');
  await expect(call('ConfirmForgotPassword', next)).rejects.toMatchObject({ code: 'ExpiredCodeException' });
});

test('a password is changed with the old one, and counts letter by letter', async () => {
  const { call, signIn, tokens } = await confirmed();
  const { AccessToken } = tokens;
  const ProposedPassword = '  Spaces Are Kept-1  ';
  const change = (PreviousPassword: string) =>
    call('ChangePassword', { AccessToken, PreviousPassword, ProposedPassword });
  await expect(change('Wrong-1234')).rejects.toMatchObject({ code: 'NotAuthorizedException' });
  await change(Password);
  for (const other of [
    Password,
    ProposedPassword.trim(),
    ProposedPassword.toLowerCase(),
    ProposedPassword.slice(0, -1),
  ]) {
    await expect(signIn(other), other).rejects.toMatchObject({ code: 'NotAuthorizedException' });
  }
  expect(await signIn(ProposedPassword)).toHaveProperty('AuthenticationResult');
});

test('a user with a temporary password must choose another', async () => {
  const { call, admin, signIn, mails } = setUp();
  await admin('AdminCreateUser', { TemporaryPassword: 'Temporary-1' });
  expect(mails[0]!.text).toContain('Temporary-1');
  const { ChallengeName, Session } = await signIn('Temporary-1');
  expect(ChallengeName).toBe('NEW_PASSWORD_REQUIRED');
  const respond = (NEW_PASSWORD: string) =>
    call('RespondToAuthChallenge', {
      ChallengeName,
      Session,
      ChallengeResponses: { USERNAME: Username, NEW_PASSWORD },
    });
  await expect(respond('weak')).rejects.toMatchObject({ code: 'InvalidPasswordException' });
  await expect(respond(Password)).resolves.toHaveProperty('AuthenticationResult');
  await expect(respond(Password)).rejects.toMatchObject({ code: 'NotAuthorizedException' });
  await expect(signIn()).resolves.toHaveProperty('AuthenticationResult');
});

test('refreshing gives new tokens of the same session, until it is revoked or expires', async () => {
  const { call, tokens, runtime, signIn } = await confirmed();
  const refresh = (REFRESH_TOKEN: string) =>
    call('InitiateAuth', { AuthFlow: 'REFRESH_TOKEN_AUTH', AuthParameters: { REFRESH_TOKEN } });
  await runtime.clock.advance(60_000);
  const { AuthenticationResult: fresh } = await refresh(tokens.RefreshToken);
  expect(fresh).not.toHaveProperty('RefreshToken');
  const [before, after] = [claimsOf(tokens.AccessToken), claimsOf(fresh.AccessToken)];
  expect(after).toMatchObject({
    origin_jti: before.origin_jti,
    auth_time: before.auth_time,
    exp: before.exp + 60,
  });

  await call('RevokeToken', { Token: tokens.RefreshToken });
  await expect(refresh(tokens.RefreshToken)).rejects.toMatchObject({ code: 'NotAuthorizedException' });
  await expect(call('GetUser', { AccessToken: fresh.AccessToken })).rejects.toMatchObject({
    message: 'Access Token has been revoked',
  });
  const { AuthenticationResult: again } = await signIn();
  await runtime.clock.advance(30 * 86_400_000);
  await expect(refresh(again.RefreshToken)).rejects.toMatchObject({ code: 'NotAuthorizedException' });
});

test('an access token reads, changes and deletes its own account; an ID token does not', async () => {
  const { call, tokens, mails, code } = await confirmed();
  const { AccessToken, IdToken } = tokens;
  const attributes = async () => {
    const { UserAttributes } = await call('GetUser', { AccessToken });
    return Object.fromEntries(UserAttributes.map(({ Name, Value }: any) => [Name, Value]));
  };
  await expect(call('GetUser', { AccessToken: IdToken })).rejects.toMatchObject({
    code: 'NotAuthorizedException',
  });
  await call('UpdateUserAttributes', {
    AccessToken,
    UserAttributes: [
      { Name: 'name', Value: 'Ann' },
      { Name: 'email', Value: 'new@example.com' },
    ],
  });
  expect(await attributes()).toMatchObject({
    name: 'Ann',
    email: 'new@example.com',
    email_verified: 'false',
  });
  expect(mails.at(-1)!.to).toBe('new@example.com');
  await call('VerifyUserAttribute', { AccessToken, AttributeName: 'email', Code: code() });
  expect(await attributes()).toMatchObject({ email_verified: 'true' });
  await expect(
    call('UpdateUserAttributes', {
      AccessToken,
      UserAttributes: [{ Name: 'email_verified', Value: 'true' }],
    }),
  ).rejects.toMatchObject({ code: 'NotAuthorizedException' });
  await call('DeleteUser', { AccessToken });
  await expect(call('GetUser', { AccessToken })).rejects.toMatchObject({ code: 'NotAuthorizedException' });
});

test('where the pool says so, the old address stays until the new one is proved', async () => {
  const { call, tokens, mails, code, signIn } = await confirmed(
    {},
    { UserAttributeUpdateSettings: { AttributesRequireVerificationBeforeUpdate: ['email'] } },
  );
  const { AccessToken } = tokens;
  await call('UpdateUserAttributes', {
    AccessToken,
    UserAttributes: [{ Name: 'email', Value: 'new@example.com' }],
  });
  expect(mails.at(-1)!.to).toBe('new@example.com');
  await expect(signIn()).resolves.toHaveProperty('AuthenticationResult');
  await expect(signIn(Password, 'new@example.com')).rejects.toMatchObject({ code: 'NotAuthorizedException' });
  await call('VerifyUserAttribute', { AccessToken, AttributeName: 'email', Code: code() });
  await expect(signIn(Password, 'new@example.com')).resolves.toHaveProperty('AuthenticationResult');
  await expect(signIn()).rejects.toMatchObject({ code: 'NotAuthorizedException' });
});

test('signing out everywhere, and disabling an account, end its sessions', async () => {
  const { call, admin, tokens, signIn } = await confirmed();
  await call('GlobalSignOut', { AccessToken: tokens.AccessToken });
  await expect(call('GetUser', { AccessToken: tokens.AccessToken })).rejects.toMatchObject({
    code: 'NotAuthorizedException',
  });
  const { AuthenticationResult: next } = await signIn();
  await admin('AdminDisableUser', {});
  await expect(signIn()).rejects.toMatchObject({ message: 'User is disabled.' });
  await expect(call('GetUser', { AccessToken: next.AccessToken })).rejects.toMatchObject({
    code: 'NotAuthorizedException',
  });
});

test('groups of the template reach the tokens; others do not exist', async () => {
  const { admin, signIn } = await confirmed();
  await admin('AdminAddUserToGroup', { GroupName: 'operators' });
  await expect(admin('AdminAddUserToGroup', { GroupName: 'emperors' })).rejects.toMatchObject({
    code: 'ResourceNotFoundException',
  });
  const { AuthenticationResult: tokens } = await signIn();
  expect(claimsOf(tokens.AccessToken)['cognito:groups']).toEqual(['operators']);
  expect(claimsOf(tokens.IdToken)['cognito:groups']).toEqual(['operators']);
  await admin('AdminRemoveUserFromGroup', { GroupName: 'operators' });
  const { AuthenticationResult: without } = await signIn();
  expect(claimsOf(without.AccessToken)).not.toHaveProperty('cognito:groups');
});

test('users are found and listed by attribute', async () => {
  const { admin } = await confirmed();
  await admin('AdminCreateUser', { Username: 'bob@example.com', MessageAction: 'SUPPRESS' });
  const emails = async (Filter?: string) => {
    const { Users } = await admin('ListUsers', { Filter });
    return Users.map(({ Attributes }: any) => Attributes.find(({ Name }: any) => Name === 'email').Value);
  };
  expect((await emails()).toSorted()).toEqual([Username, 'bob@example.com']);
  expect(await emails('email = "bob@example.com"')).toEqual(['bob@example.com']);
  expect(await emails('email ^= "ann"')).toEqual([Username]);
  expect((await admin('AdminGetUser', {})).UserStatus).toBe('CONFIRMED');
});

test('flows that the client does not allow, and those that are not emulated, are refused', async () => {
  const { call } = await confirmed();
  await expect(call('InitiateAuth', { AuthFlow: 'CUSTOM_AUTH' })).rejects.toMatchObject({
    message: 'CUSTOM_AUTH is not emulated',
  });
  const { signIn } = setUp({ ExplicitAuthFlows: ['ALLOW_REFRESH_TOKEN_AUTH'] });
  await expect(signIn()).rejects.toMatchObject({
    message: 'USER_PASSWORD_AUTH flow not enabled for this client',
  });
});

test('administration takes a permission on the pool', async () => {
  const { cognito, runtime } = setUp();
  runtime.denied.add(`cognito-idp:AdminGetUser ${poolArn}`);
  const caller = { kind: 'role', roleArn: 'arn:aws:iam::111122223333:role/other' } as const;
  await expect(cognito.call('AdminGetUser', { UserPoolId: poolId, Username }, caller)).rejects.toMatchObject({
    code: 'AccessDeniedException',
  });
});

test("tokens verify with aws-jwt-verify against the pool's JWKS document", async () => {
  const { cognito, tokens } = await confirmed();
  const get = async (document: string) => {
    const path = `/${poolId}/.well-known/${document}`;
    const request = { method: 'GET', path, query: new URLSearchParams(), headers: {}, body: Buffer.alloc(0) };
    return JSON.parse(String((await cognito.handle!(request, operator, cognito.call)).body));
  };
  const jwks = await get('jwks.json');
  expect(await get('openid-configuration')).toMatchObject({
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
  });
  // The claims' times are those of the manual clock; a day of grace covers any real date of this test.
  const century = 100 * 365 * 86_400;
  const verifier = JwtVerifier.create({ issuer, audience: null, graceSeconds: century });
  verifier.cacheJwks(jwks);
  expect(verifier.verifySync(tokens.AccessToken)).toMatchObject({ token_use: 'access' });
});

test('keys and accounts survive a restart', async () => {
  const { runtime, tokens } = await confirmed();
  const again = open(runtime.restart());
  await expect(again.signIn()).resolves.toHaveProperty('AuthenticationResult');
  const { keys } = await again.call('GetJwks', { UserPoolId: poolId });
  expect(verifyJwt(tokens.AccessToken, () => createPublicKey({ key: keys[0], format: 'jwk' }))).toBeDefined();
});
