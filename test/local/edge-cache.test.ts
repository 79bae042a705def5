import { describe, expect, it } from 'vitest';
import { EdgeCache, type EdgeRequest } from '../../local/edge-cache.ts';
import type { HttpApiResponse } from '../../local/http-api-event.ts';

const get = (headers: EdgeRequest['headers'] = {}, url = '/v1/drops/drp_1'): EdgeRequest => ({
  method: 'GET',
  url,
  headers,
});

function setup(cacheControl = 'public, max-age=1', etag?: string) {
  let now = 1_000_000;
  const asked: (string | undefined)[] = [];
  const cache = new EdgeCache(() => now);
  let answer = (): HttpApiResponse => ({
    status: 200,
    headers: { 'cache-control': cacheControl, ...(etag && { etag }) },
    body: `answer ${asked.length}`,
  });
  const origin = async (ifNoneMatch?: string) => {
    asked.push(ifNoneMatch);
    return answer();
  };
  return {
    cache,
    asked,
    origin,
    ask: (request = get()) => cache.answer(request, origin),
    wait: (milliseconds: number) => {
      now += milliseconds;
    },
    answerWith: (next: () => HttpApiResponse) => {
      answer = next;
    },
  };
}

describe('an answer that may be kept', () => {
  it('is given again until its time is over', async () => {
    const { ask, asked, wait } = setup('public, max-age=2');
    expect(await ask()).toMatchObject({ body: 'answer 1', headers: { 'x-cache': 'Miss from cloudfront' } });
    wait(1_999);
    expect(await ask()).toMatchObject({
      body: 'answer 1',
      headers: { 'x-cache': 'Hit from cloudfront', age: '1' },
    });
    wait(1);
    expect(await ask()).toMatchObject({ body: 'answer 2' });
    expect(asked).toHaveLength(2);
  });

  it('is kept for s-maxage where that is given, and five minutes at most', async () => {
    const shared = setup('public, max-age=100, s-maxage=1');
    await shared.ask();
    shared.wait(1_000);
    expect((await shared.ask()).body).toBe('answer 2');
    const long = setup('public, max-age=86400');
    await long.ask();
    long.wait(299_999);
    expect((await long.ask()).body).toBe('answer 1');
    long.wait(1);
    expect((await long.ask()).body).toBe('answer 2');
  });

  it('is asked for once, however many want it at the same time', async () => {
    const { ask, asked } = setup();
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask()));
    expect(asked).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => body))).toEqual(new Set(['answer 1']));
  });

  it('is asked for again with its entity tag, and kept on when it has not changed', async () => {
    const { ask, asked, wait, answerWith } = setup('public, max-age=1', '"7"');
    await ask();
    wait(1_000);
    answerWith(() => ({ status: 304, headers: { 'cache-control': 'public, max-age=1' }, body: '' }));
    expect(await ask()).toMatchObject({
      status: 200,
      body: 'answer 1',
      headers: { 'x-cache': 'RefreshHit from cloudfront' },
    });
    wait(999);
    expect(await ask()).toMatchObject({ headers: { 'x-cache': 'Hit from cloudfront' } });
    expect(asked).toEqual([undefined, '"7"']);
  });

  it('spares a viewer the body that it has', async () => {
    const { ask, asked } = setup('public, max-age=1', '"7"');
    await ask();
    expect(await ask(get({ 'if-none-match': 'W/"7"' }))).toMatchObject({ status: 304, body: '' });
    expect(await ask(get({ 'if-none-match': '"6"' }))).toMatchObject({ status: 200, body: 'answer 1' });
    expect(asked).toHaveLength(1);
  });
});

