import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createCognito } from '../../local/cognito.ts';
import { totp } from '../../local/totp.ts';
import type { AwsResponse } from '../../local/types.ts';
import { fakeRuntime, operator, resource } from './support/runtime.ts';

const poolId = 'eu-west-1_pool';
const callback = 'https://shop.example/signed-in';
const Username = 'ann@example.com';
const Password = 'Secret-123';

const app = {
  UserPoolId: poolId,
  ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'],
  PreventUserExistenceErrors: 'ENABLED',
  AllowedOAuthFlowsUserPoolClient: true,
  AllowedOAuthFlows: ['code'],
  AllowedOAuthScopes: ['openid', 'email', 'aws.cognito.signin.user.admin'],
  CallbackURLs: [callback, 'floodgate://signed-in'],
  LogoutURLs: ['https://shop.example/'],
  RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 30 },
};
const system = {
  UserPoolId: poolId,
  GenerateSecret: true,
  AllowedOAuthFlowsUserPoolClient: true,
  AllowedOAuthFlows: ['client_credentials'],
  AllowedOAuthScopes: ['floodgate/finance.read', 'floodgate/other'],
};

async function setUp() {
  const runtime = fakeRuntime({
    resources: [
      resource('AWS::Cognito::UserPool', poolId, { UsernameAttributes: ['email'] }),
      resource('AWS::Cognito::UserPoolClient', 'app', app),
      resource('AWS::Cognito::UserPoolClient', 'another', app),
      resource('AWS::Cognito::UserPoolClient', 'system', system),
    ],
  });
  const cognito = runtime.use(createCognito);
  const admin = (operation: string, input: object = {}): Promise<any> =>
    cognito.call(operation, { UserPoolId: poolId, Username, ...input }, operator);
  await admin('AdminCreateUser', { MessageAction: 'SUPPRESS' });
  await admin('AdminSetUserPassword', { Password, Permanent: true });

  const http = async (
    method: string,
    address: string,
    { form, headers = {} }: { form?: Record<string, string>; headers?: Record<string, string> } = {},
  ): Promise<AwsResponse & { json: any }> => {
    const { pathname: path, searchParams: query } = new URL(address, 'http://cognito');
    const response = await cognito.handle!(
      {
        method,
        path,
        query,
        headers: { ...(form && { 'content-type': 'application/x-www-form-urlencoded' }), ...headers },
        body: Buffer.from(form ? new URLSearchParams(form).toString() : ''),
      },
      { kind: 'service', service: 'anonymous', sourceArn: '' },
      cognito.call,
    );
    const isJson = response.headers?.['content-type']?.startsWith('application/json');
    return { ...response, json: isJson ? JSON.parse(String(response.body)) : undefined };
  };
  const token = (form: Record<string, string>, headers?: Record<string, string>) =>
    http('POST', '/oauth2/token', { form, ...(headers && { headers }) });
  const { UserPoolClient } = await admin('DescribeUserPoolClient', { ClientId: 'system' });
  return { runtime, cognito, admin, http, token, secret: UserPoolClient.ClientSecret as string };
}
type Server = Awaited<ReturnType<typeof setUp>>;

const verifier = randomBytes(32).toString('base64url');
const request = {
  client_id: 'app',
  response_type: 'code',
  redirect_uri: callback,
  scope: 'openid email',
  state: 'st&te',
  nonce: 'n-1',
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 'S256',
};
const asked = (changes: Record<string, string | undefined> = {}) =>
  new URLSearchParams(
    Object.entries({ ...request, ...changes }).filter(
      (pair): pair is [string, string] => pair[1] !== undefined,
    ),
  ).toString();

/** What a browser does: the page, its form with the cookie, and where that leads. */
async function browse({ http }: Server, typed: Record<string, string> = {}, query = asked()) {
  const shown = await http('GET', `/login?${query}`);
  const hidden = (body: unknown) => /name="_csrf" value="([^"]+)"/.exec(String(body))![1]!;
  const cookie = shown.headers!['set-cookie']!.split(';')[0]!;
  const form = { _csrf: hidden(shown.body), username: Username, password: Password, ...typed };
  return http('POST', `/login?${query}`, { form, headers: { cookie } });
}

async function codeFor(server: Server, query = asked()): Promise<string> {
  const { headers } = await browse(server, {}, query);
  return new URL(headers!.location!).searchParams.get('code')!;
}

const exchange = (code: string, changes: Record<string, string> = {}) => ({
  grant_type: 'authorization_code',
  client_id: 'app',
  code,
  redirect_uri: callback,
  code_verifier: verifier,
  ...changes,
});

