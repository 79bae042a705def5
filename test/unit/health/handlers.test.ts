import { readFile } from 'node:fs/promises';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { handler as getHealth } from '../../../functions/health/handlers/get-health.ts';
import { handler as getOpenApi } from '../../../functions/health/handlers/get-open-api.ts';
import { handler as notFound } from '../../../functions/health/handlers/not-found.ts';

async function call(handler: typeof notFound, path: string, headers: Record<string, string> = {}) {
  const requestContext = { requestId: 'r1', domainName: 'api.test' };
  const event = { rawPath: path, rawQueryString: '', headers, requestContext, isBase64Encoded: false };
  const answer = await handler(event as unknown as APIGatewayProxyEventV2, {} as Context);
  return { ...answer, json: answer.body && JSON.parse(answer.body) };
}

describe('health', () => {
  it('is ok', async () => {
    expect(await call(getHealth, '/v1/health')).toMatchObject({ statusCode: 200, json: { status: 'ok' } });
  });
});

describe('the OpenAPI document', () => {
  it('is the one in docs, cacheable, and not sent twice', async () => {
    const answer = await call(getOpenApi, '/v1/openapi.json');
    const written = await readFile(new URL('../../../docs/openapi.json', import.meta.url), 'utf8');
    expect(answer.json).toEqual(JSON.parse(written));
    expect(answer.headers?.['cache-control']).toBe('public, max-age=300');
    const etag = String(answer.headers?.etag);
    expect(await call(getOpenApi, '/v1/openapi.json', { 'if-none-match': etag })).toMatchObject({
      statusCode: 304,
    });
  });
});

describe('a path that no route takes', () => {
  it('is a problem like any other', async () => {
    const answer = await call(notFound, '/v1/nothing');
    expect(answer).toMatchObject({
      statusCode: 404,
      headers: { 'content-type': 'application/problem+json' },
      json: { type: 'https://floodgate.dev/problems/not-found', status: 404, instance: '/v1/nothing' },
    });
  });
});
