import { createHash, createHmac, getDiffieHellman, hkdfSync, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createCognito } from '../../local/cognito.ts';
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

/** The app's side, written from RFC 5054 and with Node's own HKDF. */
const N = BigInt(`0x${getDiffieHellman('modp15').getPrime('hex')}`);
const bytes = (number: bigint) => {
  const hex = number.toString(16);
  const even = hex.length % 2 ? `0${hex}` : hex;
  return Buffer.from(Number.parseInt(even[0]!, 16) > 7 ? `00${even}` : even, 'hex');
};
const sha = (...parts: (Buffer | string)[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const number = (buffer: Buffer) => BigInt(`0x${buffer.toString('hex')}`);
const power = (base: bigint, exponent: bigint): bigint =>
  exponent === 0n ? 1n : ((exponent & 1n ? base : 1n) * power((base * base) % N, exponent >> 1n)) % N;

async function signIn({ call }: Awaited<ReturnType<typeof setUp>>, name: string, password: string) {
  const a = number(randomBytes(32));
  const A = power(2n, a);
  const begun = await call('InitiateAuth', {
    AuthFlow: 'USER_SRP_AUTH',
    AuthParameters: { USERNAME: name, SRP_A: A.toString(16) },
  });
  const { USER_ID_FOR_SRP, SRP_B, SALT, SECRET_BLOCK } = begun.ChallengeParameters;
  const B = BigInt(`0x${SRP_B}`);
  const u = number(sha(bytes(A), bytes(B)));
  const x = number(sha(bytes(BigInt(`0x${SALT}`)), sha(`Pool1${USER_ID_FOR_SRP}:${password}`)));
  const k = number(sha(bytes(N), bytes(2n)));
  const base = (((B - k * power(2n, x)) % N) + N) % N;
  const S = power(base, a + u * x);
  const key = Buffer.from(hkdfSync('sha256', bytes(S), bytes(u), 'Caldera Derived Key', 16));
  const TIMESTAMP = 'Wed Nov 25 00:00:00 UTC 2026';
  const signature = createHmac('sha256', key)
    .update(`Pool1${USER_ID_FOR_SRP}`)
    .update(Buffer.from(SECRET_BLOCK, 'base64'))
    .update(TIMESTAMP)
    .digest('base64');
  const answer = (changes: object = {}) =>
    call('RespondToAuthChallenge', {
      ChallengeName: begun.ChallengeName,
      ChallengeResponses: {
        USERNAME: USER_ID_FOR_SRP,
        PASSWORD_CLAIM_SECRET_BLOCK: SECRET_BLOCK,
        PASSWORD_CLAIM_SIGNATURE: signature,
        TIMESTAMP,
        ...changes,
      },
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
