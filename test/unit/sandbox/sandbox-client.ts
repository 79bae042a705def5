import { randomUUID } from 'node:crypto';
import { answerRequest } from '../../../functions/sandbox/app/answer-request.ts';
import type { Book } from '../../../functions/sandbox/domain/book.ts';

export const apiKey = 'the-api-key-of-the-tests';

/** The sandbox on a book, with a clock that stands still; it notes for how long it would have slept. */
export function sandboxOn(book: Book) {
  const naps: number[] = [];
  const answer = answerRequest({
    book,
    apiKey: async () => apiKey,
    now: () => Date.parse('2026-11-22T10:00:00Z'),
    sleep: async (milliseconds) => {
      naps.push(milliseconds);
    },
    random: () => 0.5,
  });

  const call = async (method: string, target: string, body?: unknown, idempotencyKey?: string) => {
    const url = new URL(target, 'http://sandbox');
    const given = await answer({
      method,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      authorization: `Bearer ${apiKey}`,
      idempotencyKey: idempotencyKey ?? randomUUID(),
      body: body === undefined ? '' : JSON.stringify(body),
    });
    return { status: given.status, replayed: given.replayed, body: JSON.parse(given.body) };
  };

  return {
    answer,
    naps,
    get: (target: string) => call('GET', target),
    /** With an idempotency key of its own unless one is given. */
    post: (target: string, body: unknown, idempotencyKey?: string) =>
      call('POST', target, body, idempotencyKey),
    authorise: (reference: string, amount = 1000, token = 'tok_approve') =>
      call('POST', '/authorizations', { reference, amount, currency: 'USD', method: 'card', token }),
  };
}