describe('callers', () => {
  it.each(['authorization', 'accept-language', 'origin'])(
    'are never given what is kept for another %s',
    async (name) => {
      const { ask } = setup();
      expect((await ask(get({ [name]: 'a' }))).body).toBe('answer 1');
      expect((await ask(get({ [name]: 'b' }))).body).toBe('answer 2');
      expect((await ask()).body).toBe('answer 3');
      expect((await ask(get({ [name]: 'a' }))).body).toBe('answer 1');
    },
  );

  it('are told apart by the whole query string, and not by other headers', async () => {
    const { ask } = setup();
    expect((await ask(get({}, '/v1/products?q=a'))).body).toBe('answer 1');
    expect((await ask(get({}, '/v1/products?q=b'))).body).toBe('answer 2');
    expect((await ask(get({ 'user-agent': 'another' }, '/v1/products?q=a'))).body).toBe('answer 1');
  });
});

describe('an answer that may not be kept', () => {
  it.each(['no-store', 'private, max-age=9', 'no-cache, max-age=9', 'public, max-age=0', ''])(
    'goes to whoever asked and nobody else: %j',
    async (cacheControl) => {
      const { ask, asked } = setup(cacheControl);
      const answers = await Promise.all([ask(), ask(), ask()]);
      expect(asked).toHaveLength(3);
      expect(new Set(answers.map(({ body }) => body)).size).toBe(3);
    },
  );

  it('is an error, or what changes something', async () => {
    const { ask, asked, answerWith, cache, origin } = setup();
    answerWith(() => ({ status: 404, headers: { 'cache-control': 'public, max-age=9' }, body: '' }));
    expect(await ask()).toMatchObject({ headers: { 'x-cache': 'Error from cloudfront' } });
    await ask();
    expect(asked).toHaveLength(2);
    answerWith(() => ({ status: 200, headers: { 'cache-control': 'public, max-age=9' }, body: '' }));
    for (let count = 0; count < 2; count++) await cache.answer({ ...get(), method: 'POST' }, origin);
    expect(asked).toHaveLength(4);
  });

  it('is a fault of the origin: for a second everybody is given it, or what is kept from before', async () => {
    const { ask, asked, answerWith, wait } = setup();
    answerWith(() => ({ status: 503, headers: { 'cache-control': 'no-store' }, body: 'busy' }));
    const answers = await Promise.all([ask(), ask(), ask()]);
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
    expect(answers.at(-1)!.headers['x-cache']).toBe('Error from cloudfront');
    expect(asked).toHaveLength(1);
    wait(1_000);
    const kept = { status: 200, headers: { 'cache-control': 'public, max-age=1' }, body: 'number 7' };
    answerWith(() => kept);
    expect(await ask()).toMatchObject({ status: 200, body: 'number 7' });
    wait(1_000);
    answerWith(() => ({ status: 503, headers: {}, body: 'busy' }));
    expect(await Promise.all([ask(), ask()])).toMatchObject([{ body: 'number 7' }, { body: 'number 7' }]);
    expect(asked).toHaveLength(3);
    wait(1_000);
    answerWith(() => ({ ...kept, body: 'number 8' }));
    expect(await ask()).toMatchObject({ body: 'number 8' });
  });

  it('is a refusal: those who wait ask one after another, and what is kept stays for when the origin fails', async () => {
    const { ask, asked, answerWith, wait } = setup();
    const kept = { status: 200, headers: { 'cache-control': 'public, max-age=1' }, body: 'number 7' };
    answerWith(() => kept);
    await ask();
    wait(1_000);
    answerWith(() => ({ status: asked.length < 4 ? 429 : 503, headers: {}, body: '' }));
    const answers = await Promise.all([ask(), ask(), ask(), ask()]);
    expect(answers.map(({ status }) => status)).toEqual([429, 429, 200, 200]);
    expect(asked).toHaveLength(4);
  });

  it('does not stay pending when the origin fails', async () => {
    const { ask, answerWith } = setup();
    answerWith(() => {
      throw new Error('gone');
    });
    await expect(ask()).rejects.toThrow('gone');
    answerWith(() => ({ status: 200, headers: {}, body: 'back' }));
    expect((await ask()).body).toBe('back');
  });
});