const claimsOf = (jwt: string) => JSON.parse(Buffer.from(jwt.split('.')[1]!, 'base64url').toString());

test('an app sends the shopper to the page, and exchanges the code for tokens', async () => {
  const server = await setUp();
  const { status, headers } = await server.http('GET', `/oauth2/authorize?${asked()}`);
  expect([status, headers!.location]).toEqual([302, `/login?${asked()}`]);
  const { headers: back } = await browse(server);
  const address = new URL(back!.location!);
  expect([address.origin + address.pathname, address.searchParams.get('state')]).toEqual([callback, 'st&te']);

  const { json } = await server.token(exchange(address.searchParams.get('code')!));
  expect(json).toMatchObject({ token_type: 'Bearer', expires_in: 3_600, refresh_token: expect.any(String) });
  expect(claimsOf(json.access_token)).toMatchObject({
    client_id: 'app',
    scope: 'openid email',
    token_use: 'access',
  });
  expect(claimsOf(json.id_token)).toMatchObject({
    aud: 'app',
    nonce: 'n-1',
    email: Username,
    token_use: 'id',
  });

  const headersOf = (bearer: string) => ({ headers: { authorization: `Bearer ${bearer}` } });
  const info = await server.http('GET', '/oauth2/userInfo', headersOf(json.access_token));
  expect(info.json).toMatchObject({ sub: claimsOf(json.id_token).sub, email: Username });
  for (const bad of [json.id_token, 'abc', '']) {
    const refused = await server.http('GET', '/oauth2/userInfo', headersOf(bad));
    expect([refused.status, refused.json.error]).toEqual([401, 'invalid_token']);
  }
});

test('a code serves once, for five minutes, its own app, with its verifier and its address', async () => {
  const server = await setUp();
  const refused = async (form: Record<string, string>) => {
    const { status, json } = await server.token(form);
    return `${status} ${json.error}`;
  };
  const used = await codeFor(server);
  expect((await server.token(exchange(used))).status).toBe(200);
  expect(await refused(exchange(used))).toBe('400 invalid_grant');

  const late = await codeFor(server);
  await server.runtime.clock.advance(5 * 60_000 + 1);
  expect(await refused(exchange(late))).toBe('400 invalid_grant');

  for (const wrong of [
    { client_id: 'another' },
    { code_verifier: randomBytes(32).toString('base64url') },
    { redirect_uri: 'floodgate://signed-in' },
  ]) {
    const code = await codeFor(server);
    expect(await refused(exchange(code, wrong)), JSON.stringify(wrong)).toBe('400 invalid_grant');
    expect(await refused(exchange(code)), 'a code that was tried is used up').toBe('400 invalid_grant');
  }
  const { code_verifier: _, ...without } = exchange(await codeFor(server));
  expect(await refused(without)).toBe('400 invalid_grant');
  const { redirect_uri: __, ...nowhere } = exchange(await codeFor(server));
  expect(await refused(nowhere)).toBe('400 invalid_request');
});

test.each([
  ['no such client', { client_id: 'nobody' }, 'invalid_request'],
  ['a system’s client', { client_id: 'system' }, 'redirect_mismatch'],
  ['an address with one letter more', { redirect_uri: `${callback}/` }, 'redirect_mismatch'],
  ['an address below a known one', { redirect_uri: `${callback}/../elsewhere` }, 'redirect_mismatch'],
  ['no address', { redirect_uri: undefined }, 'redirect_mismatch'],
])('nobody is sent anywhere for %s', async (_, changes, error) => {
  const { http } = await setUp();
  for (const path of ['/oauth2/authorize', '/login']) {
    const { status, headers, body } = await http('GET', `${path}?${asked(changes)}`);
    expect([status, headers?.location, String(body).includes(error)]).toEqual([400, undefined, true]);
  }
});

