import type { Money } from '../../kernel/contract.ts';

/** What the provider's book says of one attempt to pay. */
export interface Charge {
  /** The provider's id of the authorisation. */
  readonly id: string;
  readonly reference: string;
  /** What was authorised. */
  readonly amount: Money;
  readonly status: 'requires_action' | 'authorized' | 'declined' | 'captured' | 'voided';
  /** Why it was declined. */
  readonly reason?: string | undefined;
  /** Where the shopper must act; present while the status is `requires_action`. */
  readonly actionUrl?: string | undefined;
  /** The provider's id of the capture, once there is one. */
  readonly captureId?: string | undefined;
  readonly refunds: readonly Refund[];
}

interface Refund {
  /** The provider's. */
  readonly id: string;
  /** Ours. */
  readonly refundId: string;
  readonly amount: Money;
}

/**
 * How the shopper pays: a token that the server charges, or an authorisation already given in the browser, which
 * the server confirms for the order's own amount and currency.
 */
type Source =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'browser'; readonly paymentKey: string };

/** Sent twice with one key, a call has one effect and both get the same answer. */
interface Keyed {
  readonly idempotencyKey: string;
}

/**
 * A payment provider. Every method throws OutcomeUnknown when it cannot tell what happened, and those that send
 * throw ProviderRefused when the provider answered that it did nothing.
 */
export interface PaymentProvider {
  /** As the order records it, for example `sandbox`. */
  readonly name: string;
  /**
   * Holds the money. Where the confirmation of a browser authorisation is itself the charge, the answer is already
   * captured, and `capture` of it answers the same charge again.
   */
  authorise(
    request: Keyed & { readonly reference: string; readonly amount: Money; readonly source: Source },
  ): Promise<Charge>;
  capture(request: Keyed & { readonly authorizationId: string; readonly amount: Money }): Promise<Charge>;
  /** Gives back what is held and not captured. */
  void(request: Keyed & { readonly authorizationId: string }): Promise<Charge>;
  refund(
    request: Keyed & { readonly captureId: string; readonly refundId: string; readonly amount: Money },
  ): Promise<Charge>;
  /** By our reference, up to date; undefined when the provider has never heard of it. */
  find(reference: string): Promise<Charge | undefined>;
}

/** What a webhook is about. It is a hint to look, so nothing else of it is read. */
export interface Notification {
  /** The provider's id: the same for every delivery of it. */
  readonly id: string;
  /** Ours. */
  readonly reference: string;
}

/**
 * Verifies a provider's webhook.
 * @param now milliseconds since the epoch; a signature more than 300 s away from it is refused
 * @returns undefined when the signature does not fit the raw body
 */
export type VerifyWebhook = (
  webhook: { readonly body: string; readonly headers: Readonly<Record<string, string | undefined>> },
  now: number,
) => Promise<Notification | undefined>;

/** A timeout, a broken connection, a 5xx: the call may or may not have had its effect. */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown';
}

/** The provider's word that the call had no effect. */
export class ProviderRefused extends Error {
  override readonly name = 'ProviderRefused';
  /** For example `capture-failed`. */
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
