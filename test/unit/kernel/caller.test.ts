import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Audience, MachineScope } from '../../../functions/kernel/contract.ts';

vi.mock('../../../functions/kernel/log.ts', () => ({
  log: { error: vi.fn(), warn: vi.fn() },
  count: vi.fn(),
}));

const issuer = 'https://issuer.test/pool';
const client = 'client-1';
const system = 'system-1';
const ours = generateKeyPairSync('rsa', { modulusLength: 2048 });
const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 });

const keySet = {
  keys: [{ ...ours.publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'RS256' }],
};

let server: Server;
/** Answers of the server that are still to fail. */
let failures = 0;

beforeAll(async () => {
  server = createServer((_, response) => {
    response.statusCode = failures > 0 ? 500 : 200;
    failures = Math.max(0, failures - 1);
    response.end(JSON.stringify(keySet));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  vi.stubEnv('TOKEN_ISSUER', issuer);
  vi.stubEnv('TOKEN_CLIENT_ID', client);
  vi.stubEnv('MACHINE_CLIENT_IDS', `another ${system}`);
  vi.stubEnv('JWKS_URI', `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await new Promise((closed) => server.close(closed));
});

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const seconds = () => Math.floor(Date.now() / 1000);

const claims = () => ({
  sub: 'customer-1',
  iss: issuer,
  client_id: client,
  username: 'customer-1',
  origin_jti: 'session-1',
  token_use: 'access',
  auth_time: seconds() - 10,
  iat: seconds() - 10,
  exp: seconds() + 600,
});

function token(
  changes: Record<string, unknown> = {},
  {
    key = ours.privateKey,
    header = {},
  }: { key?: typeof ours.privateKey; header?: Record<string, unknown> } = {},
): string {
  const signed = `${encode({ alg: 'RS256', kid: 'k1', typ: 'JWT', ...header })}.${encode({ ...claims(), ...changes })}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
}

/** A fresh verifier each time, as in a new execution environment. */
async function authenticate(
  audience: Audience,
  authorization: string | undefined,
  machineScope?: MachineScope,
) {
  vi.resetModules();
  const caller = await import('../../../functions/kernel/caller.ts');
  return caller.authenticate({ audience, ...(machineScope && { machineScope }) }, authorization);
}

/** As the client credentials grant gives it. */
const machine = (changes: Record<string, unknown> = {}) =>
  token({ sub: system, client_id: system, username: undefined, scope: 'floodgate/finance.read', ...changes });

const refused = (code: string) => expect.objectContaining({ code });

describe('a good access token', () => {
  it('says who calls, and in which groups', async () => {
    expect(await authenticate('shopper', `Bearer ${token({ iat: 1_790_000_000 })}`)).toEqual({
      customerId: 'customer-1',
      groups: [],
      session: { id: 'session-1', issuedAt: 1_790_000_000 },
    });
    expect(await authenticate('guest', `bearer ${token()}`)).toMatchObject({ customerId: 'customer-1' });
    const operator = token({ 'cognito:groups': ['operators'] });
    expect(await authenticate('operators', `Bearer ${operator}`)).toMatchObject({ groups: ['operators'] });
  });

  it('opens only what its groups may do', async () => {
    const operator = `Bearer ${token({ 'cognito:groups': ['operators'] })}`;
    await expect(authenticate('finance', operator)).rejects.toEqual(refused('forbidden'));
    await expect(authenticate('operators', `Bearer ${token()}`)).rejects.toEqual(refused('forbidden'));
    const odd = `Bearer ${token({ 'cognito:groups': 'operators' })}`;
    await expect(authenticate('operators', odd)).rejects.toEqual(refused('forbidden'));
  });

  it('of operators and finance opens what is theirs for twelve hours from signing in', async () => {
    const groups = { 'cognito:groups': ['operators', 'finance'] };
    const signedIn = (secondsAgo: number) =>
      `Bearer ${token({ ...groups, auth_time: seconds() - secondsAgo })}`;
    for (const audience of ['operators', 'finance'] as const) {
      expect(await authenticate(audience, signedIn(12 * 3_600 - 60))).toMatchObject({
        customerId: 'customer-1',
      });
      await expect(authenticate(audience, signedIn(12 * 3_600))).rejects.toEqual(refused('unauthorized'));
    }
    const without = `Bearer ${token({ ...groups, auth_time: undefined })}`;
    await expect(authenticate('operators', without)).rejects.toEqual(refused('unauthorized'));
    // A shopper's phone stays signed in.
    expect(await authenticate('shopper', signedIn(20 * 86_400))).toMatchObject({ customerId: 'customer-1' });
  });
});

describe('a system’s token', () => {
  const ask = (bearer: string) => authenticate('finance', `Bearer ${bearer}`, 'finance.read');

  it('opens what asks for its scope', async () => {
    const scope = 'floodgate/other floodgate/finance.read openid';
    expect(await ask(machine({ scope }))).toEqual({ clientId: system, scopes: ['other', 'finance.read'] });
    const person = token({ 'cognito:groups': ['finance'] });
    expect(await ask(person)).toMatchObject({ customerId: 'customer-1' });
  });

  it.each([
    ['none', undefined],
    ['another', 'floodgate/finance.write'],
    ['a longer one', 'floodgate/finance.read.all'],
    ['one of another server', 'elsewhere/finance.read'],
    ['one without its server', 'finance.read'],
  ])('with %s in place of the scope is forbidden', async (_, scope) => {
    await expect(ask(machine({ scope }))).rejects.toEqual(refused('forbidden'));
  });

  it.each(['guest', 'shopper', 'operators', 'finance'] as const)(
    'opens nothing for %s where no scope is named',
    async (audience) => {
      const claiming = machine({ 'cognito:groups': ['operators', 'finance'] });
      await expect(authenticate(audience, `Bearer ${claiming}`)).rejects.toEqual(refused('unauthorized'));
    },
  );

  it.each([
    ['a user of its client', machine({ username: 'customer-1' })],
    ['another subject than its client', machine({ sub: 'customer-1' })],
    ['an unknown client', machine({ sub: 'system-2', client_id: 'system-2' })],
    ['the people’s client', machine({ sub: client, client_id: client })],
    ['no access', machine({ token_use: 'id' })],
    ['an hour that is over', machine({ exp: seconds() - 1 })],
    ['another issuer', machine({ iss: 'https://issuer.test/other' })],
  ])('for %s is refused', async (_, bearer) => {
    await expect(ask(bearer)).rejects.toEqual(refused('unauthorized'));
  });

  it('forged, unsigned or signed with the public key as a secret is refused', async () => {
    const claimed = machine().split('.')[1] ?? '';
    const hmacOver = `${encode({ alg: 'HS256', kid: 'k1' })}.${claimed}`;
    const pem = ours.publicKey.export({ type: 'spki', format: 'pem' });
    const signature = createHmac('sha256', pem).update(hmacOver).digest('base64url');
    const [head, , genuine] = token().split('.');
    for (const bad of [
      `${encode({ alg: 'none', kid: 'k1' })}.${claimed}.`,
      `${hmacOver}.${signature}`,
      `${head}.${claimed}.${genuine}`,
    ]) {
      await expect(ask(bad)).rejects.toEqual(refused('unauthorized'));
    }
  });
});

describe('no token', () => {
  it('is needed for what is for all, and not looked at there', async () => {
    expect(await authenticate('all', undefined)).toBeUndefined();
    expect(await authenticate('all', 'Bearer nonsense')).toBeUndefined();
    expect(await authenticate('provider', 'Basic abc')).toBeUndefined();
  });

  it('makes a guest, but a bad one does not', async () => {
    expect(await authenticate('guest', undefined)).toBeUndefined();
    await expect(authenticate('guest', 'Bearer nonsense')).rejects.toEqual(refused('unauthorized'));
    await expect(authenticate('guest', '')).rejects.toEqual(refused('unauthorized'));
  });

  it.each(['shopper', 'operators', 'finance'] as const)('is refused to %s', async (audience) => {
    await expect(authenticate(audience, undefined)).rejects.toEqual(refused('unauthorized'));
  });
});

describe('a bad token is refused', () => {
  const [, payload = ''] = token().split('.');
  const unsigned = `${encode({ alg: 'none', kid: 'k1' })}.${payload}.`;
  const hmacOver = `${encode({ alg: 'HS256', kid: 'k1' })}.${payload}`;
  const publicPem = ours.publicKey.export({ type: 'spki', format: 'pem' });
  const confused = `${hmacOver}.${createHmac('sha256', publicPem).update(hmacOver).digest('base64url')}`;
  const [header, , signature] = token().split('.');

  it.each([
    ['expired', token({ exp: seconds() - 1 })],
    ['not valid yet', token({ nbf: seconds() + 600 })],
    ['an ID token', token({ token_use: 'id', aud: client, client_id: undefined })],
    ['an ID token that names the client', token({ token_use: 'id' })],
    ["another client's", token({ client_id: 'client-2' })],
    ['of no client', token({ client_id: undefined })],
    ['of no user', token({ username: undefined })],
    ['of no session', token({ origin_jti: undefined })],
    ["another issuer's", token({ iss: 'https://issuer.test/other' })],
    ['signed with another key', token({}, { key: foreign.privateKey })],
    ['of a key that the set does not have', token({}, { header: { kid: 'k2' } })],
    ['without a key id', token({}, { header: { kid: undefined } })],
    ['changed after signing', `${header}.${encode({ ...claims(), sub: 'customer-2' })}.${signature}`],
    ['unsigned (alg none)', unsigned],
    ['signed with the public key as a secret (HS256)', confused],
    ['no JWT', 'abc'],
    ['empty', ''],
  ])('%s', async (_, bad) => {
    await expect(authenticate('shopper', `Bearer ${bad}`)).rejects.toEqual(refused('unauthorized'));
  });

  it.each(['Basic abc', 'Bearer', `Bearer ${'x y'}`, `Token ${token()}`])(
    'under "%s"',
    async (authorization) => {
      await expect(authenticate('shopper', authorization)).rejects.toEqual(refused('unauthorized'));
    },
  );
});

it('is not the token’s fault when the keys cannot be had', async () => {
  failures = 2;
  await expect(authenticate('shopper', `Bearer ${token()}`)).rejects.toEqual(
    refused('temporary-reduced-capacity'),
  );
  failures = 1;
  expect(await authenticate('shopper', `Bearer ${token()}`)).toMatchObject({ customerId: 'customer-1' });
});
