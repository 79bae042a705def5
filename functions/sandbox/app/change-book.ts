import type { Sleep } from '../../kernel/clock.ts';
import { canonicalJson, digest } from '../../kernel/ids.ts';
import type { Book, KeptAnswer } from '../domain/book.ts';
import { BankUnreachable, type Charge, viewOf } from '../domain/charge.ts';
import type { PaymentKey } from '../domain/payment-key.ts';
import { Refusal } from '../domain/refusal.ts';

interface Ports {
  readonly book: Book;
  readonly sleep: Sleep;
  /** From 0 to 1, for the waits between tries. */
  readonly random: () => number;
}

/** One POST, ready to run. */
export interface Change {
  readonly chargeId: string;
  /** Of the payment key that it uses up. */
  readonly paymentKeyId?: string;
  /** @throws Refusal */
  readonly apply: (charge: Charge | undefined, paymentKey: PaymentKey | undefined) => Charge;
}

interface Answer extends KeptAnswer {
  /** It was kept from an earlier request with this key. */
  readonly replayed: boolean;
}

const tries = 16;

/**
 * Runs a change once for its idempotency key:
 * 1. a key that is known gets its kept answer, or is refused if it came with another request;
 * 2. the rules decide on the line as it is;
 * 3. the new line and the answer are written together, on condition that neither line nor key has moved;
 * 4. whoever was slower begins again, so parallel calls see each other's effect.
 * Refusals by the state of the charge are kept too, as a bank's are; faults of the request or of the provider are not.
 * @throws Refusal
 */
export const changeBook =
  ({ book, sleep, random }: Ports) =>
  async (idempotencyKey: string, request: unknown, change: Change): Promise<Answer> => {
    const fingerprint = digest(canonicalJson(request));
    for (let attempt = 1; attempt <= tries; attempt++) {
      const kept = await book.answer(idempotencyKey);
      if (kept) return replay(kept, fingerprint);
      const paymentKey =
        change.paymentKeyId === undefined ? undefined : await book.paymentKey(change.paymentKeyId);
      const { answer, charge, refusal } = decide(change, await book.charge(change.chargeId), paymentKey);
      if (refusal) {
        if (await book.note(charge)) throw refusal;
        continue;
      }
      const keeping = { fingerprint, status: answer.status, body: JSON.stringify(answer.body) };
      const uses = charge && paymentKey && { ...paymentKey, usedFor: charge.reference };
      if (await book.commit(idempotencyKey, keeping, charge, uses)) return { ...keeping, replayed: false };
      await sleep(random() * Math.min(10 * 2 ** attempt, 200));
    }
    throw new Refusal(503, 'busy', 'too many changes to this charge at once');
  };

function replay(kept: KeptAnswer, fingerprint: string): Answer {
  if (kept.fingerprint === fingerprint) return { ...kept, replayed: true };
  throw new Refusal(422, 'idempotency-key-reused', 'the Idempotency-Key came with another request before');
}

function decide(change: Change, before: Charge | undefined, paymentKey: PaymentKey | undefined) {
  try {
    const charge = change.apply(before, paymentKey);
    return { charge, answer: { status: 201, body: viewOf(charge) } };
  } catch (error) {
    if (error instanceof BankUnreachable) return { charge: error.remembered, refusal: error };
    const isKept = error instanceof Refusal && (error.status === 402 || error.status === 409);
    if (!isKept) throw error;
    return { answer: { status: error.status, body: bodyOf(error) } };
  }
}

/** The JSON of a refusal. */
export function bodyOf({ code, message }: Refusal) {
  return { error: { code, message } };
}
