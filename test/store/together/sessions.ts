import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Store } from '../../../bench/store.ts';
import { type Deployment, embeddedDeployment } from '../../../scripts/operate/deployment.ts';
import { runLever } from '../../../scripts/operate/run.ts';
import { shutAccount } from '../../../scripts/operate/shut-account.ts';
import { claimsIn } from '../support/tokens.ts';
import { sharedStore } from './shared-store.ts';

let store: Store;
let deployment: Deployment;
beforeAll(async () => {
  store = await sharedStore();
  deployment = await embeddedDeployment(store.apiUrl);
});
afterAll(async () => {
  deployment?.close();
});

interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
}

async function signUp(groups: readonly string[] = []) {
  const account = { email: `${randomUUID()}@example.com`, password: `Aa1-${randomUUID()}` };
  const { body } = await store.request('POST', '/_local/users', { json: { ...account, groups } });
  return { ...account, tokens: body as Tokens };
}

const cognito = (operation: string, input: object): Promise<any> =>
  store.cloud.runtime.call('cognito-idp', operation, input, { kind: 'operator' });

async function signIn({ email, password }: { email: string; password: string }): Promise<Tokens> {
  const { AuthenticationResult: result } = await cognito('AdminInitiateAuth', {
    UserPoolId: store.cloud.runtime.output('UserPoolId'),
    ClientId: store.cloud.runtime.output('UserPoolClientId'),
    AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
    AuthParameters: { USERNAME: email, PASSWORD: password },
  });
  return { accessToken: result.AccessToken, refreshToken: result.RefreshToken };
}

async function refreshed({ refreshToken }: Tokens): Promise<string> {
  const ClientId = store.cloud.runtime.output('UserPoolClientId');
  const { AuthenticationResult } = await cognito('GetTokensFromRefreshToken', {
    ClientId,
    RefreshToken: refreshToken,
  });
  return AuthenticationResult.AccessToken;
}

/** Functions look for what has ended every five seconds of their clock. */
const later = () => store.request('POST', '/_local/clock', { json: { advanceSeconds: 6 } });
const orders = async (token: string) => (await store.request('GET', '/v1/orders', { token })).status;
const signOut = async ({ accessToken: token }: Tokens, json: object) =>
  (await store.request('POST', '/v1/account/sign-out', { token, json })).status;

it('signing out ends the session of the tokens, and no other', async () => {
  const account = await signUp();
  const [phone, laptop] = [account.tokens, await signIn(account)];
  const renewed = await refreshed(phone);
  expect(await signOut(phone, { refreshToken: phone.refreshToken })).toBe(204);
  await later();
  expect(await orders(phone.accessToken)).toBe(401);
  expect(await orders(renewed)).toBe(401);
  await expect(refreshed(phone)).rejects.toMatchObject({ code: 'NotAuthorizedException' });
  expect(await orders(laptop.accessToken)).toBe(200);
  expect(await orders(await refreshed(laptop))).toBe(200);
});

it('signing out everywhere ends all sessions, and lets the account sign in again', async () => {
  const account = await signUp();
  const [phone, laptop] = [account.tokens, await signIn(account)];
  expect(await signOut(phone, { everywhere: true })).toBe(204);
  await later();
  for (const tokens of [phone, laptop]) {
    expect(await orders(tokens.accessToken)).toBe(401);
    await expect(refreshed(tokens)).rejects.toMatchObject({ code: 'NotAuthorizedException' });
  }
  expect(await orders((await signIn(account)).accessToken)).toBe(200);
  expect(await orders((await signUp()).tokens.accessToken)).toBe(200);
});

it.each([{}, { everywhere: false }, { refreshToken: '' }, { refreshToken: 'x', everywhere: true }])(
  'signing out must say what is to end: %j',
  async (json) => {
    const { tokens } = await signUp();
    expect(await signOut(tokens, json)).toBe(422);
    await later();
    expect(await orders(tokens.accessToken)).toBe(200);
  },
);

it('an account that is shut can do nothing with the tokens that it has', async () => {
  const account = await signUp(['operators']);
  const { accessToken } = account.tokens;
  const adminOrders = async () =>
    (await store.request('GET', '/v1/admin/orders', { token: accessToken })).status;
  const { sub } = claimsIn(accessToken.split('.')[1] ?? '');
  const pull = (...args: readonly string[]) =>
    runLever(
      deployment,
      ['shut-account', shutAccount],
      { args: [String(sub), ...args], go: true, reason: 'has left' },
      () => {},
    );
  expect(await adminOrders()).toBe(200);
  await pull();
  await later();
  expect(await adminOrders()).toBe(401);
  expect(await orders(accessToken)).toBe(401);
  await expect(signIn(account)).rejects.toMatchObject({ code: 'NotAuthorizedException' });

  const other = await signUp();
  await runLever(
    deployment,
    ['shut-account', shutAccount],
    {
      args: [String(claimsIn(other.tokens.accessToken.split('.')[1] ?? '').sub), '--delete'],
      go: true,
      reason: 'asked',
    },
    () => {},
  );
  await later();
  expect(await orders(other.tokens.accessToken)).toBe(401);
  await expect(signIn(other)).rejects.toMatchObject({ code: 'NotAuthorizedException' });
});
