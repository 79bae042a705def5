import * as z from 'zod/mini';
import { isoInstant, type Now, type Sleep } from '../../kernel/clock.ts';
import { errorName, isDomainError, problems } from '../../kernel/errors.ts';
import { log } from '../../kernel/log.ts';
import {
  authorizationRequest,
  captureRequest,
  confirmationRequest,
  disputeRequest,
  paymentKeyRequest,
  refundRequest,
} from '../contract.ts';
import type { Book } from '../domain/book.ts';
import {
  act,
  authorise,
  type Charge,
  capture,
  chargeIdOf,
  chargeIdOfCapture,
  confirm,
  dispute,
  lapsed,
  refund,
  viewOf,
  voidCharge,
} from '../domain/charge.ts';
import { Refusal } from '../domain/refusal.ts';
import { behaviourOf, unknownToken } from '../domain/tokens.ts';
import { actionPage } from './action-page.ts';
import { bodyOf, type Change, changeBook } from './change-book.ts';
import { settlementFile } from './settlement.ts';

interface Ports {
  readonly book: Book;
  /** Whether this is a key that callers may present. */
  readonly knows: (apiKey: string) => Promise<boolean>;
  /** The sandbox's own address, for the shopper's browser. */
  readonly baseUrl: string;
  /** A new random word. */
  readonly newWord: () => string;
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
  /** JSON text, unless `html` or `csv`. */
  readonly body: string;
  readonly replayed: boolean;
  readonly html?: true;
  readonly csv?: true;
}

/**
 * The sandbox provider's API:
 * 1. what the shopper's browser does needs no key;
 * 2. everybody else presents an API key;
 * 3. a GET reads the book;
 * 4. a POST changes it once for its Idempotency-Key;
 * 5. what goes wrong is `{error: {code, message}}`.
 */
export const answerRequest =
  (ports: Ports) =>
  async (request: SandboxRequest): Promise<SandboxAnswer> => {
    try {
      const byShopper = await answerShopper(ports, request);
      if (byShopper) return byShopper;
      await checkKey(ports, request.authorization);
      const [, settled] = /^\/settlements\/(\d{4}-\d{2}-\d{2})$/.exec(request.path) ?? [];
      if (request.method === 'GET' && settled) {
        const body = await settlementFile(ports.book, settled, ports.now());
        return { status: 200, body, replayed: false, csv: true };
      }
      if (request.method === 'GET') return success(await read(ports, request));
      if (request.method === 'POST') return await write(ports, request);
      throw notFound();
    } catch (error) {
      const refusal = error instanceof Refusal ? error : asRefusal(error);
      return { status: refusal.status, body: JSON.stringify(bodyOf(refusal)), replayed: false };
    }
  };

/** The answer to a shopper's browser; undefined when the request is the merchant's. */
async function answerShopper(ports: Ports, request: SandboxRequest): Promise<SandboxAnswer | undefined> {
  const { method, path } = request;
  const { book, newWord } = ports;
  if (method === 'GET') {
    const [, id] = /^\/actions\/(\w+)$/.exec(path) ?? [];
    if (id === undefined) return undefined;
    const charge = lapsed(present(await book.charge(id)), ports.now());
    return { status: 200, body: actionPage(charge), replayed: false, html: true };
  }
  if (method === 'POST' && path === '/payment-keys') {
    const wanted = parse(paymentKeyRequest, readJson(request.body));
    if (!behaviourOf(wanted.token)) throw unknownToken();
    const id = `pmk_${newWord()}`;
    await book.offer({ ...wanted, id, madeAt: isoInstant(ports.now()) });
    const { orderId, amount, currency } = wanted;
    return { ...success({ paymentKey: id, orderId, amount: { amount, currency } }), status: 201 };
  }
  const [, id, did] = /^\/authorizations\/(\w+)\/(confirm|fail)$/.exec(path) ?? [];
  if (method !== 'POST' || !id) return undefined;
  const deed = did === 'confirm' ? 'confirm' : 'fail';
  // A shopper clicks more than once.
  return changeBook(ports)(
    `${id}-${deed}`,
    { path },
    {
      chargeId: id,
      apply: (charge) => act(present(charge), deed, ports.now()),
    },
  );
}

async function checkKey({ knows }: Ports, authorization: string | undefined): Promise<void> {
  const given = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1];
  if (given !== undefined && (await knows(given))) return;
  throw new Refusal(401, 'unauthorized', 'send Authorization: Bearer with the API key');
}

async function read({ book, now }: Ports, { path, query }: SandboxRequest): Promise<unknown> {
  const seen = (charge: Charge) => viewOf(lapsed(charge, now()));
  if (path === '/charges') {
    const limit = parse(pageLimit, query.limit ?? 100);
    const { charges, next } = await book.page(limit, query.cursor);
    return { items: charges.map(seen), next };
  }
  if (path === '/authorizations') {
    const charge = await book.charge(chargeIdOf(query.reference ?? ''));
    return { items: charge ? [seen(charge)] : [] };
  }
  const [, id] = /^\/authorizations\/(\w+)$/.exec(path) ?? [];
  if (id === undefined) throw notFound();
  return seen(present(await book.charge(id)));
}

const pageLimit = z.coerce.number().check(z.int(), z.minimum(1), z.maximum(1000));

async function write(ports: Ports, request: SandboxRequest): Promise<SandboxAnswer> {
  const body = readJson(request.body);
  const { holdFor = 0, ...change } = changeOf(ports, request.path, body);
  const { idempotencyKey, method, path } = request;
  if (!idempotencyKey || idempotencyKey.length > 255) {
    throw new Refusal(400, 'idempotency-key-missing', 'send an Idempotency-Key of 1 to 255 characters');
  }
  const answer = await changeBook(ports)(idempotencyKey, { method, path, body }, change);
  if (!answer.replayed) await ports.sleep(holdFor);
  return answer;
}

/** What a POST does, and for how many milliseconds its answer is held back afterwards. */
function changeOf(ports: Ports, path: string, body: unknown): Change & { holdFor?: number | undefined } {
  const now = ports.now();
  if (path === '/authorizations') {
    const wanted = parse(authorizationRequest, body);
    return {
      chargeId: chargeIdOf(wanted.reference),
      apply: (charge) => authorise(charge, { ...wanted, baseUrl: ports.baseUrl }, now),
      holdFor: behaviourOf(wanted.token)?.answersAfter,
    };
  }
  if (path === '/payments') {
    const wanted = parse(confirmationRequest, body);
    return {
      chargeId: chargeIdOf(wanted.reference),
      paymentKeyId: wanted.paymentKey,
      apply: (charge, paymentKey) => confirm(charge, paymentKey, wanted, now),
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
      apply: (charge) => refund(present(charge), wanted, now),
    };
  }
  const [, disputedId] = /^\/captures\/(\w+)\/disputes$/.exec(path) ?? [];
  if (disputedId) {
    const { amount } = parse(disputeRequest, body);
    return {
      chargeId: chargeIdOfCapture(disputedId),
      apply: (charge) => dispute(present(charge), amount, now),
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
  log.error('sandbox request failed', { error: errorName(error) });
  return new Refusal(500, 'internal-error', 'something went wrong at the provider');
}