test.each([
  ['tokens in the address', { response_type: 'token' }, 'unauthorized_client'],
  ['nothing in particular', { response_type: undefined }, 'invalid_request'],
  ['a scope that the client may not have', { scope: 'openid floodgate/finance.read' }, 'invalid_scope'],
  ['no proof of the app', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
  ['a proof in the clear', { code_challenge_method: 'plain' }, 'invalid_request'],
  ['a proof of no known kind', { code_challenge_method: undefined }, 'invalid_request'],
])('an app that asks for %s is told so at its own address', async (_, changes, error) => {
  const { http } = await setUp();
  const { status, headers } = await http('GET', `/oauth2/authorize?${asked(changes)}`);
  expect(status).toBe(302);
  const { origin, pathname, searchParams } = new URL(headers!.location!);
  expect([origin + pathname, searchParams.get('error'), searchParams.get('state')]).toEqual([
    callback,
    error,
    'st&te',
  ]);
});

test('the page takes no form that it did not send, and tells nothing of who exists', async () => {
  const server = await setUp();
  expect((await browse(server, { _csrf: 'forged' })).status).toBe(403);
  const wrong = await browse(server, { password: 'Wrong-1234' });
  const unknown = await browse(server, { username: 'nobody@example.com' });
  const said = ({ body }: AwsResponse) => /role="alert">([^<]+)/.exec(String(body))![1];
  expect([wrong.status, said(wrong)]).toEqual([400, 'Incorrect username or password.']);
  expect([unknown.status, said(unknown)]).toEqual([400, said(wrong)]);
  expect(wrong.headers!['content-security-policy']).toContain("frame-ancestors 'none'");
});

test('a browser that has signed in goes back at once, until it signs out', async () => {
  const server = await setUp();
  const { headers } = await browse(server);
  const cookie = headers!['set-cookie']!.split(';')[0]!;
  const again = () => server.http('GET', `/oauth2/authorize?${asked()}`, { headers: { cookie } });
  expect((await again()).headers!.location).toContain('code=');
  const out = (to: string) =>
    server.http('GET', `/logout?client_id=app&logout_uri=${encodeURIComponent(to)}`, { headers: { cookie } });
  expect((await out('https://elsewhere.example/')).status).toBe(400);
  expect((await again()).headers!.location).toContain('code=');
  expect((await out('https://shop.example/')).headers!.location).toBe('https://shop.example/');
  expect((await again()).headers!.location).toContain('/login?');
});

test('whoever has a second factor is asked for it on the page', async () => {
  const server = await setUp();
  const call = (operation: string, input: object): Promise<any> =>
    server.cognito.call(operation, input, { kind: 'service', service: 'anonymous', sourceArn: '' });
  const { AuthenticationResult: tokens } = await call('InitiateAuth', {
    ClientId: 'app',
    AuthFlow: 'USER_PASSWORD_AUTH',
    AuthParameters: { USERNAME: Username, PASSWORD: Password },
  });
  const { AccessToken } = tokens;
  const { SecretCode } = await call('AssociateSoftwareToken', { AccessToken });
  const code = () => totp(SecretCode, server.runtime.clock.now());
  await call('VerifySoftwareToken', { AccessToken, UserCode: code() });
  await call('SetUserMFAPreference', { AccessToken, SoftwareTokenMfaSettings: { Enabled: true } });

  const asks = await browse(server);
  expect([asks.status, asks.headers?.location]).toEqual([200, undefined]);
  const field = (name: string) => new RegExp(`name="${name}" value="([^"]+)"`).exec(String(asks.body))![1]!;
  const cookie = asks.headers!['set-cookie']!.split(';')[0]!;
  const answer = (typed: string) =>
    server.http('POST', `/login?${asked()}`, {
      form: { _csrf: field('_csrf'), session: field('session'), code: typed },
      headers: { cookie },
    });
  expect((await answer(code())).status, 'the code of the enrolment').toBe(400);
  await server.runtime.clock.advance(30_000);
  expect((await answer(code())).headers!.location).toContain('code=');
});

test('a refresh token serves once, with a grace for lost answers, and ends with its session', async () => {
  const server = await setUp();
  const { json: first } = await server.token(exchange(await codeFor(server)));
  const refresh = (refresh_token: string) =>
    server.token({ grant_type: 'refresh_token', client_id: 'app', refresh_token });
  const { json: second } = await refresh(first.refresh_token);
  expect(claimsOf(second.access_token).scope).toBe('openid email');
  expect(second.refresh_token).not.toBe(first.refresh_token);
  expect((await refresh(first.refresh_token)).status, 'within the grace').toBe(200);
  await server.runtime.clock.advance(31_000);
  expect((await refresh(first.refresh_token)).json).toEqual({ error: 'invalid_grant' });
  const { json: third } = await server.token({
    grant_type: 'refresh_token',
    client_id: 'app',
    refresh_token: 'x',
  });
  expect(third).toEqual({ error: 'invalid_grant' });
  const viaApi = await server.cognito.call(
    'GetTokensFromRefreshToken',
    { ClientId: 'app', RefreshToken: (await refreshed(server)).refresh_token },
    operator,
  );
  expect(viaApi.AuthenticationResult).toHaveProperty('RefreshToken');
});

async function refreshed(server: Server): Promise<{ refresh_token: string }> {
  return (await server.token(exchange(await codeFor(server)))).json;
}

test('a revoked refresh token ends the session; only refresh tokens are revoked', async () => {
  const server = await setUp();
  const { json: tokens } = await server.token(exchange(await codeFor(server)));
  const revoke = (token: string) =>
    server.http('POST', '/oauth2/revoke', { form: { client_id: 'app', token } });
  expect((await revoke(tokens.access_token)).json).toEqual({ error: 'unsupported_token_type' });
  expect((await revoke(tokens.refresh_token)).status).toBe(200);
  const again = await server.token({
    grant_type: 'refresh_token',
    client_id: 'app',
    refresh_token: tokens.refresh_token,
  });
  expect(again.json).toEqual({ error: 'invalid_grant' });
  const info = await server.http('GET', '/oauth2/userInfo', {
    headers: { authorization: `Bearer ${tokens.access_token}` },
  });
  expect(info.status).toBe(401);
});

test('a system gets a token of its own by its secret, for the scopes that it may have', async () => {
  const { token, secret, http } = await setUp();
  const basic = (id: string, key: string) => ({
    authorization: `Basic ${Buffer.from(`${id}:${key}`).toString('base64')}`,
  });
  const grant = { grant_type: 'client_credentials' };
  const { json } = await token({ ...grant, scope: 'floodgate/finance.read' }, basic('system', secret));
  expect(json).toEqual({ access_token: expect.any(String), expires_in: 3_600, token_type: 'Bearer' });
  const claims = claimsOf(json.access_token);
  expect(claims).toMatchObject({
    sub: 'system',
    client_id: 'system',
    scope: 'floodgate/finance.read',
    token_use: 'access',
  });
  expect(claims).not.toHaveProperty('username');
  const posted = await token({ ...grant, client_id: 'system', client_secret: secret });
  expect(claimsOf(posted.json.access_token).scope).toBe('floodgate/finance.read floodgate/other');

  const refused = async (form: Record<string, string>, headers?: Record<string, string>) =>
    (await token(form, headers)).json.error;
  expect(await refused(grant, basic('system', `${secret}x`))).toBe('invalid_client');
  expect(await refused(grant, basic('system', ''))).toBe('invalid_client');
  expect(await refused({ ...grant, client_id: 'system' })).toBe('invalid_client');
  expect(await refused({ ...grant, client_id: 'app' }, basic('system', secret))).toBe('invalid_client');
  expect(await refused({ ...grant, scope: 'floodgate/all' }, basic('system', secret))).toBe('invalid_scope');
  expect(await refused({ ...grant, client_id: 'app' })).toBe('unauthorized_client');
  expect(await refused({ grant_type: 'password', client_id: 'app' })).toBe('unsupported_grant_type');
  expect(await refused({ client_id: 'app' })).toBe('invalid_request');
  const info = await http('GET', '/oauth2/userInfo', {
    headers: { authorization: `Bearer ${json.access_token}` },
  });
  expect(info.status).toBe(401);
});

test('a system’s secret is replaced while both serve', async () => {
  const { admin, token, secret } = await setUp();
  const works = async (client_secret: string) =>
    (await token({ grant_type: 'client_credentials', client_id: 'system', client_secret })).status === 200;
  const { ClientSecretDescriptor: added } = await admin('AddUserPoolClientSecret', { ClientId: 'system' });
  expect([await works(secret), await works(added.ClientSecretValue)]).toEqual([true, true]);
  await expect(admin('AddUserPoolClientSecret', { ClientId: 'system' })).rejects.toMatchObject({
    code: 'LimitExceededException',
  });
  const { ClientSecrets } = await admin('ListUserPoolClientSecrets', { ClientId: 'system' });
  const old = ClientSecrets.find(({ ClientSecretId }: any) => ClientSecretId !== added.ClientSecretId);
  await admin('DeleteUserPoolClientSecret', { ClientId: 'system', ...old });
  expect([await works(secret), await works(added.ClientSecretValue)]).toEqual([false, true]);
  await expect(
    admin('DeleteUserPoolClientSecret', { ClientId: 'system', ClientSecretId: added.ClientSecretId }),
  ).rejects.toMatchObject({ code: 'InvalidParameterException' });
  await expect(admin('AddUserPoolClientSecret', { ClientId: 'app' })).rejects.toMatchObject({
    code: 'InvalidParameterException',
  });
});
