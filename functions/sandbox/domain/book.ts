import type { Charge } from './charge.ts';
import type { PaymentKey } from './payment-key.ts';

/** What was answered to a POST, kept so that the same POST gets the same answer. */
export interface KeptAnswer {
  /** SHA-256 of method, path and body. */
  readonly fingerprint: string;
  readonly status: number;
  /** JSON text. */
  readonly body: string;
}

/** The provider's book, with the answers it has given. */
export interface Book {
  /** Consistent. */
  charge(id: string): Promise<Charge | undefined>;
  /** Consistent; undefined once the answer is 24 hours old. */
  answer(idempotencyKey: string): Promise<KeptAnswer | undefined>;
  /** Consistent. */
  paymentKey(id: string): Promise<PaymentKey | undefined>;
  offer(paymentKey: PaymentKey): Promise<void>;
  /**
   * Keeps the answer together with the line that it made, the webhook that is due for it, and the payment key that it
   * used: all or nothing. `charge.version - 1` must be what is stored (0: nothing), and both keys must be free.
   * @returns false when somebody else was faster; then nothing was written
   */
  commit(idempotencyKey: string, answer: KeptAnswer, charge?: Charge, uses?: PaymentKey): Promise<boolean>;
  /** Keeps the line alone, of which nobody is told; on the same condition. */
  note(charge: Charge): Promise<boolean>;
  /** One page of all lines, in no particular order. `next` is absent on the last page, which may be empty. */
  page(limit: number, cursor?: string): Promise<{ charges: Charge[]; next?: string | undefined }>;
}
