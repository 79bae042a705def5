import { getDiffieHellman } from 'node:crypto';
import { expect, test } from 'vitest';
import { createCognito } from '../../local/cognito.ts';
import { signInBySrp } from '../../scripts/account/srp.ts';
import { fakeRuntime, operator, resource } from './support/runtime.ts';

const poolId = 'eu-west-1_Pool1';
const Username = 'ann@example.com';
const Password = 'correct horse battery';

async function setUp() {
  const runtime = fakeRuntime({
    resources: [
      resource('AWS::Cognito::UserPool', poolId, { UsernameAttributes: ['email'] }),
      resource('AWS::Cognito::UserPoolClient', 'client', {
        UserPoolId: poolId,
        ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH'],
        PreventUserExistenceErrors: 'ENABLED',
      }),
    ],
  });
  const cognito = runtime.use(createCognito);
  const call = (operation: string, input: object): Promise<any> =>
    cognito.call(
      operation,
      { ClientId: 'client', ...input },
      { kind: 'service', service: 'anonymous', sourceArn: '' },
    );
  const user = { UserPoolId: poolId, Username };
  await cognito.call('AdminCreateUser', { ...user, MessageAction: 'SUPPRESS' }, operator);
  await cognito.call('AdminSetUserPassword', { ...user, Password, Permanent: true }, operator);
  return { runtime, call };
}

const N = BigInt(`0x${getDiffieHellman('modp15').getPrime('hex')}`);

/** The app's side up to its proof, which `answer` sends with changes. */
async function signIn({ call }: Awaited<ReturnType<typeof setUp>>, username: string, password: string) {
  let begun: any;
  let proof: any;
  const ask = async (operation: string, input: object) => {
    if (operation === 'RespondToAuthChallenge') proof = input;
    else begun = await call(operation, input);
    return begun;
  };
  await signInBySrp(ask, { clientId: 'client', userPoolId: poolId, username, password });
  const answer = (changes: object = {}) =>
    call('RespondToAuthChallenge', {
      ...proof,
      ChallengeResponses: { ...proof.ChallengeResponses, ...changes },
    });
  return { begun, answer };
}

const refused = { code: 'NotAuthorizedException', message: 'Incorrect username or password.' };

test('an app proves the password without sending it, once', async () => {
  const pool = await setUp();
  const { begun, answer } = await signIn(pool, Username, Password);
  expect(begun.ChallengeName).toBe('PASSWORD_VERIFIER');
  expect(await answer()).toHaveProperty('AuthenticationResult.AccessToken');
  await expect(answer()).rejects.toMatchObject(refused);
});

test('another password, user, time or block proves nothing', async () => {
  const pool = await setUp();
  await expect((await signIn(pool, Username, 'wrong horse battery')).answer()).rejects.toMatchObject(refused);
  const unknown = await signIn(pool, 'nobody@example.com', Password);
  expect(Object.keys(unknown.begun.ChallengeParameters).sort()).toEqual(
    Object.keys((await signIn(pool, Username, Password)).begun.ChallengeParameters).sort(),
  );
  await expect(unknown.answer()).rejects.toMatchObject(refused);
  for (const change of [
    { TIMESTAMP: 'Wed Nov 25 00:00:01 UTC 2026' },
    { PASSWORD_CLAIM_SECRET_BLOCK: 'AAAA' },
  ]) {
    const { answer } = await signIn(pool, Username, Password);
    await expect(answer(change)).rejects.toMatchObject(refused);
  }
  const late = await signIn(pool, Username, Password);
  await pool.runtime.clock.advance(3 * 60_000 + 1);
  await expect(late.answer()).rejects.toMatchObject(refused);
});

test.each(['0', N.toString(16), (2n * N).toString(16), '', 'xyz'])(
  'is not begun with A = %.8s',
  async (SRP_A) => {
    const { call } = await setUp();
    const begun = call('InitiateAuth', {
      AuthFlow: 'USER_SRP_AUTH',
      AuthParameters: { USERNAME: Username, SRP_A },
    });
    await expect(begun).rejects.toMatchObject({ code: 'InvalidParameterException' });
  },
);
