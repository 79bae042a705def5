import { timingSafeEqual } from 'node:crypto';
import * as z from 'zod/mini';
import type { Now, Sleep } from '../../kernel/clock.ts';
import { isDomainError, problems } from '../../kernel/errors.ts';
import { digest } from '../../kernel/ids.ts';
import { log } from '../../kernel/log.ts';
import { authorizationRequest, captureRequest, refundRequest } from '../contract.ts';
import type { Book } from '../domain/book.ts';
import {
  authorise,
  type Charge,
  capture,
  chargeIdOf,
  chargeIdOfCapture,
  refund,
  viewOf,
  voidCharge,
} from '../domain/charge.ts';
import { Refusal } from '../domain/refusal.ts';
import { behaviourOf } from '../domain/tokens.ts';
import { bodyOf, type Change, changeBook } from './change-book.ts';

interface Ports {
  readonly book: Book;
  /** The key that callers must present. */
  readonly apiKey: () => Promise<string>;
  readonly now: Now;
  readonly sleep: Sleep;
  /** From 0 to 1. */
  readonly random: () => number;
}

export interface SandboxRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly authorization: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly body: string;
}

export interface SandboxAnswer {
  readonly status: number;
  /** JSON text. */
  readonly body: string;
  readonly replayed: boolean;
}

/**
 * The sandbox provider's API:
 * 1. the API key is compared in constant time;
 * 2. a GET reads the book;
 * 3. a POST changes it once for its Idempotency-Key;
 * 4. what goes wrong is `{error: {code, message}}`.
 */
export const answerRequest =
  (ports: Ports) =>
  async (request: SandboxRequest): Promise<SandboxAnswer> => {
    try {
      await checkKey(ports, request.authorization);
      if (request.method === 'GET') return success(await read(ports.book, request));
      if (request.method === 'POST') return await write(ports, request);
      throw notFound();
    } catch (error) {
      const refusal = error instanceof Refusal ? error : asRefusal(error);
      return { status: refusal.status, body: JSON.stringify(bodyOf(refusal)), replayed: false };
    }
  };

async function checkKey({ apiKey }: Ports, authorization: string | undefined): Promise<void> {
  const given = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1] ?? '';
  // Digests have one length, which the comparison needs, and tell nothing of the key's.
  const same = timingSafeEqual(Buffer.from(digest(given)), Buffer.from(digest(await apiKey())));
  if (!same) throw new Refusal(401, 'unauthorized', 'send Authorization: Bearer with the API key');
}

async function read(book: Book, { path, query }: SandboxRequest): Promise<unknown> {
  if (path === '/charges') {
    const limit = parse(pageLimit, query.limit ?? 100);
    const { charges, next } = await book.page(limit, query.cursor);
    return { items: charges.map(viewOf), next };
  }
  if (path === '/authorizations') {
    const charge = await book.charge(chargeIdOf(query.reference ?? ''));
    return { items: charge ? [viewOf(charge)] : [] };
  }
  const [, id] = /^\/authorizations\/(\w+)$/.exec(path) ?? [];
  if (id === undefined) throw notFound();
  return viewOf(present(await book.charge(id)));
}

const pageLimit = z.coerce.number().check(z.int(), z.minimum(1), z.maximum(1000));

async function write(ports: Ports, request: SandboxRequest): Promise<SandboxAnswer> {
  const body = readJson(request.body);
  const { holdFor = 0, ...change } = changeOf(request.path, body, ports.now());
  const { idempotencyKey, method, path } = request;
  if (!idempotencyKey || idempotencyKey.length > 255) {
    throw new Refusal(400, 'idempotency-key-missing', 'send an Idempotency-Key of 1 to 255 characters');
  }
  const answer = await changeBook(ports)(idempotencyKey, { method, path, body }, change);
  if (!answer.replayed) await ports.sleep(holdFor);
  return answer;
}

/** What a POST does, and for how many milliseconds its answer is held back afterwards. */
function changeOf(path: string, body: unknown, now: number): Change & { holdFor?: number | undefined } {
  if (path === '/authorizations') {
    const wanted = parse(authorizationRequest, body);
    return {
      chargeId: chargeIdOf(wanted.reference),
      apply: (charge) => authorise(charge, wanted, now),
      holdFor: behaviourOf(wanted.token)?.answersAfter,
    };
  }
  const [, authorizationId, action] = /^\/authorizations\/(\w+)\/(captures|voids)$/.exec(path) ?? [];
  if (authorizationId && action === 'captures') {
    const { amount } = parse(captureRequest, body);
    return { chargeId: authorizationId, apply: (charge) => capture(present(charge), amount, now) };
  }
  if (authorizationId) {
    return { chargeId: authorizationId, apply: (charge) => voidCharge(present(charge), now) };
  }
  const [, captureId] = /^\/captures\/(\w+)\/refunds$/.exec(path) ?? [];
  if (captureId) {
    const wanted = parse(refundRequest, body);
    return {
      chargeId: chargeIdOfCapture(captureId),
      apply: (charge) => refund(present(charge), wanted),
    };
  }
  throw notFound();
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text === '' ? '{}' : text);
  } catch {
    throw new Refusal(400, 'malformed-request', 'the body is not JSON');
  }
}

function parse<T extends z.ZodMiniType>(schema: T, value: unknown): z.output<T> {
  const result = z.safeParse(schema, value);
  if (result.success) return result.data;
  const wrong = result.error.issues.map((issue) => `${issue.path.join('.')} (${issue.code})`).join(', ');
  throw new Refusal(422, 'validation-failed', `not valid: ${wrong}`);
}

function present(charge: Charge | undefined): Charge {
  if (!charge) throw notFound();
  return charge;
}

function notFound(): Refusal {
  return new Refusal(404, 'not-found', 'there is no such thing');
}

function success(body: unknown): SandboxAnswer {
  return { status: 200, body: JSON.stringify(body), replayed: false };
}

function asRefusal(error: unknown): Refusal {
  if (isDomainError(error)) return new Refusal(problems[error.code][0], error.code, error.message);
  log.error('sandbox request failed', { error: error instanceof Error ? error.name : 'unknown' });
  return new Refusal(500, 'internal-error', 'something went wrong at the provider');
}
