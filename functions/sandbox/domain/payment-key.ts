import type { Currency } from '../../kernel/contract.ts';

/** A payment that the shopper has authorised in the browser, and that the merchant may confirm once. */
export interface PaymentKey {
  readonly id: string;
  readonly orderId: string;
  /** Minor units of `currency`. */
  readonly amount: number;
  readonly currency: Currency;
  readonly token: string;
  readonly madeAt: string;
  /** The reference of the charge that it became. */
  readonly usedFor?: string | undefined;
}

/** Milliseconds in which it must be confirmed. */
export const confirmWithin = 15 * 60_000;
