import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../../bench/store.ts';
import { notFound } from '../../../functions/health/contract.ts';
import { totp } from '../../../local/totp.ts';
import { signInBySrp } from '../../../scripts/account/srp.ts';
import { answered, promised, setCallers } from '../support/access-matrix.ts';
import { inWords, read } from '../support/answers.ts';
import { publicRoutes } from '../support/public-routes.ts';
import { rows } from '../support/route-samples.ts';
import { sharedStore } from './shared-store.ts';

let store: Store | undefined;
let callersOf: Awaited<ReturnType<typeof setCallers>>;

beforeAll(async () => {
  store = await sharedStore();
  callersOf = await setCallers(store);
});

describe('the table of requests', () => {
  it('has a row for every route of every contract, and no other', () => {
    expect(publicRoutes.length).toBeGreaterThan(20);
    expect(Object.keys(rows).sort()).toEqual(publicRoutes.map(({ id }) => id).sort());
  });

  it('asks for what is a shopper’s wherever a shopper names a thing by its path', () => {
    // A drop and a SKU are everybody's.
    const own = (params: object) => Object.keys(params).some((name) => name !== 'dropId' && name !== 'sku');
    const named = publicRoutes.filter(
      ({ audience, params }) =>
        params && own(params.shape) && (audience === 'shopper' || audience === 'guest'),
    );
    expect(named.length).toBeGreaterThan(5);
    const owned = Object.entries(rows).flatMap(([id, row]) => (row.owned ? [id] : []));
    expect(owned).toEqual(expect.arrayContaining(named.map(({ id }) => id)));
  });
});

describe('every route lets in whom its contract names, and nobody else', () => {
  it.each(publicRoutes.map((route) => [route.id, route] as const))('%s', async (id, route) => {
    expect(Object.keys(rows), `${id} has no row in route-samples.ts`).toContain(id);
    const callers = callersOf(route);
    expect(await answered(route, callers)).toEqual(promised(route, callers));
  });
});

it('an operator without a second factor is a shopper, and an operator once there is one', async () => {
  const { scene } = callersOf({ audience: 'operators' });
  const { runtime } = scene.store.cloud;
  const { body: cloud } = await scene.store.request('GET', '/_local');
  const cognito = (operation: string, input: object): Promise<any> =>
    runtime.call('cognito-idp', operation, input, { kind: 'operator' });
  const Username = `${randomUUID()}@example.com`;
  const account = { UserPoolId: cloud.userPoolId, Username };
  const Password = `Aa1-${randomUUID()}`;
  await cognito('AdminCreateUser', { ...account, MessageAction: 'SUPPRESS' });
  await cognito('AdminSetUserPassword', { ...account, Password, Permanent: true });
  for (const GroupName of ['operators', 'finance']) {
    await cognito('AdminAddUserToGroup', { ...account, GroupName });
  }
  const client = { ClientId: cloud.clientId };
  const byPassword = { username: Username, password: Password };
  const signIn = () => signInBySrp(cognito, { ...cloud, ...byPassword });
  // The one grant that hands the password on is no client's.
  const AuthParameters = { USERNAME: Username, PASSWORD: Password };
  await expect(
    cognito('InitiateAuth', { ...client, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters }),
  ).rejects.toMatchObject({ code: 'InvalidParameterException' });
  const statuses = async (token: string) =>
    Promise.all(
      ['/v1/orders', '/v1/admin/orders', '/v1/finance/exports'].map(
        async (path) => (await scene.store.request('GET', path, { token })).status,
      ),
    );
  const { AuthenticationResult: first } = await signIn();
  expect(await statuses(first.AccessToken)).toEqual([200, 403, 403]);

  const { AccessToken } = first;
  const { SecretCode } = await cognito('AssociateSoftwareToken', { AccessToken });
  const code = (ahead = 0) => totp(SecretCode, runtime.clock.now() + ahead);
  await cognito('VerifySoftwareToken', { AccessToken, UserCode: code() });
  await cognito('SetUserMFAPreference', { AccessToken, SoftwareTokenMfaSettings: { Enabled: true } });
  const { ChallengeName, Session } = await signIn();
  // The next step's code, which a clock that is a little behind takes: this one's was used to enrol.
  const { AuthenticationResult: second } = await cognito('RespondToAuthChallenge', {
    ...client,
    ChallengeName,
    Session,
    ChallengeResponses: { USERNAME: Username, SOFTWARE_TOKEN_MFA_CODE: code(30_000) },
  });
  expect(await statuses(second.AccessToken)).toEqual([200, 200, 200]);
});

it('a list shows nobody else’s orders', async () => {
  const { scene } = callersOf({ audience: 'shopper' });
  const orderId = await scene.order(scene.shopper);
  const listed = async ({ token }: { token: string }): Promise<string[]> => {
    const { body } = await scene.store.request('GET', '/v1/orders?limit=100', { token });
    return body.items.map((order: { id: string }) => order.id);
  };
  // The list is read from an index, which may follow a moment later.
  await expect.poll(() => listed(scene.shopper), { timeout: 30_000 }).toContain(orderId);
  expect(await listed(scene.stranger)).toEqual([]);
  expect(await listed(scene.operator)).toEqual([]);
});

it('what no route takes is not found, whoever asks and however', async () => {
  const { scene, bad } = callersOf({ audience: 'all' });
  const paths = [
    '/',
    '/v1',
    '/v1/nowhere',
    '/v1/orders/ord_1/nowhere',
    '/v2/orders',
    '/v1/admin',
    '/V1/orders',
  ];
  for (const path of paths) {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      for (const token of [undefined, 'guest', bad.idToken, scene.operator.token]) {
        const answer = await scene.store.request(method, path, token === undefined ? {} : { token });
        expect(`${method} ${path} ${inWords(read(notFound, answer))}`).toBe(
          `${method} ${path} 404 not-found`,
        );
      }
    }
  }
});
