import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { outbound } from '../../../functions/kernel/outbound.ts';

const sent = vi.fn(async () => new Response('done'));

beforeEach(() => {
  vi.stubGlobal('fetch', sent);
  sent.mockClear();
  vi.stubEnv('AWS_REGION', 'ap-northeast-2');
  vi.stubEnv('SANDBOX_URL', 'https://provider.example.com/v1/');
  vi.stubEnv('EXPORT_BUCKET', 'exports');
  vi.stubEnv('AWS_ENDPOINT_URL', '');
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});

describe('a function sends', () => {
  it.each([
    'https://provider.example.com/charges?limit=1',
    'https://dynamodb.ap-northeast-2.amazonaws.com/',
    'https://exports.s3.ap-northeast-2.amazonaws.com/exports/a.csv',
  ])('to %s', async (url) => {
    expect(await (await outbound(url, { method: 'POST' })).text()).toBe('done');
    expect(sent).toHaveBeenCalledWith(new URL(url), { method: 'POST' });
  });

  it('to the endpoint that stands for AWS', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_SQS', 'http://127.0.0.1:4566');
    await outbound('http://127.0.0.1:4566/queue', {});
    expect(sent).toHaveBeenCalledOnce();
  });

  it.each([
    ['a host that nobody named', 'https://evil.example.com/'],
    ['another port', 'https://provider.example.com:8443/'],
    ['plain HTTP', 'http://provider.example.com/'],
    ['a host that begins alike', 'https://provider.example.com.evil.example/'],
    ['an address with the host as its user', 'https://provider.example.com@evil.example/'],
    ['somebody’s own API at AWS', 'https://abc.execute-api.ap-northeast-2.amazonaws.com/'],
    ['somebody’s own bucket at AWS', 'https://abc.s3.ap-northeast-2.amazonaws.com/'],
    ['another region', 'https://dynamodb.us-east-1.amazonaws.com/'],
    ['AWS over plain HTTP', 'http://dynamodb.ap-northeast-2.amazonaws.com/'],
    ['a host that ends alike', 'https://dynamodb.ap-northeast-2.amazonaws.com.evil.example/'],
    ['the metadata service', 'http://169.254.169.254/latest/meta-data/'],
  ])('nothing to %s', async (_, url) => {
    await expect(outbound(url, {})).rejects.toThrow('no destination of this function');
    expect(sent).not.toHaveBeenCalled();
  });
});
