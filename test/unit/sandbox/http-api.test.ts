import { expect, it } from 'vitest';
import { behindHttpApi } from '../../../functions/sandbox/adapters/http-api.ts';
import type { SandboxAnswer } from '../../../functions/sandbox/app/answer-request.ts';

const event = { requestContext: { http: { method: 'GET' } }, rawPath: '/charges', headers: {} };
const answered = async (answer: Partial<SandboxAnswer>) => {
  const handler = behindHttpApi(async () => ({ status: 200, body: '', replayed: false, ...answer }));
  return (await handler(event as never)).headers as Record<string, string>;
};

it.each([
  ['JSON', {}, 'application/json'],
  ['a file', { csv: true }, 'text/csv; charset=utf-8'],
  ['a page', { html: true }, 'text/html; charset=utf-8'],
  ['a refusal', { status: 401 }, 'application/json'],
] as const)('%s is not stored, guessed at, framed or told of', async (_, answer, type) => {
  const headers = await answered(answer);
  expect(headers).toMatchObject({
    'content-type': type,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'strict-transport-security': expect.stringContaining('max-age='),
  });
  expect(headers['content-security-policy']).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
});

it('a page may send its forms to where it came from, and nowhere else', async () => {
  const policy = async (answer: Partial<SandboxAnswer>) =>
    (await answered(answer))['content-security-policy'];
  expect(await policy({ html: true })).toContain("form-action 'self'");
  expect(await policy({})).not.toContain('form-action');
});
