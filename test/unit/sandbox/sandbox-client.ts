import { randomUUID } from 'node:crypto';
import { answerRequest } from '../../../functions/sandbox/app/answer-request.ts';
import type { Book } from '../../../functions/sandbox/domain/book.ts';

export const apiKey = 'the-api-key-of-the-tests';

/** The sandbox on a book, with a clock that only `wait` moves; it notes for how long it would have slept. */
export function sandboxOn(book: Book) {
  const naps: number[] = [];
  let now = Date.parse('2026-11-22T10:00:00Z');
  let words = 0;
  const answer = answerRequest({
    book,
    knows: async (given) => given === apiKey,
    baseUrl: 'https://sandbox.example/',
    newWord: () => `word${++words}`,
    now: () => now,
    sleep: async (milliseconds) => {
      naps.push(milliseconds);
    },
    random: () => 0.5,
  });

  const call = async (
    method: string,
    target: string,
    body?: unknown,
    idempotencyKey?: string,
    authorization: string | undefined = `Bearer ${apiKey}`,
  ) => {
    const url = new URL(target, 'http://sandbox');
    const given = await answer({
      method,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      authorization,
      idempotencyKey: idempotencyKey ?? randomUUID(),
      body: body === undefined ? '' : JSON.stringify(body),
    });
    const { status, replayed } = given;
    return { status, replayed, body: given.html ? given.body : JSON.parse(given.body) };
  };

  return {
    answer,
    naps,
    wait: (milliseconds: number) => {
      now += milliseconds;
    },
    /** As the shopper's browser, which has no API key. */
    browser: (method: 'GET' | 'POST', target: string, body?: unknown) =>
      call(method, target, body, undefined, ''),
    get: (target: string) => call('GET', target),
    /** With an idempotency key of its own unless one is given. */
    post: (target: string, body: unknown, idempotencyKey?: string) =>
      call('POST', target, body, idempotencyKey),
    authorise: (reference: string, amount = 1000, token = 'tok_approve') =>
      call('POST', '/authorizations', { reference, amount, currency: 'USD', method: 'card', token }),
  };
}
